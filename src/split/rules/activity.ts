import {option} from '../../common/options';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../common/errors';
import {applyLayer} from '../../network/linearLayer';
import {stackKernels} from '../kernels';
import {eachPatchChunk, momentSum, type MomentSum} from '../patches';
import type {ConceptInputs, SecondMoment, SplitProblem} from '../types';

/** What rules measure of the channel's activity m = w·x on the concepts' images: one streaming pass each. */

/** Positions that stand for a concept, at least: where fewer are active, the highest so many. */
const LEAST_ACTIVE = 20;

/** w with the sign that makes it positive where the channel is active, [taps·Cin]. */
export function activeKernel({kernel, sign = 1}: SplitProblem): Float32Array {
  return sign === 1 ? kernel : kernel.map((weight) => -weight);
}

/** @throws InputError where no images were given */
export function requireInputs(problem: SplitProblem, rule: string): ConceptInputs {
  if (!problem.inputs)
    throw new InputError(`rule ${rule} looks at images of the concepts' classes; give ${option('images')}`);
  return problem.inputs;
}

/** The largest D that the rules with a D × D matrix take: a matrix then has 85 MB. */
export const LARGEST_SIZE = 4608;

/** @throws InputError for a D above `LARGEST_SIZE` */
export function checkSize(size: number, rule: string, instead: string): void {
  if (size > LARGEST_SIZE) {
    throw new InputError(
      `rule ${rule} needs matrices of ${size} × ${size} for this layer, and takes at most ${LARGEST_SIZE} × ${LARGEST_SIZE}; ${instead}`,
    );
  }
}

/**
 * Outputs of other kernels at every position, batch after batch.
 * @param kernels N kernels, [taps, Cin] each
 * @param visit gets the concept and the values, [positions, N] row-major
 */
export async function eachProjection(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernels: readonly (Float32Array | Float64Array)[],
  visit: (concept: number, values: Float32Array) => void,
): Promise<void> {
  const [kh, kw, channels] = problem.layer.shape;
  const singles = kernels.map((kernel) => Float32Array.from(kernel));
  const stacked = tf.tidy(() => tf.tensor4d(stackKernels(singles), [kh, kw, channels, kernels.length]));
  try {
    for await (const {concept, input} of inputs) {
      const outputs = applyLayer(problem.layer, input, stacked); // [B, H', W', N]
      const values = (await outputs.data()) as Float32Array;
      outputs.dispose();
      visit(concept, values);
    }
  } finally {
    stacked.dispose();
  }
}

/**
 * The value of m above which a position is active, by concept: `least`; or, where fewer than 20 positions exceed it, just below the 20th
 * highest m.
 */
export async function gates(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  least = 0,
): Promise<number[]> {
  const positive = problem.concepts.map(() => 0);
  const highest: number[][] = problem.concepts.map(() => []);
  await eachProjection(problem, inputs, [kernel], (concept, values) => {
    const top = highest[concept];
    for (const m of values) {
      if (m > least) positive[concept] += 1;
      if (top.length < LEAST_ACTIVE || m > top[top.length - 1]) {
        const at = top.findIndex((value) => value < m);
        top.splice(at < 0 ? top.length : at, 0, m);
        if (top.length > LEAST_ACTIVE) top.pop();
      }
    }
  });
  return highest.map((top, j) => {
    if (positive[j] >= LEAST_ACTIVE || top.length === 0) return least;
    const last = top[top.length - 1];
    // The same m, computed in another batch, may round differently.
    return last - 1e-5 * Math.max(...top.map(Math.abs));
  });
}

/** Moments over a concept's active positions, and the m above which these are. */
export type GatedMoment = SecondMoment & {mean: Float64Array; least: number};

/**
 * E[f fᵀ] and E[f] of each concept over its active positions.
 * @param features `patches`: f = x, [taps·Cin]; `contributions`: f = c, the contribution of each source to m, [Cin]
 * @param least m from which on a position is active, see `gates`
 */
export async function gatedMoments(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  features: 'patches' | 'contributions',
  least = 0,
): Promise<GatedMoment[]> {
  const {layer} = problem;
  const thresholds = await gates(problem, inputs, kernel, least);
  const taps = layer.shape[0] * layer.shape[1];
  const channels = layer.shape[2];
  const weights = tf.tidy(() => tf.tensor2d(kernel, [taps * channels, 1]));
  const sums: MomentSum[] = problem.concepts.map(() => momentSum(features === 'patches' ? taps * channels : channels));
  try {
    for await (const {concept, input} of inputs) {
      await eachPatchChunk(layer, input, async (x) => {
        const output = tf.matMul(x, weights); // [N, 1]
        const m = await output.data();
        output.dispose();
        const active = Int32Array.from(m.keys()).filter((n) => m[n] > thresholds[concept]);
        if (active.length === 0) return;
        const rows = tf.tidy(() => {
          const kept = tf.gather(x, tf.tensor1d(active, 'int32')); // [active, taps·Cin]
          if (features === 'patches') return kept;
          const products = tf.mul(kept, tf.reshape(weights, [1, -1])); // [active, taps·Cin]
          return tf.sum(tf.reshape(products, [-1, taps, channels]), 1) as tf.Tensor2D; // [active, Cin]
        });
        try {
          await sums[concept].add(rows);
        } finally {
          rows.dispose();
        }
      });
    }
    const moments: GatedMoment[] = [];
    for (const [j, sum] of sums.entries()) moments.push({...(await sum.finish()), least: thresholds[j]});
    return moments;
  } finally {
    weights.dispose();
    sums.forEach((sum) => sum.dispose());
  }
}

/** Diagonal of a [D, D] matrix. */
export function diagonal({matrix, size}: SecondMoment): Float64Array {
  return Float64Array.from({length: size}, (_, i) => matrix[i * size + i]);
}

/** Σ of matrices of one size. */
export function sumOfMoments(moments: readonly Pick<SecondMoment, 'matrix'>[]): Float32Array {
  const total = new Float32Array(moments[0].matrix.length);
  for (const {matrix} of moments) for (let at = 0; at < total.length; at++) total[at] += matrix[at];
  return total;
}

/** A·x for a [D, D] matrix. */
export function multiply(matrix: Float32Array, x: Float64Array): Float64Array {
  const size = x.length;
  const product = new Float64Array(size);
  for (let row = 0; row < size; row++) {
    const start = row * size;
    let sum = 0;
    for (let i = 0; i < size; i++) sum += matrix[start + i] * x[i];
    product[row] = sum;
  }
  return product;
}
