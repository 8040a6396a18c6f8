/** Scores by their definitions: every pair of images one by one. Embeddings of length 1. */

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);

/** Σ_{n≠m} w_n·w_m·cos(n, m) / Σ_{n≠m} w_n·w_m */
export function pairSimilaritySlowly(units: readonly ArrayLike<number>[], weights: ArrayLike<number>): number {
  let [above, below] = [0, 0];
  for (let n = 0; n < units.length; n++) {
    for (let m = 0; m < units.length; m++) {
      if (n === m) continue;
      above += weights[n] * weights[m] * dot(units[n], units[m]);
      below += weights[n] * weights[m];
    }
  }
  return above / below;
}

/** Mean distance 1 − cos of every image of one set to every one of another. */
export function distanceSlowly(
  units: readonly ArrayLike<number>[],
  a: readonly number[],
  b: readonly number[],
): number {
  let sum = 0;
  for (const n of a) for (const m of b) sum += 1 - dot(units[n], units[m]);
  return sum / (a.length * b.length);
}
