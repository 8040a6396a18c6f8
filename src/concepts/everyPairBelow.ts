import {numberText} from '../common/numbers';
import {callName, option} from '../common/options';

/** Fewer pairs may well all be of different meanings. */
const LEAST_PAIRS = 10;

/**
 * A warning where every decided pair is below γ: on such a network γ tells nothing apart, and that a pair is called says little.
 * @param cosines of all decided pairs, in any order
 */
export function everyPairBelow(cosines: readonly number[], gamma: number): string[] {
  const highest = cosines.reduce((most, cosine) => Math.max(most, cosine), -Infinity);
  if (cosines.length < LEAST_PAIRS || highest >= gamma || gamma >= 1) return [];
  const lowest = cosines.reduce((least, cosine) => Math.min(least, cosine), Infinity);
  return [
    `all ${cosines.length} decided pairs are below gamma ${numberText(gamma)} (cosines ${numberText(lowest)} to ${numberText(highest)}): in this layer it tells nothing apart, so that a call says little; choose a ${option('gamma')} among the cosines (${callName('suggestThresholds')})`,
  ];
}
