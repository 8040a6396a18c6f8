/**
 * The dip of a sample: the greatest distance between its distribution function and the nearest unimodal one, 1/(2N) for a sample that is
 * unimodal, up to 1/4 for two points apart (Hartigan and Hartigan 1985; the algorithm with Maechler's corrections, as in R's diptest).
 * @param values N ≥ 1 values in any order; of values that are all the same 1/(2N)
 */
export function dipStatistic(values: ArrayLike<number>): number {
  const x = Float64Array.from(values).sort();
  const n = x.length;
  if (n < 2 || x[0] === x[n - 1]) return 1 / (2 * Math.max(n, 1));
  const before = minorant(x);
  const after = majorant(x);
  let [low, high] = [0, n - 1];
  let dip = 1; // in units of 1/(2N)
  for (;;) {
    const gcm = chain(high, low, before);
    const lcm = chain(low, high, after);
    const {distance, ig, ih} = largestGap(x, gcm, lcm);
    if (distance < dip) break;
    dip = Math.max(dip, furthest(x, gcm.slice(ig), 1), furthest(x, lcm.slice(ih), -1));
    if (low === gcm[ig] && high === lcm[ih]) break;
    [low, high] = [gcm[ig], lcm[ih]];
  }
  return dip / (2 * n);
}

/** For each value the one before it on the greatest convex minorant of the distribution function up to it. */
function minorant(x: Float64Array): Int32Array {
  const before = new Int32Array(x.length);
  for (let j = 1; j < x.length; j++) {
    before[j] = j - 1;
    for (;;) {
      const a = before[j];
      const b = before[a];
      if (a === 0 || (x[j] - x[a]) * (a - b) < (x[a] - x[b]) * (j - a)) break;
      before[j] = b;
    }
  }
  return before;
}

/** For each value the one after it on the least concave majorant from it on. */
function majorant(x: Float64Array): Int32Array {
  const last = x.length - 1;
  const after = new Int32Array(x.length).fill(last);
  for (let k = last - 1; k >= 0; k--) {
    after[k] = k + 1;
    for (;;) {
      const a = after[k];
      const b = after[a];
      if (a === last || (x[k] - x[a]) * (a - b) < (x[a] - x[b]) * (k - a)) break;
      after[k] = b;
    }
  }
  return after;
}

function chain(from: number, to: number, next: Int32Array): number[] {
  const points = [from];
  while (points[points.length - 1] !== to) points.push(next[points[points.length - 1]]);
  return points;
}

/** The largest distance between minorant and majorant, and where in the two it is. */
function largestGap(x: Float64Array, gcm: readonly number[], lcm: readonly number[]) {
  let [ig, ih] = [gcm.length - 1, lcm.length - 1];
  if (gcm.length === 2 && lcm.length === 2) return {distance: 1, ig, ih};
  let [ix, iv] = [gcm.length - 2, 1];
  let distance = 0;
  do {
    const [g, l] = [gcm[ix], lcm[iv]];
    if (g > l) {
      const from = gcm[ix + 1];
      const gap = l - from + 1 - ((x[l] - x[from]) * (g - from)) / (x[g] - x[from]);
      iv += 1;
      if (gap >= distance) [distance, ig, ih] = [gap, ix + 1, iv - 1];
    } else {
      const from = lcm[iv - 1];
      const gap = ((x[g] - x[from]) * (l - from)) / (x[l] - x[from]) - (g - from - 1);
      ix -= 1;
      if (gap >= distance) [distance, ig, ih] = [gap, ix + 1, iv];
    }
    ix = Math.max(ix, 0);
    iv = Math.min(iv, lcm.length - 1);
  } while (gcm[ix] !== lcm[iv]);
  return {distance, ig, ih};
}

/**
 * How far the distribution function rises above its minorant (`side` 1, `points` descending) or falls below its majorant (−1, ascending),
 * outside the modal interval.
 */
function furthest(x: Float64Array, points: readonly number[], side: 1 | -1): number {
  let most = 0;
  for (let j = 0; j + 1 < points.length; j++) {
    const [end, begin] = side === 1 ? [points[j], points[j + 1]] : [points[j + 1], points[j]];
    most = Math.max(most, 1);
    if (end - begin <= 1 || x[end] === x[begin]) continue;
    const slope = (end - begin) / (x[end] - x[begin]);
    for (let at = begin; at <= end; at++) most = Math.max(most, 1 + side * (at - begin - (x[at] - x[begin]) * slope));
  }
  return most;
}
