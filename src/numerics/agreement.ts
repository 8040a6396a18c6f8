import {cosine, mean, type Vector} from './vectors';

/** Pearson's correlation; NaN where either is constant. */
export function pearson(a: Vector, b: Vector): number {
  return cosine(centred(a), centred(b));
}

function centred(values: Vector): Float64Array {
  const centre = mean(values);
  return Float64Array.from(values, (value) => value - centre);
}

/**
 * Adjusted Rand index of two groupings of the same things (Hubert and Arabie 1985): 1 where they are the same up to the groups' names, 0
 * in the mean of random groupings with the same group sizes. Two groupings that are both one group, or both all apart, agree: 1.
 * @param a group of each thing, [N]
 * @param b the same, [N]
 */
export function adjustedRandIndex(a: Vector, b: Vector): number {
  const sizes = [new Map<number, number>(), new Map<number, number>()];
  const cells = new Map<string, number>();
  const count = <K>(groups: Map<K, number>, group: K) => groups.set(group, (groups.get(group) ?? 0) + 1);
  for (let n = 0; n < a.length; n++) {
    count(sizes[0], a[n]);
    count(sizes[1], b[n]);
    count(cells, `${a[n]} ${b[n]}`);
  }
  const pairs = (n: number) => (n * (n - 1)) / 2;
  const pairsIn = (groups: Map<unknown, number>) => [...groups.values()].reduce((total, n) => total + pairs(n), 0);
  const [together, inA, inB] = [cells, ...sizes].map(pairsIn);
  const expected = (inA * inB) / pairs(a.length);
  const most = (inA + inB) / 2;
  return most === expected || a.length < 2 ? 1 : (together - expected) / (most - expected);
}
