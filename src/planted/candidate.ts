import * as tf from '@tensorflow/tfjs-core';
import {applyLayer} from '../network/linearLayer';
import {inputTensors, sizeOf} from './classInputs';
import {channelRelevance, type StudiedLayer} from './studiedLayer';
import type {Plant} from './types';

/**
 * Fraction of each class's discovery images for which a plant is important in the network that really has it: its output m stands where
 * its source channels stood, so that everything behind the layer which read one of them reads m. Its relevance is the sum over these
 * places, against the positive relevance of all channels.
 */
export async function plantedImportance(
  {network, layer, shift, ownBias, discovery}: StudiedLayer,
  {channels, classes}: Plant,
  kernel: Float32Array,
  tau: number,
): Promise<number[]> {
  const [kh, kw, inputs, outputs] = layer.shape;
  const places = Float32Array.from({length: outputs}, (_, c) => (channels.includes(c) ? 1 : 0));
  const planted = tf.tidy(() => tf.tensor4d(kernel, [kh, kw, inputs, 1]));
  const fractions: number[] = [];
  try {
    for (const k of classes) {
      const images = discovery.get(k)!;
      const passing = images.crossing.reduce((sum, {shape}) => sum + sizeOf(shape), 0);
      let important = 0;
      for await (const {input, from} of inputTensors(images, passing)) {
        const count = input.shape[0];
        const crossing = images.crossing.map(({shape, data}) => {
          const size = sizeOf(shape);
          return tf.tidy(() => tf.tensor(data.subarray(from * size, (from + count) * size), [count, ...shape]));
        });
        const relevance = tf.tidy(() => {
          const taken = tf.tensor1d(places); // [Cout]
          const m = tf.add(applyLayer(layer, input, planted), tf.tensor1d(Float32Array.from(shift))); // [B, H', W', Cout]
          const z = tf.add(tf.mul(network.linear(input), tf.sub(1, taken)), tf.mul(m, taken)) as tf.Tensor4D;
          const {gradient} = network.headGradient(z, crossing, new Int32Array(count).fill(k));
          return channelRelevance(z, gradient, shift, ownBias); // [B, Cout]
        });
        const values = await relevance.data();
        tf.dispose([relevance, ...crossing]);
        for (let row = 0; row < values.length; row += outputs) {
          let [own, positive] = [0, 0];
          for (let c = 0; c < outputs; c++) {
            if (places[c]) own += values[row + c];
            else positive += Math.max(values[row + c], 0);
          }
          positive += Math.max(own, 0);
          if (positive > 0 && own >= tau * positive) important += 1;
        }
      }
      fractions.push(important / images.count);
    }
  } finally {
    planted.dispose();
  }
  return fractions;
}
