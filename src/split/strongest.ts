import * as tf from '@tensorflow/tfjs-core';
import type {LongCallOptions} from '../common/progress';
import {choosePreset} from '../images';
import {whateverLabels} from '../images/unlabelled';
import type {LabelledImages, Preset, PresetOption} from '../images/types';
import {firing} from '../network/firing';
import {channelKernel, linearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';
import {runPass, type BatchCollector} from '../pass/runPass';
import {patchesAt} from './patches';

/** The strongest position of a channel in an image. */
export interface Exemplar {
  /** Index into the images' list, and its path. */
  index: number;
  path: string;
  /** Row and column of the layer's output, and where its centre lies in the network's input, 0..1. */
  position: [number, number];
  centre: [number, number];
  /** How far the output is beyond the threshold of firing. */
  value: number;
}

export interface Strongest extends Exemplar {
  /** The class that the network takes the image for. */
  predicted: number;
  /** sign·w ⊙ x, summed over the taps, [Cin] */
  contribution: Float32Array;
}

export interface StrongestPositions {
  /** Of the images in which the channel fires. */
  found: Strongest[];
  /** Share of the layer's inputs that are zero. */
  zeroInputShare: number;
  preset: Preset;
}

/** The strongest position of a channel in each image in which it fires; looks at no label. */
export async function strongestPositions(
  model: Model,
  images: LabelledImages,
  channel: number,
  options: {layer: string; preset?: PresetOption; batchSize?: number} & LongCallOptions,
): Promise<StrongestPositions> {
  const {layer: name, preset, batchSize, progress, signal} = options;
  const layer = linearLayer(model.graph, name);
  const [kh, kw, inputs] = layer.shape;
  const taps = kh * kw;
  const {sign, threshold} = firing(model.graph, name);
  const kernel = channelKernel(layer, channel);
  const collected: Omit<StrongestPositions, 'preset'> & {zeros: number; total: number} = {
    found: [],
    zeroInputShare: NaN,
    zeros: 0,
    total: 0,
  };
  const collector: BatchCollector = {
    init: () => collected,
    measure(batch) {
      const z = batch.output(); // [B, H', W', Cout]
      const [count, height, width] = z.shape;
      const own = tf.reshape(tf.slice(z, [0, 0, 0, channel], [-1, -1, -1, 1]), [count, height * width]);
      const beyond = tf.mul(tf.sub(own, threshold[channel]), sign[channel]); // [B, P]
      const at = tf.argMax(beyond, 1) as tf.Tensor1D; // [B]
      const seen = patchesAt(layer, batch.input(), at); // [B, taps, Cin]
      const parts = tf.mul(seen, tf.tensor3d(kernel, [1, taps, inputs])); // [B, taps, Cin]
      const zeros = tf.sum(tf.cast(tf.equal(batch.input(), 0), 'float32'));
      return {
        at,
        value: tf.max(beyond, 1),
        predicted: tf.argMax(batch.logits(), 1),
        contributions: tf.mul(tf.sum(parts, 1), sign[channel]), // [B, Cin]
        sizes: tf.tensor1d([height, width, batch.input().size], 'int32'),
        zeros: tf.reshape(zeros, [1]),
      };
    },
    add(state, {indices, paths}, {at, value, predicted, contributions, sizes, zeros}) {
      const all = state as typeof collected;
      const [height, width, size] = sizes;
      all.zeros += zeros[0];
      all.total += size;
      paths.forEach((path, b) => {
        if (!(value[b] > 0)) return;
        const position: [number, number] = [Math.floor(at[b] / width), at[b] % width];
        all.found.push({
          index: indices[b],
          path,
          position,
          centre: [(position[0] + 0.5) / height, (position[1] + 0.5) / width],
          value: value[b],
          predicted: predicted[b],
          contribution: Float32Array.from(contributions.subarray(b * inputs, (b + 1) * inputs)),
        });
      });
    },
  };
  const label = `clustering what channel ${channel} of ${name} responds to`;
  const pass = {layers: [name], label, preset, batchSize, progress, signal};
  await runPass(model, whateverLabels(images), pass, [collector]);
  return {
    found: collected.found,
    zeroInputShare: collected.zeros / collected.total,
    preset: choosePreset(model, images, preset).preset,
  };
}
