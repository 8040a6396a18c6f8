import {kmeans} from 'ml-kmeans';
import {cosine, dot} from './vectors';

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
 * A vector alone in its cluster counts 0.
 */
export function silhouette(vectors: readonly ArrayLike<number>[], owners: ArrayLike<number>): number {
  const k = 1 + Math.max(...Array.from(owners));
  const n = vectors.length;
  let total = 0;
  for (let a = 0; a < n; a++) {
    const sums = new Float64Array(k);
    const counts = new Float64Array(k);
    for (let b = 0; b < n; b++) {
      if (a === b) continue;
      sums[owners[b]] += 1 - cosine(vectors[a], vectors[b]);
      counts[owners[b]] += 1;
    }
    if (counts[owners[a]] === 0) continue;
    const own = sums[owners[a]] / counts[owners[a]];
    let other = Infinity;
    for (let j = 0; j < k; j++) if (j !== owners[a] && counts[j] > 0) other = Math.min(other, sums[j] / counts[j]);
    if (other < Infinity) total += (other - own) / Math.max(own, other, 1e-12);
  }
  return total / n;
}
