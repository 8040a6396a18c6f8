import type {Vector} from '../numerics/vectors';

/** ρ that `rho: 'auto'` tries: 0.05, 0.10 … 1.00 (Hesse et al. 2025, section 3.3). */
export const RHOS: readonly number[] = Array.from({length: 20}, (_, i) => (i + 1) / 20);

/**
 * Source channels of each concept: i ∈ S_j if ρ·ARV_j,i > ARV_l,i for every other l. A source that several concepts claim (two
 * negative relevances can both satisfy it) goes to the first; one that none claims is shared.
 * @param arvs k vectors [Cin]
 * @returns owner of each source, −1 where shared, [Cin]
 */
export function sourceOwners(arvs: readonly Vector[], rho: number): Int8Array {
  return Int8Array.from({length: arvs[0].length}, (_, i) =>
    arvs.findIndex((own, j) => arvs.every((other, l) => l === j || rho * own[i] > other[i])),
  );
}

/** λ_j,i = 1 unless i belongs to another concept, then 0. */
export function hardOwnership(owners: Int8Array, concepts: number): Float64Array[] {
  return Array.from({length: concepts}, (_, j) =>
    Float64Array.from(owners, (owner) => (owner === j || owner === -1 ? 1 : 0)),
  );
}

/** S_1 … S_k, ascending. */
export function sourceSets(owners: Int8Array, concepts: number): number[][] {
  const sets: number[][] = Array.from({length: concepts}, () => []);
  owners.forEach((owner, i) => {
    if (owner >= 0) sets[owner].push(i);
  });
  return sets;
}
