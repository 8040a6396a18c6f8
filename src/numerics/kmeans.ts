import {kmeans} from 'ml-kmeans';
import {dot} from './vectors';

/** Clusters of vectors on the unit sphere. */
export interface Clusters {
  /** Cluster of each vector, [N], 0 for the largest. */
  owners: Int32Array;
  /** Vectors in each, descending. */
  sizes: number[];
  /** Mean over vectors of the squared distance to their cluster's centre. */
  inertia: number;
}

/**
 * k-means of vectors scaled to length 1, the best of several seeded starts.
 * @param vectors N vectors, none of zeros
 */
export function sphericalClusters(
  vectors: readonly ArrayLike<number>[],
  k: number,
  {seed = 0, restarts = 8}: {seed?: number; restarts?: number} = {},
): Clusters {
  const units = vectors.map(unit);
  let best: Clusters | undefined;
  for (let start = 0; start < restarts; start++) {
    const {clusters, centroids} = kmeans(units, k, {seed: 1 + seed * 1000 + start, maxIterations: 100});
    const inertia =
      units.reduce((sum, x, n) => sum + squaredDistance(x, centroids[clusters[n]] as number[]), 0) / units.length;
    if (!best || inertia < best.inertia - 1e-12) best = {...ordered(clusters, k), inertia};
  }
  return best!;
}

function ordered(clusters: readonly number[], k: number): Pick<Clusters, 'owners' | 'sizes'> {
  const counts = Array.from({length: k}, (_, j) => clusters.filter((cluster) => cluster === j).length);
  const rank = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
  const place = new Map(rank.map((cluster, at) => [cluster, at]));
  return {
    owners: Int32Array.from(clusters, (cluster) => place.get(cluster)!),
    sizes: rank.map((cluster) => counts[cluster]),
  };
}

/** x / |x|, as a list. */
function unit(x: ArrayLike<number>): number[] {
  const length = Math.sqrt(dot(x, x));
  return Array.from(x, (value) => (length > 0 ? value / length : 0));
}

function squaredDistance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}

/**
 * Mean silhouette by cosine distance, −1..1 (Rousseeuw 1987): how much nearer vectors are to their own cluster than to the nearest other.
 * A vector alone in its cluster counts 0. The mean distance to a cluster is 1 less the product with its mean vector, so that no pair of
 * vectors is compared.
 */
export function silhouette(vectors: readonly ArrayLike<number>[], owners: ArrayLike<number>): number {
  const units = vectors.map(unit);
  const k = 1 + Math.max(...Array.from(owners));
  const counts = new Float64Array(k);
  const sums = Array.from({length: k}, () => new Float64Array(units[0].length));
  units.forEach((x, n) => {
    counts[owners[n]] += 1;
    x.forEach((value, i) => (sums[owners[n]][i] += value));
  });
  let total = 0;
  units.forEach((x, n) => {
    const mine = owners[n];
    if (counts[mine] < 2) return;
    // Without the vector itself, whose product with itself is 1, or 0 of a vector of zeros.
    const own = 1 - (dot(x, sums[mine]) - dot(x, x)) / (counts[mine] - 1);
    let other = Infinity;
    for (let j = 0; j < k; j++)
      if (j !== mine && counts[j] > 0) other = Math.min(other, 1 - dot(x, sums[j]) / counts[j]);
    if (other < Infinity) total += (other - own) / Math.max(own, other, 1e-12);
  });
  return total / units.length;
}
