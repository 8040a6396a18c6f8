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

/** Centred gated vectors of a channel's classes, of all images and of each half. */
export interface GatedVectors {
  /** GARV(c, k), [Cin]; undefined where the channel never fires for the class, or it was dropped. */
  vector(k: number, half?: 0 | 1): Float64Array | undefined;
  /** Cosine of a class's vector between the two halves of its images: how far it agrees with itself. NaN where a half has none. */
  agreement(k: number): number;
}

/**
 * GARV(c, k)[i] = Σ_taps W[tap, i, c]·(mean of X_i at the tap over the positions of class k's images where channel c fires − the same
 * mean averaged over classes). The plain ARV sums over all positions and is dominated by what every picture feeds into the channel;
 * this one sees what makes it fire.
 *
 * Classes that the sums leave to the background count in the average with the background's mean. Where only one class is known there is
 * nothing to subtract.
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
  const centres = ([0, 1, undefined] as const).map((half) => {
    const means = [...entries.values()]
      .map((entry) => meanOf(entry, inputs, half))
      .filter((mean) => mean !== undefined);
    const others = background && meanOf(background, inputs, half);
    const centre = new Float64Array(inputs);
    const weight = others ? stats.classes - means.length : 0;
    if (means.length + weight < 2) return centre;
    for (let i = 0; i < inputs; i++) {
      let sum = weight > 0 ? weight * others![i] : 0;
      for (const mean of means) sum += mean[i];
      centre[i] = sum / (means.length + weight);
    }
    return centre;
  });
  const known = new Map<string, Float64Array | undefined>();
  const vector = (k: number, half?: 0 | 1) => {
    const key = `${k},${half}`;
    if (!known.has(key)) {
      const entry = entries.get(k);
      const centre = centres[half ?? 2];
      known.set(key, entry && meanOf(entry, inputs, half)?.map((value, i) => value - centre[i]));
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
 * The mean contribution of each source where the channel fires, not centred, over the positions of several classes: what a channel's
 * output there is made of.
 * @returns [Cin]; undefined where it never fires for them
 */
export function gatedContribution(
  stats: RelevanceStatistics,
  channel: number,
  classes: readonly number[],
): Float64Array | undefined {
  const gates = requireGates(stats);
  const inputs = stats.layer.shape[2];
  const total: Pick<GatedEntry, 'positions' | 'sums'> = {positions: [0, 0], sums: new Float64Array(2 * inputs)};
  for (const k of classes) {
    const entry = gates.entries.get(channel * stats.classes + k);
    if (!entry) continue;
    total.positions[0] += entry.positions[0];
    total.positions[1] += entry.positions[1];
    entry.sums.forEach((value, at) => (total.sums[at] += value));
  }
  return meanOf(total, inputs);
}

/** Mean over positions of one half or both, [Cin]. */
function meanOf(
  {positions, sums}: Pick<GatedEntry, 'positions' | 'sums'>,
  inputs: number,
  half?: 0 | 1,
): Float64Array | undefined {
  const count = half === undefined ? positions[0] + positions[1] : positions[half];
  if (count === 0) return undefined;
  return Float64Array.from({length: inputs}, (_, i) => {
    const sum = half === undefined ? sums[i] + sums[inputs + i] : sums[half * inputs + i];
    return sum / count;
  });
}
