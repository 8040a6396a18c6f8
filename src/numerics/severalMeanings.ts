import {adjustedRandIndex} from './agreement';
import {dipStatistic} from './dip';
import {silhouette, sphericalClusters} from './kmeans';
import {likelihoodGain} from './twoComponents';
import {dot, mean} from './vectors';

/**
 * What speaks for two groups of vectors against one; each is higher the more they come apart. None of them tells channels of several
 * meanings from those of one on every kind of known network (test/bench/README.md).
 */
export interface SeveralMeanings {
  /** Mean silhouette of two clusters, −1..1 (Rousseeuw 1987). */
  silhouette: number;
  /**
   * Dip along the direction between the two clusters, 1/(2N) to 1/4 (Hartigan and Hartigan 1985). Direction and dip are of different
   * vectors: along a direction that was chosen on them, any vectors fall into two groups.
   */
  dip: number;
  /** How much likelier two normal distributions are than one along that direction, on vectors that neither was fitted on, in nats. */
  likelihood: number;
  /** Adjusted Rand index of the groups that two halves of the vectors find, over all vectors. */
  stability: number;
}

/** Ways to halve the vectors. */
const SPLITS = 4;

/**
 * @param vectors N ≥ 8 vectors, none of zeros; their order does not matter beyond how they are halved
 * @param seed of the clusters' starts. @default 0
 */
export function severalMeanings(
  vectors: readonly ArrayLike<number>[],
  {seed = 0, restarts = 4}: {seed?: number; restarts?: number} = {},
): SeveralMeanings {
  const units = vectors.map(unit);
  const [dips, gains, stabilities]: number[][] = [[], [], []];
  for (let split = 0; split < SPLITS; split++) {
    // Neighbours in the list, which is sorted by strength, go to different halves, in other ways for each split.
    const half = units.map((_, n) => ((n >> (split + 1)) + n) % 2);
    const directions = ([0, 1] as const).map((own) => {
      const fitted = units.filter((_, n) => half[n] === own);
      const held = units.filter((_, n) => half[n] !== own);
      const {owners} = sphericalClusters(fitted, 2, {seed, restarts});
      const centres = ([0, 1] as const).map((j) => centre(fitted.filter((_, n) => owners[n] === j)));
      const direction = centres[0].map((value, i) => value - centres[1][i]);
      const along = (rows: Float64Array[]) => rows.map((row) => dot(row, direction));
      dips.push(dipStatistic(along(held)));
      gains.push(likelihoodGain(along(fitted), owners, along(held)));
      return centres;
    });
    const [a, b] = directions.map((centres) => units.map((x) => Number(near(x, centres[1]) < near(x, centres[0]))));
    stabilities.push(adjustedRandIndex(a, b));
  }
  const {owners} = sphericalClusters(units, 2, {seed, restarts});
  return {
    silhouette: silhouette(units, owners),
    dip: mean(dips),
    likelihood: mean(gains),
    stability: mean(stabilities),
  };
}

function unit(x: ArrayLike<number>): Float64Array {
  const length = Math.sqrt(dot(x, x));
  return Float64Array.from(x, (value) => (length > 0 ? value / length : 0));
}

function centre(rows: readonly Float64Array[]): Float64Array {
  const sums = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) row.forEach((value, i) => (sums[i] += value / rows.length));
  return sums;
}

function near(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - y[i]) ** 2;
  return sum;
}
