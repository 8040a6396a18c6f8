/**
 * The dip by trying: the least d for which some unimodal distribution function stays within d of the sample's. With the mode at a value m
 * it is convex before m and concave after it; a convex function within the band is lowest at m where its steepest chord between the band's
 * edges says so. Values must differ.
 */
export function dipSlowly(values: readonly number[]): number {
  const x = [...values].sort((a, b) => a - b);
  let [low, high] = [0, 1];
  for (let step = 0; step < 40; step++) {
    const d = (low + high) / 2;
    if (x.some((_, m) => fits(x, m, d))) high = d;
    else low = d;
  }
  return high;
}

/** Whether a unimodal function with its mode at the m-th value stays within d of the sample's. */
function fits(x: readonly number[], m: number, d: number): boolean {
  const n = x.length;
  // Just before the k-th value the sample's function is k/n, at it (k + 1)/n; a function without jumps must fit both.
  const lower = (k: number) => (k + 1) / n - d;
  const upper = (k: number) => k / n + d;
  for (let k = 0; k < n; k++) if (k !== m && lower(k) > upper(k) + 1e-12) return false;
  // Convex before the mode: no point may lie above the chord of two others.
  for (let b = 0; b < m; b++)
    for (let a = 0; a < b; a++)
      for (let c = b + 1; c < m; c++) {
        const t = (x[b] - x[a]) / (x[c] - x[a]);
        if (lower(b) > (1 - t) * upper(a) + t * upper(c) + 1e-12) return false;
      }
  for (let b = m + 1; b < n; b++)
    for (let a = m + 1; a < b; a++)
      for (let c = b + 1; c < n; c++) {
        const t = (x[b] - x[a]) / (x[c] - x[a]);
        if (upper(b) < (1 - t) * lower(a) + t * lower(c) - 1e-12) return false;
      }
  // At the mode a jump is allowed, upwards: the least value from the left must not exceed the most from the right.
  let left = Math.max(m / n - d, 0);
  for (let b = 0; b < m; b++) {
    left = Math.max(left, lower(b));
    for (let a = 0; a < b; a++)
      left = Math.max(left, lower(b) + ((lower(b) - upper(a)) / (x[b] - x[a])) * (x[m] - x[b]));
  }
  let right = Math.min((m + 1) / n + d, 1);
  for (let b = m + 1; b < n; b++) {
    right = Math.min(right, upper(b));
    for (let c = b + 1; c < n; c++)
      right = Math.min(right, upper(b) - ((lower(c) - upper(b)) / (x[c] - x[b])) * (x[b] - x[m]));
  }
  return left <= m / n + d + 1e-12 && right >= (m + 1) / n - d - 1e-12 && left <= right + 1e-12;
}
