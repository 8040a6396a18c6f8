import {InputError} from '../common/errors';
import {listed} from '../numerics/statistics';

/** A way of planting: which inputs each source keeps, and how strong the last source is. */
export interface Tier {
  name: string;
  /** k */
  concepts: 2 | 3;
  /**
   * `disjoint`: an input belongs to the source to which it contributes most, so that every edge has one true owner; a number θ: besides,
   * a share θ of the inputs belongs to all; `dense`: every source keeps all inputs, the natural sum.
   */
  inputs: 'disjoint' | 'dense' | number;
  /** α, the factor of the last source. */
  gain: number;
  description: string;
}

const TIER_LIST = [
  tier('disjoint', 2, 'disjoint', 1, 'each input belongs to the source it contributes most to'),
  tier('overlap-0.25', 2, 0.25, 1, 'besides, a quarter of the inputs belongs to both'),
  tier('overlap-0.5', 2, 0.5, 1, 'besides, half of the inputs belongs to both'),
  tier('overlap-0.75', 2, 0.75, 1, 'besides, three quarters of the inputs belong to both'),
  tier('dense', 2, 'dense', 1, 'the natural sum of two channels'),
  tier('three-disjoint', 3, 'disjoint', 1, 'three sources, each input of one'),
  tier('three-dense', 3, 'dense', 1, 'the natural sum of three channels'),
  tier('gain-0.25-disjoint', 2, 'disjoint', 0.25, 'disjoint, the second source at a quarter'),
  tier('gain-0.5-disjoint', 2, 'disjoint', 0.5, 'disjoint, the second source at half'),
  tier('gain-2-disjoint', 2, 'disjoint', 2, 'disjoint, the second source doubled'),
  tier('gain-0.25-dense', 2, 'dense', 0.25, 'the natural sum, the second source at a quarter'),
  tier('gain-0.5-dense', 2, 'dense', 0.5, 'the natural sum, the second source at half'),
  tier('gain-2-dense', 2, 'dense', 2, 'the natural sum, the second source doubled'),
] as const;

function tier<N extends string>(name: N, concepts: 2 | 3, inputs: Tier['inputs'], gain: number, description: string) {
  return {name, concepts, inputs, gain, description};
}

export type TierName = (typeof TIER_LIST)[number]['name'];

/** All tiers, in the order in which they are run and reported. */
export const TIERS: readonly (Tier & {name: TierName})[] = TIER_LIST;

/** @throws InputError for an unknown name, with the known ones */
export function tiersNamed(names: readonly string[] | undefined): readonly (Tier & {name: TierName})[] {
  if (names === undefined) return TIERS;
  for (const name of names) {
    if (!TIERS.some((known) => known.name === name)) {
      const known = TIERS.map((one) => one.name);
      throw new InputError(`unknown tier "${name}"; tiers: ${listed(known, known.length)}`);
    }
  }
  if (names.length === 0) throw new InputError('no tier is named; name one, or leave tiers out for all');
  return TIERS.filter(({name}) => names.includes(name));
}
