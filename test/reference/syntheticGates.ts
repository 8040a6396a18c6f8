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
  activity: number;
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
  const strength = uniform(seed + 2, 0.5, 1.5);
  const list: FiringPosition[] = [];
  for (let channel = 0; channel < outputs; channel++) {
    const shared = Array.from({length: inputs}, () => 3 * draw());
    const own = [0, 1].map(() => Array.from({length: inputs}, draw));
    for (let k = 0; k < stats.classes; k++) {
      for (let n = 0; n < positions; n++) {
        const contribution = shared.map((value, i) => value + own[k % 2][i] + noise * draw());
        list.push({channel, class: k, half: n % 2, activity: strength(), contribution});
      }
    }
  }
  const gates: GatedSums = {floor: 0, entries: new Map(), background: new Map(), dropped: 0};
  for (const {channel, class: k, half, activity, contribution} of list) {
    const key = channel * stats.classes + k;
    const entry = gates.entries.get(key) ?? {
      channel,
      class: k,
      images: [0, 0] as [number, number],
      activity: [0, 0] as [number, number],
      sums: new Float64Array(2 * inputs),
    };
    gates.entries.set(key, entry);
    entry.images[half] += 1;
    entry.activity[half] += activity;
    contribution.forEach((value, i) => (entry.sums[half * inputs + i] += activity * value));
  }
  return {stats: withGates(stats, gates), list};
}

/** The statistics with other gated sums. */
export function withGates(stats: RelevanceStatistics, gates: GatedSums): RelevanceStatistics {
  return withText({...stats, collected: {[GATES]: saveGates(gates, stats.layer.shape[2])}});
}

/** GARV(c, k) as it is defined: weighted means by class, centred over classes and divided by their deviation, which has a floor. */
export function slowGatedVector(list: readonly FiringPosition[], channel: number, k: number, half?: number): number[] {
  const meanOf = (l: number, of?: number) => {
    const own = list.filter(
      (one) => one.channel === channel && one.class === l && (of === undefined || one.half === of),
    );
    const total = own.reduce((sum, {activity}) => sum + activity, 0);
    return own[0].contribution.map(
      (_, i) => own.reduce((sum, {activity, contribution}) => sum + activity * contribution[i], 0) / total,
    );
  };
  const classes = [...new Set(list.filter((one) => one.channel === channel).map((one) => one.class))];
  const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const whole = classes.map((l) => meanOf(l));
  const variances = whole[0].map((_, i) => {
    const centre = average(whole.map((mean) => mean[i]));
    return average(whole.map((mean) => (mean[i] - centre) ** 2));
  });
  const means = classes.map((l) => meanOf(l, half));
  return meanOf(k, half).map(
    (value, i) => (value - average(means.map((mean) => mean[i]))) / Math.sqrt(variances[i] + 0.1 * average(variances)),
  );
}
