import * as tf from '@tensorflow/tfjs-core';
import {permutation} from '../common/random';
import {classVectors, LEAST_AGREEMENT} from '../concepts/relate';
import {emptyGates, GATES, gatedEntry, saveGates, type GatedSums} from '../numerics/gatedSums';
import type {RelevanceStatistics} from '../numerics/statistics';
import {patches} from '../split/patches';
import {inputTensors} from './classInputs';
import {seedFor} from './seedFor';
import type {StudiedLayer} from './studiedLayer';

/** A channel that stands in the layer or could, and the pair of classes on which it is looked at. */
export interface ComparedChannel {
  /** W_m, [taps·Cin] */
  kernel: Float32Array;
  /** What is added to w·x before the activation: the channel fires where the sum is above 0. */
  shift: number;
  classes: readonly [number, number];
}

/** What gated vectors say of a channel's two classes. */
export interface GatedComparison {
  /** cos(GARV1, GARV2); NaN where the channel never fires for one of them. */
  cosine: number;
  /** Whether each class agrees with itself between the halves of its images. */
  decided: boolean;
}

/**
 * Gated vectors (see `gatedVectors`) of channels on their classes, centred over all classes of the study, from the discovery images: one
 * pass for all channels. The two halves are a class's images by turns.
 * @returns with the images' labels, and with all labels dealt anew
 */
export async function compareGated(
  {layer, relevance, discovery}: Pick<StudiedLayer, 'layer' | 'relevance' | 'discovery'>,
  channels: readonly ComparedChannel[],
  seed: number,
): Promise<{own: GatedComparison[]; permuted: GatedComparison[]}> {
  const {classes, outputs} = relevance;
  const sources = layer.shape[2];
  const labels = classes.flatMap((k) => new Array<number>(discovery.get(k)!.count).fill(k));
  const dealt = permutation(labels.length, seedFor('gated', seed));
  const [own, permuted] = [emptyGates(), emptyGates()];
  const count = channels.length;
  const weights = tf.tidy(() => tf.stack(channels.map(({kernel}) => tf.tensor1d(kernel)))) as tf.Tensor2D; // [N, taps·Cin]
  const shifts = tf.tidy(() => tf.tensor1d(channels.map(({shift}) => shift)));
  const [image, places] = [{number: 0}, channels.map((_, c) => c)];
  try {
    for (const k of classes) {
      for await (const {input} of inputTensors(discovery.get(k)!)) {
        for (let b = 0; b < input.shape[0]; b++, image.number++) {
          const [activity, sums] = tf.tidy(() => {
            const one = tf.slice(input, [b], [1]);
            const x = patches(layer, one); // [P, taps·Cin]
            const a = tf.relu(tf.add(tf.matMul(x, weights, false, true), shifts)) as tf.Tensor2D; // [P, N]
            const seen = tf.mul(tf.matMul(a, x, true), weights); // [N, taps·Cin]
            return [tf.sum(a, 0), tf.sum(tf.reshape(seen, [count, -1, sources]), 1)]; // [N], [N, Cin]
          });
          const [a, c] = [await activity.data(), await sums.data()];
          tf.dispose([activity, sums]);
          const half = image.number % 2;
          for (const place of places) {
            if (!(a[place] > 0)) continue;
            const values = c.subarray(place * sources, (place + 1) * sources);
            addTo(own, {channel: place, class: k, half}, a[place], values, outputs);
            const other = labels[dealt[image.number]];
            addTo(permuted, {channel: place, class: other, half}, a[place], values, outputs);
          }
        }
      }
    }
  } finally {
    tf.dispose([weights, shifts]);
  }
  return {own: compared(own), permuted: compared(permuted)};

  function compared(gates: GatedSums): GatedComparison[] {
    const shape = [layer.shape[0], layer.shape[1], sources, count] as const;
    // All that gated vectors are made of.
    const stats = {
      layer: {...layer, shape},
      classes: outputs,
      shares: {},
      collected: {[GATES]: saveGates(gates, sources)},
    } as unknown as RelevanceStatistics;
    return channels.map(({classes: [k, l]}, place) => {
      const vectors = classVectors(stats, place, 'gated');
      return {
        cosine: vectors.cosine(k, l),
        decided: [k, l].every((one) => vectors.agreement(one) > LEAST_AGREEMENT),
      };
    });
  }
}

function addTo(
  gates: GatedSums,
  {channel, class: k, half}: {channel: number; class: number; half: number},
  activity: number,
  contributions: ArrayLike<number>,
  classes: number,
): void {
  const inputs = contributions.length;
  const entry = gatedEntry(gates, channel, k, {classes, inputs})!;
  entry.images[half] += 1;
  entry.activity[half] += activity;
  for (let i = 0; i < inputs; i++) entry.sums[half * inputs + i] += contributions[i];
}
