import type {Vector} from '../../numerics/vectors';
import {sourceOwners, sourceSets} from '../../split/sources';

/** Whose the source channels are at a ρ. */
export interface SourceDivision {
  /** Owner of each source, −1 where shared, [Cin]. */
  owners: Int8Array;
  /** Of each concept, the source with the highest relevance to it first. */
  sets: number[][];
  shared: number;
  /** Share of each concept's positive relevance that its own sources carry, 0..1; 0 where it has none. */
  carried: number[];
}

export function divideSources(arvs: readonly Vector[], rho: number): SourceDivision {
  const owners = sourceOwners(arvs, rho);
  const sets = sourceSets(owners, arvs.length).map((set, j) => set.sort((a, b) => arvs[j][b] - arvs[j][a] || a - b));
  const carried = sets.map((set, j) => {
    const total = positiveSum(
      arvs[j],
      Array.from({length: arvs[j].length}, (_, i) => i),
    );
    return total > 0 ? positiveSum(arvs[j], set) / total : 0;
  });
  return {owners, sets, shared: owners.reduce((count, owner) => count + (owner < 0 ? 1 : 0), 0), carried};
}

function positiveSum(arv: Vector, sources: readonly number[]): number {
  return sources.reduce((sum, i) => sum + Math.max(0, arv[i]), 0);
}
