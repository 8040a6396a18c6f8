import * as tf from '@tensorflow/tfjs-core';
import type {SplitProblem} from '../types';
import {diagonal} from './activity';

/** P as a map and as its pieces. */
export interface Prior {
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
export function priorOf({layer, channel}: SplitProblem, kernel: Float32Array): Prior {
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
export function tracePrior(T: Float32Array, prior: Prior): number {
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
