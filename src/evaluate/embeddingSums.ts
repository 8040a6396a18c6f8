import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {whateverLabels} from '../images/unlabelled';
import type {LabelledImages, PresetOption} from '../images/types';
import type {Model} from '../network/types';
import {runPass, type BatchCollector} from '../pass/runPass';
import {dot} from '../numerics/vectors';

/** Weighted sums of embeddings, enough for the mean similarity of all pairs of images. */
export interface EmbeddingSums {
  /** Σ_n w_n·e_n with e of length 1, a row a weighting, [P][E]. */
  sums: Float64Array[];
  /** Σ w and Σ w², of images with an embedding that is not zero, [P]. */
  totals: Float64Array;
  squares: Float64Array;
  /** Images with an embedding. */
  images: number;
}

export interface EmbeddingOptions extends LongCallOptions {
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
}

/**
 * Weighted sums of the embeddings of images, in one pass: an embedding is what the model's last layer with weights reads, its mean over
 * positions, scaled to length 1.
 * @param weights P weightings of the images, [N] each
 */
export async function embeddingSums(
  embedder: Model,
  images: LabelledImages,
  weights: readonly ArrayLike<number>[],
  options: EmbeddingOptions = {},
): Promise<EmbeddingSums> {
  const last = embedder.layers().at(-1);
  if (!last)
    throw new InputError(`${embedder.name} has no layer with weights to take embeddings from; give another model`);
  const [, , size] = last.kernel;
  const state: EmbeddingSums = {
    sums: weights.map(() => new Float64Array(size)),
    totals: new Float64Array(weights.length),
    squares: new Float64Array(weights.length),
    images: 0,
  };
  const collector: BatchCollector = {
    init: () => state,
    measure(batch) {
      const x = batch.input(); // [B, E] or [B, H, W, E]
      const means = x.rank === 2 ? x : tf.mean(tf.reshape(x, [x.shape[0], -1, size]), 1); // [B, E]
      const lengths = tf.norm(means, 'euclidean', 1, true); // [B, 1]
      const units = tf.divNoNan(means, lengths); // [B, E]
      const chosen = weights.map((row) => Float32Array.from(batch.indices, (index) => row[index]));
      const rows = tf.stack(chosen.map((row) => tf.tensor1d(row))); // [P, B]
      return {sums: tf.matMul(rows as tf.Tensor2D, units as tf.Tensor2D), lengths};
    },
    add(_, {indices}, {sums, lengths}) {
      state.sums.forEach((row, p) => row.forEach((__, i) => (row[i] += sums[p * size + i])));
      indices.forEach((index, b) => {
        if (!(lengths[b] > 0)) return;
        state.images += 1;
        weights.forEach((row, p) => {
          state.totals[p] += row[index];
          state.squares[p] += row[index] ** 2;
        });
      });
    },
  };
  const pass = {...options, layers: [last.name], label: `embedding images with ${embedder.name}`};
  await runPass(embedder, whateverLabels(images), pass, [collector]);
  return state;
}

/**
 * Mean cosine of all pairs of different images, weighted by the product of their weights: Σ_{n≠m} w_n·w_m·e_n·e_m / Σ_{n≠m} w_n·w_m, which
 * follows from the sums, (|Σ w·e|² − Σ w²) / ((Σ w)² − Σ w²). NaN where fewer than two images weigh anything.
 */
export function pairSimilarity({sums, totals, squares}: EmbeddingSums, p: number): number {
  const pairs = totals[p] ** 2 - squares[p];
  return pairs > 1e-12 * totals[p] ** 2 ? (dot(sums[p], sums[p]) - squares[p]) / pairs : NaN;
}

/** Mean cosine of an image of one weighting with one of another; an image in both counts as a pair of itself. */
export function crossSimilarity({sums, totals}: EmbeddingSums, p: number, q: number): number {
  return dot(sums[p], sums[q]) / (totals[p] * totals[q]);
}
