import {dot} from './vectors';

/** A group of so many vectors counts as much as each of its vectors. */
const WEIGHT = 2;

/**
 * Vectors of length 1, each drawn towards the mean of its group, (1 − λ)·x + λ·mean with λ = n/(n + 2) for a group of n: what differs within
 * groups counts less, the less the larger the group. A vector alone stays as it is.
 * @param vectors N vectors; one of zeros stays so
 * @param groups group of each, [N]
 */
export function towardsGroups(vectors: readonly ArrayLike<number>[], groups: ArrayLike<number>): Float64Array[] {
  const units = vectors.map((x) => {
    const length = Math.sqrt(dot(x, x));
    return Float64Array.from(x, (value) => (length > 0 ? value / length : 0));
  });
  const sums = new Map<number, {count: number; sum: Float64Array}>();
  units.forEach((x, n) => {
    const group = sums.get(groups[n]) ?? {count: 0, sum: new Float64Array(x.length)};
    group.count += 1;
    x.forEach((value, i) => (group.sum[i] += value));
    sums.set(groups[n], group);
  });
  return units.map((x, n) => {
    const {count, sum} = sums.get(groups[n])!;
    const share = count / (count + WEIGHT);
    return x.map((value, i) => (1 - share) * value + (share * sum[i]) / count);
  });
}
