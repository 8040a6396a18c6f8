import {channelKernel} from '../network/linearLayer';
import * as tf from '@tensorflow/tfjs-core';
import {patches} from '../split/patches';
import {inputTensors, type ClassInputs} from './classInputs';
import {uniforms} from '../common/random';
import {seedFor} from './seedFor';
import type {StudiedLayer} from './studiedLayer';
import type {Tier} from './tiers';
import type {Plant} from './types';

/** A channel whose sources are known. */
export interface PlantedKernel {
  /** W_m = Σ_j α_j·W_j ⊙ mask_j, [taps, Cin]. */
  kernel: Float32Array;
  /** α_j·W_j ⊙ mask_j, k arrays [taps, Cin]: the true parts. */
  sources: Float32Array[];
  /** The source to which each input contributes most, [Cin]. */
  owner: Int8Array;
}

/** Mean |contribution| of each input to each of the channels, over all positions: k arrays [Cin]. */
export async function contributionSizes(
  studied: StudiedLayer,
  channels: readonly number[],
  images: readonly ClassInputs[],
): Promise<Float64Array[]> {
  const {layer} = studied;
  const [kh, kw, inputs] = layer.shape;
  const kernels = channels.map((c) =>
    tf.tidy(() => tf.tensor2d(channelKernel(studied.layer, c), [1, kh * kw * inputs])),
  );
  const totals = channels.map(() => new Float64Array(inputs));
  let positions = 0;
  try {
    for (const one of images) {
      for await (const {input} of inputTensors(one)) {
        const x = patches(layer, input); // [N, taps·Cin]
        positions += x.shape[0];
        for (const [n, kernel] of kernels.entries()) {
          const sums = tf.tidy(() => {
            const products = tf.reshape(tf.mul(x, kernel), [x.shape[0], kh * kw, inputs]); // [N, taps, Cin]
            return tf.sum(tf.abs(tf.sum(products, 1)), 0); // [Cin]
          });
          const values = await sums.data();
          sums.dispose();
          for (let i = 0; i < inputs; i++) totals[n][i] += values[i];
        }
        x.dispose();
      }
    }
  } finally {
    tf.dispose(kernels);
  }
  return totals.map((total) => total.map((value) => value / Math.max(positions, 1)));
}

/**
 * Adds up the sources of a plant.
 * @param sizes mean |contribution| of each input to each channel, as `contributionSizes` gives it
 */
export function plantKernel(
  studied: Pick<StudiedLayer, 'layer'>,
  plant: Plant,
  tier: Tier,
  sizes: readonly Float64Array[],
  seed: number,
): PlantedKernel {
  const inputs = studied.layer.shape[2];
  const largest = (values: (j: number, i: number) => number) =>
    Int8Array.from({length: inputs}, (_, i) =>
      plant.channels.reduce((best, _c, j) => (values(j, i) > values(best, i) ? j : best), 0),
    );
  const draw = uniforms(inputs, seedFor('overlap', seed, plant.index));
  const apart = largest((j, i) => sizes[j][i]);
  const mask = (j: number, i: number): number => {
    if (tier.inputs === 'dense') return 1;
    const shared = tier.inputs !== 'disjoint' && draw[i] < tier.inputs;
    return shared || apart[i] === j ? 1 : 0;
  };
  const gain = (j: number) => (j === plant.channels.length - 1 ? tier.gain : 1);
  const sources = plant.channels.map((c, j) =>
    channelKernel(studied.layer, c).map((weight, at) => gain(j) * weight * mask(j, at % inputs)),
  );
  return {
    kernel: sources[0].map((_, at) => sources.reduce((sum, source) => sum + source[at], 0)),
    sources,
    owner: largest((j, i) => gain(j) * sizes[j][i] * mask(j, i)),
  };
}
