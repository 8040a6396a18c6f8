import type {RelevanceStatistics} from './statistics';

/**
 * Shares by channel and class, each cell's in falling order: how many reach a τ is one search in a cell, whatever the number of images.
 * Cells are c·K + k.
 */
export interface ShareIndex {
  /** Where each cell begins, and the end, [Cout·K + 1]. */
  offsets: Int32Array;
  /** Shares, falling within a cell. */
  values: Float32Array;
}

const made = new WeakMap<RelevanceStatistics['shares'], ShareIndex>();

/** The index of these statistics, made when it is first asked for. */
export function shareIndex(stats: RelevanceStatistics): ShareIndex {
  const found = made.get(stats.shares);
  if (found) return found;
  const {offsets: rows, channels, values: shares} = stats.shares;
  const {labels} = stats.images;
  const cells = stats.layer.shape[3] * stats.classes;
  const offsets = new Int32Array(cells + 1);
  for (let image = 0; image + 1 < rows.length; image++)
    for (let at = rows[image]; at < rows[image + 1]; at++)
      offsets[channels[at] * stats.classes + labels[image] + 1] += 1;
  for (let cell = 0; cell < cells; cell++) offsets[cell + 1] += offsets[cell];
  const values = new Float32Array(shares.length);
  const next = offsets.slice(0, cells);
  for (let image = 0; image + 1 < rows.length; image++)
    for (let at = rows[image]; at < rows[image + 1]; at++)
      values[next[channels[at] * stats.classes + labels[image]]++] = shares[at];
  for (let cell = 0; cell < cells; cell++) {
    if (offsets[cell + 1] - offsets[cell] > 1)
      values
        .subarray(offsets[cell], offsets[cell + 1])
        .sort()
        .reverse();
  }
  const index = {offsets, values};
  made.set(stats.shares, index);
  return index;
}

/** How many images of each class have a share of each channel that is at least τ, [Cout, K]. */
export function countsAtLeast({offsets, values}: ShareIndex, tau: number): Int32Array {
  const counts = new Int32Array(offsets.length - 1);
  // Shares are kept in float32, which must not decide a share that equals τ.
  const least = Math.fround(tau);
  for (let cell = 0; cell < counts.length; cell++) {
    let low = offsets[cell];
    let high = offsets[cell + 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (values[middle] >= least) low = middle + 1;
      else high = middle;
    }
    counts[cell] = low - offsets[cell];
  }
  return counts;
}
