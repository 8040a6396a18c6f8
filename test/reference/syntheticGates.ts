import {GATES, saveGates, type GatedSums} from '../../src/numerics/gatedSums';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {withText} from '../../src/relevance/accumulate';
import {syntheticStatistics} from './syntheticStatistics';
import {uniform} from './smallNetworks';

/** What a channel reads at one position where it fires. */
export interface FiringPosition {
  channel: number;
  class: number;
  half: number;
  contribution: number[];
}

/**
 * Statistics with gated sums of positions that are also given one by one. Classes of an even index share a direction and those of an odd
 * index another one, beside what all share; `noise` drowns both.
 */
export function syntheticGates({seed = 1, noise = 0.3, positions = 6} = {}): {
  stats: RelevanceStatistics;
  list: FiringPosition[];
} {
  const stats = syntheticStatistics({seed});
  const [, , inputs, outputs] = stats.layer.shape;
  const draw = uniform(seed + 1, -1, 1);
  const list: FiringPosition[] = [];
  for (let channel = 0; channel < outputs; channel++) {
    const shared = Array.from({length: inputs}, () => 3 * draw());
    const own = [0, 1].map(() => Array.from({length: inputs}, draw));
    for (let k = 0; k < stats.classes; k++) {
      for (let n = 0; n < positions; n++) {
        const contribution = shared.map((value, i) => value + own[k % 2][i] + noise * draw());
        list.push({channel, class: k, half: n % 2, contribution});
      }
    }
  }
  const gates: GatedSums = {floor: 0, entries: new Map(), background: new Map(), dropped: 0};
  for (const {channel, class: k, half, contribution} of list) {
    const key = channel * stats.classes + k;
    const entry = gates.entries.get(key) ?? {
      channel,
      class: k,
      images: [0, 0] as [number, number],
      positions: [0, 0] as [number, number],
      sums: new Float64Array(2 * inputs),
    };
    gates.entries.set(key, entry);
    entry.images[half] += 1;
    entry.positions[half] += 1;
    contribution.forEach((value, i) => (entry.sums[half * inputs + i] += value));
  }
  return {stats: withGates(stats, gates), list};
}

/** The statistics with other gated sums. */
export function withGates(stats: RelevanceStatistics, gates: GatedSums): RelevanceStatistics {
  return withText({...stats, collected: {[GATES]: saveGates(gates, stats.layer.shape[2])}});
}

/** GARV(c, k) as it is defined: the mean over positions minus the mean of these means over classes. */
export function slowGatedVector(list: readonly FiringPosition[], channel: number, k: number, half?: number): number[] {
  const meanOf = (l: number) => {
    const own = list.filter(
      (one) => one.channel === channel && one.class === l && (half === undefined || one.half === half),
    );
    return own[0].contribution.map(
      (_, i) => own.reduce((sum, {contribution}) => sum + contribution[i], 0) / own.length,
    );
  };
  const classes = [...new Set(list.filter((one) => one.channel === channel).map((one) => one.class))];
  const means = classes.map(meanOf);
  return meanOf(k).map((value, i) => value - means.reduce((sum, mean) => sum + mean[i], 0) / means.length);
}
