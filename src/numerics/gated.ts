import {InputError} from '../common/errors';
import {gatesOf, type GatedEntry, type GatedSums} from './gatedSums';
import type {RelevanceStatistics} from './statistics';
import {cosine} from './vectors';

/** How to get what is missing. */
const COLLECT_THEM =
  "the statistics hold no gated sums; collect them again with gates: true, or compare the published vectors with arv: 'published'";

/** @throws InputError where the statistics were collected without gates */
export function requireGates(stats: RelevanceStatistics): GatedSums {
  const gates = gatesOf(stats);
  if (!gates) throw new InputError(COLLECT_THEM);
  return gates;
}

/** Gated vectors of a channel's classes, of all images and of each half. */
export interface GatedVectors {
  /** GARV(c, k), [Cin]; undefined where the channel never fires for the class, or it was dropped. */
  vector(k: number, half?: 0 | 1): Float64Array | undefined;
  /** Cosine of a class's vector between the two halves of its images: how far it agrees with itself. NaN where a half has none. */
  agreement(k: number): number;
}

/** λ: sources that differ between classes less than √λ of the typical source count for less. */
const LEAST_SPREAD = 0.1;

/**
 * GARV(c, k)_i = (A_k,i − mean_l A_l,i) / √(Var_l A_l,i + λ·mean_j Var_l A_l,j), λ = 0.1, over the classes l, with
 *
 *   A_k,i = Σ a·(Σ_taps W[tap, i, c]·X_i at the tap) / Σ a
 *
 * over the positions of class k's images, where a is how far the channel is beyond the threshold from which it fires (0 where it does not).
 * The plain ARV sums over all positions and is dominated by what every picture feeds into the channel; this one sees what makes it
 * fire, less what it fires for anyway, and no single source decides. Deviations over classes are of all images, for the halves too.
 * Each piece, and λ, was chosen on networks whose channels' meanings are known (test/bench/README.md).
 *
 * Classes that the sums leave to the background count among the classes with the background's mean. Where only one class is known there
 * is nothing to subtract or to divide by.
 * @throws InputError where the statistics were collected without gates
 */
export function gatedVectors(stats: RelevanceStatistics, channel: number): GatedVectors {
  const gates = requireGates(stats);
  const inputs = stats.layer.shape[2];
  const entries = new Map<number, GatedEntry>();
  for (let k = 0; k < stats.classes; k++) {
    const entry = gates.entries.get(channel * stats.classes + k);
    if (entry) entries.set(k, entry);
  }
  const background = gates.background.get(channel);
  const spreads = ([0, 1, undefined] as const).map((half) =>
    spreadOver(
      [...entries.values()].map((entry) => meanOf(entry, inputs, half)).filter((mean) => mean !== undefined),
      background && meanOf(background, inputs, half),
      stats.classes,
      inputs,
    ),
  );
  const {scale} = spreads[2];
  const known = new Map<string, Float64Array | undefined>();
  const vector = (k: number, half?: 0 | 1) => {
    const key = `${k},${half}`;
    if (!known.has(key)) {
      const entry = entries.get(k);
      const {centre} = spreads[half ?? 2];
      known.set(key, entry && meanOf(entry, inputs, half)?.map((value, i) => (value - centre[i]) * scale[i]));
    }
    return known.get(key);
  };
  return {
    vector,
    agreement(k) {
      const [a, b] = [vector(k, 0), vector(k, 1)];
      return a && b ? cosine(a, b) : NaN;
    },
  };
}

/**
 * The mean of the classes' means, and the factor 1/√(variance + λ·mean variance) of each source; 0 and 1 of a single class.
 * @param others mean of what stands for all classes that are not among the means
 */
function spreadOver(
  means: readonly Float64Array[],
  others: Float64Array | undefined,
  classes: number,
  inputs: number,
): {centre: Float64Array; scale: Float64Array} {
  const weight = others ? classes - means.length : 0;
  const count = means.length + weight;
  const centre = new Float64Array(inputs);
  const scale = new Float64Array(inputs).fill(1);
  if (count < 2) return {centre, scale};
  const average = (of: (mean: Float64Array, i: number) => number, i: number) =>
    (means.reduce((sum, mean) => sum + of(mean, i), 0) + (weight > 0 ? weight * of(others!, i) : 0)) / count;
  for (let i = 0; i < inputs; i++) centre[i] = average((mean) => mean[i], i);
  const variance = centre.map((value, i) => average((mean) => (mean[i] - value) ** 2, i));
  const least = (LEAST_SPREAD * variance.reduce((sum, value) => sum + value, 0)) / inputs;
  if (least > 0) variance.forEach((value, i) => (scale[i] = 1 / Math.sqrt(value + least)));
  return {centre, scale};
}

/**
 * The mean contribution of each source where the channel fires, weighted by how strongly, over the positions of several classes: what a
 * channel's output there is made of.
 * @returns [Cin]; undefined where it never fires for them
 */
export function gatedContribution(
  stats: RelevanceStatistics,
  channel: number,
  classes: readonly number[],
): Float64Array | undefined {
  const gates = requireGates(stats);
  const inputs = stats.layer.shape[2];
  const total: Pick<GatedEntry, 'activity' | 'sums'> = {activity: [0, 0], sums: new Float64Array(2 * inputs)};
  for (const k of classes) {
    const entry = gates.entries.get(channel * stats.classes + k);
    if (!entry) continue;
    total.activity[0] += entry.activity[0];
    total.activity[1] += entry.activity[1];
    entry.sums.forEach((value, at) => (total.sums[at] += value));
  }
  return meanOf(total, inputs);
}

/** Mean of one half or both, [Cin]. */
function meanOf(
  {activity, sums}: Pick<GatedEntry, 'activity' | 'sums'>,
  inputs: number,
  half?: 0 | 1,
): Float64Array | undefined {
  const total = half === undefined ? activity[0] + activity[1] : activity[half];
  if (total === 0) return undefined;
  return Float64Array.from({length: inputs}, (_, i) => {
    const sum = half === undefined ? sums[i] + sums[inputs + i] : sums[half * inputs + i];
    return sum / total;
  });
}
