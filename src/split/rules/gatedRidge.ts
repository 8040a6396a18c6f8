import * as tf from '@tensorflow/tfjs-core';
import type {ConceptInputs, SplitProblem, SplitRule} from '../types';
import {
  activeKernel,
  checkSize,
  diagonal,
  eachProjection,
  gatedMoments,
  multiply,
  requireInputs,
  sumOfMoments,
} from './activity';
import {runningVariance} from './running';
import {shiftedSolver} from './shiftedSolve';

/** e: how strongly the parts are drawn to w/k; 10^(i/6) for i = 0 … 24. */
export const RIDGES: readonly number[] = Array.from({length: 25}, (_, i) => 10 ** (i / 6));

/**
 * Free kernels, energy-capped. On concept j's active positions (m = w·x > 0) part j should be m and the others 0; elsewhere all should
 * share alike. With M_j = E_j[x xᵀ] over these positions, S = E[x xᵀ] over images of other classes, T = Σ M_j + S,
 *
 *   V_j = w/k + P·(T·P + e·tr(T·P)/D·I)⁻¹ (M_j − mean_l M_l)·w.
 *
 * The prior P of what a part's kernel may look like is made of the channel's own weights, of its inputs and of the layer's other kernels
 * (see {@link priorOf}). e is the smallest of 10^(i/6), i = 0 … 24, at which the parts together vary no more than the channel:
 * Σ_j Var d_j ≤ Var m over all positions of the concepts' images. From the planted benchmark of this package, where it recovers planted
 * concepts best; its parts are no subsets of the channel's inputs.
 */
export const gatedRidge: SplitRule = {
  name: 'gatedRidge',
  description:
    'free kernels by ridge regression on active positions, capped in energy; recovers planted concepts best on dense layers, well on sparse ones',
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'gatedRidge');
    const size = problem.kernel.length;
    checkSize(
      size,
      'gatedRidge',
      'take rule gatedWiener or energyMatch, whose matrices are of the input channels alone',
    );
    const {sign = 1} = problem;
    const kernel = activeKernel(problem);
    const moments = await gatedMoments(problem, inputs, kernel, 'patches');
    const k = moments.length;
    const background = await problem.background?.();
    const T = sumOfMoments(background ? [...moments, background] : moments);
    const answers = moments.map(({matrix}) => multiply(matrix, Float64Array.from(kernel))); // M_j·w
    const mean = answers[0].map((_, i) => answers.reduce((sum, answer) => sum + answer[i], 0) / k);
    const prior = priorOf(problem, kernel);
    const unit = tracePrior(T, prior) / size;
    const even = Float64Array.from(kernel, (weight) => (sign * weight) / k);
    if (!(unit > 0)) return {kernels: moments.map(() => even), chosen: {ridge: Infinity}};
    const map = {T: (v: Float64Array) => multiply(T, v), P: prior.multiply};
    // Σ_j U_j = 0, so that the last follows from the others.
    const solvers = answers.slice(0, k - 1).map((answer) =>
      shiftedSolver(
        map,
        answer.map((value, i) => value - mean[i]),
        RIDGES[0] * unit,
      ),
    );
    const kernelsAt = (ridge: number) => {
      const parts = solvers.map((solver) => solver(ridge * unit).map((u, i) => kernel[i] / k + u));
      const last = Float64Array.from(kernel, (weight, i) => weight - parts.reduce((sum, part) => sum + part[i], 0));
      return [...parts, last];
    };
    const path = RIDGES.map(kernelsAt);
    const chosen = await smallestWithinEnergy(problem, inputs, kernel, path);
    return {
      kernels: path[chosen].map((part) => part.map((weight) => sign * weight)),
      chosen: {ridge: RIDGES[chosen]},
    };
  },
};

/** Index of the first set of parts whose variances add up to no more than m's; the last one where none does. */
async function smallestWithinEnergy(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  path: readonly Float64Array[][],
): Promise<number> {
  const all: (Float32Array | Float64Array)[] = [...path.flat(), kernel];
  const variances = all.map(() => runningVariance());
  await eachProjection(problem, inputs, all, (_, values) => {
    for (let at = 0; at < values.length; at++) variances[at % all.length].add(values[at]);
  });
  const most = variances[all.length - 1].variance();
  const k = path[0].length;
  const energy = (index: number) =>
    variances.slice(index * k, (index + 1) * k).reduce((sum, part) => sum + part.variance(), 0);
  const found = path.findIndex((_, index) => energy(index) <= most);
  return found < 0 ? path.length - 1 : found;
}

/** P as a map and as its pieces. */
interface Prior {
  multiply(v: Float64Array): Float64Array;
  /** w, [taps, Cin], whose blocks w_i·w_iᵀ are the first term. */
  kernel: Float32Array;
  /** Of the terms that are diagonal, [D]. */
  diagonal: Float64Array;
  /** Kernels of the layer's other channels, [N, D], and the factor of Σ_n v_n·v_nᵀ. */
  siblings: Float32Array;
  factor: number;
  taps: number;
  sources: number;
}

/**
 * P = blockdiag_i(w_i·w_iᵀ) + 0.3·diag(mean over taps of w_i²) + 0.3·s·I + 0.3·s·K/(mean diagonal of K) + 10⁻⁴·s·I, with w_i the taps of
 * source i, s = mean w² and K the second moment of the kernels of the layer's other channels. The terms say that a part scales the taps
 * of a source together, that a source with large weights may change much, that any weight may, and that parts look like other kernels.
 */
function priorOf({layer, channel}: SplitProblem, kernel: Float32Array): Prior {
  const [kh, kw, sources, outputs] = layer.shape;
  const taps = kh * kw;
  const size = kernel.length;
  const power = new Float64Array(sources);
  kernel.forEach((weight, at) => (power[at % sources] += weight ** 2 / taps));
  const s = power.reduce((sum, value) => sum + value, 0) / sources;
  const count = outputs - 1;
  const siblings = new Float32Array(count * size);
  let total = 0;
  for (let c = 0, row = 0; c < outputs; c++) {
    if (c === channel) continue;
    for (let at = 0; at < size; at++) {
      const weight = layer.kernel[at * outputs + c];
      siblings[row * size + at] = weight;
      total += weight ** 2;
    }
    row += 1;
  }
  // K / mean diagonal = Σ v·vᵀ / N / (Σ v² / (N·D)).
  const factor = total > 0 ? (0.3 * s * size) / total : 0;
  const flat = Float64Array.from({length: size}, (_, at) => 0.3 * power[at % sources] + (0.3 + 1e-4) * s);
  return {
    kernel,
    diagonal: flat,
    siblings,
    factor,
    taps,
    sources,
    multiply(v) {
      const product = v.map((value, at) => flat[at] * value);
      for (let i = 0; i < sources; i++) {
        let along = 0;
        for (let at = i; at < size; at += sources) along += kernel[at] * v[at];
        for (let at = i; at < size; at += sources) product[at] += along * kernel[at];
      }
      for (let row = 0; factor > 0 && row < count; row++) {
        const start = row * size;
        let along = 0;
        for (let at = 0; at < size; at++) along += siblings[start + at] * v[at];
        along *= factor;
        for (let at = 0; at < size; at++) product[at] += along * siblings[start + at];
      }
      return product;
    },
  };
}

/** tr(T·P) */
function tracePrior(T: Float32Array, prior: Prior): number {
  const {kernel, siblings, factor, sources} = prior;
  const size = kernel.length;
  let trace = diagonal({matrix: T, size, count: 0}).reduce((sum, value, at) => sum + value * prior.diagonal[at], 0);
  for (let i = 0; i < sources; i++) {
    for (let a = i; a < size; a += sources) {
      for (let b = i; b < size; b += sources) trace += kernel[a] * T[a * size + b] * kernel[b];
    }
  }
  if (!(factor > 0)) return trace;
  const [among] = tf.tidy(() => {
    const v = tf.tensor2d(siblings, [siblings.length / size, size]); // [N, D]
    return tf.sum(tf.mul(tf.matMul(v, tf.tensor2d(T, [size, size])), v)).dataSync(); // Σ_n v_nᵀ·T·v_n
  });
  return trace + factor * among;
}
