import * as tf from '@tensorflow/tfjs-core';
import {adjustedRandIndex} from '../numerics/agreement';
import {applyLayer, type LinearLayer} from '../network/linearLayer';
import {stackKernels, type PartKernels} from '../split/kernels';
import {inputTensors, type ClassInputs} from './classInputs';

/** How well parts follow the true sources. Sums are in float64 over outputs that the engine computed. */

/** Outputs of kernels on images of one class, [positions, N] row-major. */
async function project(
  layer: LinearLayer,
  images: ClassInputs,
  kernels: readonly Float32Array[],
): Promise<Float32Array[]> {
  const [kh, kw, channels] = layer.shape;
  const stacked = tf.tidy(() => tf.tensor4d(stackKernels(kernels), [kh, kw, channels, kernels.length]));
  const values: Float32Array[] = [];
  try {
    for await (const {input} of inputTensors(images)) {
      const outputs = applyLayer(layer, input, stacked); // [B, H', W', N]
      values.push((await outputs.data()) as Float32Array);
      outputs.dispose();
    }
  } finally {
    stacked.dispose();
  }
  return values;
}

/** One rule's parts on a set of images; NaN where there are none. */
export interface Recovery {
  r: number;
  r2: number;
}

/** Recovery on a set, and what only the plant's own classes tell. */
export interface SetMeasurement {
  rules: Recovery[];
  /** Mean relu of each rule's parts, [rule][part][group of images]. */
  strength: number[][][];
  /** The same of the true sources. */
  trueStrength: number[][];
  /** Largest |Σ d_j − (k − 1)·r − m| / largest |m|, by rule. */
  exactness: number[];
}

/**
 * @param groups images by class; recovery is over all of them
 * @param rules kernels of each rule's parts and residue
 * @param sources the true parts
 * @param kernel w of the planted channel
 */
export async function measureRecovery(
  layer: LinearLayer,
  groups: readonly ClassInputs[],
  rules: readonly PartKernels[],
  sources: readonly Float32Array[],
  kernel: Float32Array,
): Promise<SetMeasurement> {
  const k = sources.length;
  const kernels = [...sources, kernel, ...rules.flatMap(({parts, residue}) => [...parts, residue])];
  const width = kernels.length;
  const truths = sources.map(() => emptyMoments());
  const pairs = rules.map(() => sources.map(() => emptyPair()));
  const strength = rules.map(() => sources.map(() => groups.map(() => 0)));
  const trueStrength = sources.map(() => groups.map(() => 0));
  const errors = rules.map(() => 0);
  let most = 0;
  for (const [group, images] of groups.entries()) {
    let positions = 0;
    for (const values of await project(layer, images, kernels)) {
      positions += values.length / width;
      for (let at = 0; at < values.length; at += width) {
        const m = values[at + k];
        most = Math.max(most, Math.abs(m));
        for (let j = 0; j < k; j++) {
          const s = values[at + j];
          truths[j].count += 1;
          truths[j].sum += s;
          truths[j].squares += s * s;
          trueStrength[j][group] += Math.max(s, 0);
        }
        for (let rule = 0; rule < rules.length; rule++) {
          const first = at + k + 1 + rule * (k + 1);
          let total = -(k - 1) * values[first + k];
          for (let j = 0; j < k; j++) {
            const d = values[first + j];
            const pair = pairs[rule][j];
            pair.sum += d;
            pair.squares += d * d;
            pair.products += d * values[at + j];
            strength[rule][j][group] += Math.max(d, 0);
            total += d;
          }
          errors[rule] = Math.max(errors[rule], Math.abs(total - m));
        }
      }
    }
    for (const parts of [...strength, trueStrength]) for (const part of parts) part[group] /= Math.max(positions, 1);
  }
  return {
    rules: pairs.map((parts) => {
      const each = parts.map((pair, j) => recoveryOf(pair, truths[j]));
      return {r: average(each.map(({r}) => r)), r2: average(each.map(({r2}) => r2))};
    }),
    strength,
    trueStrength,
    exactness: errors.map((error) => (most > 0 ? error / most : 0)),
  };
}

interface Moments {
  count: number;
  sum: number;
  squares: number;
}

interface Pair {
  sum: number;
  squares: number;
  products: number;
}

const emptyMoments = (): Moments => ({count: 0, sum: 0, squares: 0});
const emptyPair = (): Pair => ({sum: 0, squares: 0, products: 0});
const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's r, and R² = 1 − Σ (d − s)² / Σ s² of centred values. */
function recoveryOf(pair: Pair, truth: Moments): Recovery {
  const {count} = truth;
  const dd = pair.squares - pair.sum ** 2 / count;
  const ss = truth.squares - truth.sum ** 2 / count;
  const ds = pair.products - (pair.sum * truth.sum) / count;
  if (count === 0 || !(ss > 0)) return {r: NaN, r2: NaN};
  // A part that is the same everywhere follows nothing.
  return {r: dd > 0 ? ds / Math.sqrt(dd * ss) : 0, r2: 1 - (dd - 2 * ds + ss) / ss};
}

/** Mean over the parts of B / (A + B): A is a part's mean relu on its own class, B the mean on the others. */
export function leakShare(strength: readonly number[][]): number {
  const k = strength.length;
  const shares = strength.map((byGroup, j) => {
    const own = byGroup[j];
    const other = byGroup.reduce((sum, value, group) => (group === j ? sum : sum + value), 0) / (k - 1);
    return own + other > 0 ? other / (own + other) : 0.5;
  });
  return average(shares);
}

/**
 * Owners that parts imply, against the true ones. The owner of a source is the part that has most of its taps: λ_j,i = ⟨d_j,i, w_i⟩ /
 * ⟨w_i, w_i⟩, which is the ownership where there is one. Equal parts are a tie, which counts 1/k, and in the index a group of its own.
 */
export function edgeAgreement(
  parts: readonly Float32Array[],
  kernel: Float32Array,
  owner: Int8Array,
): {accuracy: number; adjustedRandIndex: number} {
  const sources = owner.length;
  const k = parts.length;
  let right = 0;
  const found = Int8Array.from({length: sources}, (_, i) => {
    const shares = parts.map((part) => {
      let [product, power] = [0, 0];
      for (let at = i; at < kernel.length; at += sources) {
        product += part[at] * kernel[at];
        power += kernel[at] ** 2;
      }
      return power > 0 ? product / power : 0;
    });
    const highest = Math.max(...shares);
    const best = shares.indexOf(highest);
    const tied = shares.filter((share) => highest - share < 1e-6).length > 1;
    right += tied ? 1 / k : Number(best === owner[i]);
    return tied ? k : best;
  });
  return {accuracy: right / sources, adjustedRandIndex: adjustedRandIndex(found, owner)};
}
