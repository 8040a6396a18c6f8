import * as tf from '@tensorflow/tfjs-core';
import {permutation} from '../common/random';
import {cosine} from '../numerics/vectors';
import {applyLayer, type LinearLayer} from '../network/linearLayer';
import {kernelsFromOwnership, stackKernels} from '../split/kernels';
import {inputTensors, type ClassInputs} from './classInputs';
import {leakShare} from './recovery';
import type {DetectionScores} from './types';

/**
 * What tells a channel with two meanings from one with a single meaning, on the discovery images of a class pair.
 *
 * - −cosine of the two averaged relevance vectors: the paper's criterion.
 * - Leak after a split by signed evidence: e_j = max(ARV_j, 0)² + max(−ARV_other, 0)², λ_j = e_j / Σ e, then −B/(A + B) as in `leakShare`.
 *   A channel of two meanings comes apart, one of a single meaning does not.
 */
export async function detectionScores(
  layer: LinearLayer,
  kernel: Float32Array,
  pair: readonly [ClassInputs, ClassInputs],
  permuteSeed?: number,
): Promise<DetectionScores> {
  const contributions = pair.map((images) => imageContributions(layer, kernel, images));
  const groups = groupsOf(pair[0].count, pair[1].count, permuteSeed);
  const all = contributions.flat();
  const arvs = groups.map((members) => meanOf(members.map((n) => all[n])));
  const ownership = signedEvidence(arvs);
  const {parts} = kernelsFromOwnership(kernel, ownership);
  const strengths = (await Promise.all(pair.map((images) => imageStrength(layer, parts, images)))).flat();
  const strength = parts.map((_, j) => groups.map((members) => meanOf(members.map((n) => strengths[n]))[j]));
  return {negativeCosine: -cosine(arvs[0], arvs[1]), negativeLeak: -leakShare(strength)};
}

/** The images of each class, numbered through; shuffled between the two of the same sizes where there is a seed. */
function groupsOf(first: number, second: number, permuteSeed?: number): [number[], number[]] {
  const count = first + second;
  const order =
    permuteSeed === undefined ? Array.from({length: count}, (_, n) => n) : Array.from(permutation(count, permuteSeed));
  return [order.slice(0, first), order.slice(first)];
}

/** Contribution of each source to Σ_hw m, [images][Cin]. */
function imageContributions(layer: LinearLayer, kernel: Float32Array, {sums, count}: ClassInputs): Float64Array[] {
  const sources = layer.shape[2];
  return Array.from({length: count}, (_, n) => {
    const vector = new Float64Array(sources);
    const row = n * kernel.length;
    for (let at = 0; at < kernel.length; at++) vector[at % sources] += kernel[at] * sums[row + at];
    return vector;
  });
}

function meanOf(vectors: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(vectors[0].length);
  for (const vector of vectors) for (let i = 0; i < total.length; i++) total[i] += vector[i] / vectors.length;
  return total;
}

/** λ of the split by signed evidence: what excites for one's own class, and what inhibits for the other. */
function signedEvidence([one, two]: readonly Float64Array[]): Float64Array[] {
  const evidence = [one, two].map((own, j) => {
    const other = j === 0 ? two : one;
    return own.map((value, i) => Math.max(value, 0) ** 2 + Math.max(-other[i], 0) ** 2);
  });
  const largest = Math.max(...evidence.map((e) => e.reduce((a, b) => Math.max(a, b), 0)));
  return evidence.map((e, j) =>
    e.map((value, i) => {
      const total = value + evidence[1 - j][i];
      return total > 1e-12 * largest ? value / total : 0.5;
    }),
  );
}

/** Mean relu of each part over the positions of each image, [images][parts]. */
async function imageStrength(
  layer: LinearLayer,
  parts: readonly Float32Array[],
  images: ClassInputs,
): Promise<Float64Array[]> {
  const [kh, kw, channels] = layer.shape;
  const stacked = tf.tidy(() => tf.tensor4d(stackKernels(parts), [kh, kw, channels, parts.length]));
  const rows: Float64Array[] = [];
  try {
    for await (const {input} of inputTensors(images)) {
      const means = tf.tidy(() => tf.mean(tf.relu(applyLayer(layer, input, stacked)), [1, 2])); // [B, parts]
      const values = await means.data();
      means.dispose();
      for (let at = 0; at < values.length; at += parts.length) {
        rows.push(Float64Array.from(values.subarray(at, at + parts.length)));
      }
    }
  } finally {
    stacked.dispose();
  }
  return rows;
}
