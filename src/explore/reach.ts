import {classCount, type RelevanceStatistics} from '../numerics/statistics';
import {neededImages} from './page/channelStatistics';
import type {ExploredChannel, Grid} from './page/explored';

/** Channels with the classes that they are relevant to at the lowest τ and p of the grid, as far as there are at least two. */
export function reachOfChannels(stats: RelevanceStatistics, grid: Grid): ExploredChannel[] {
  const counts = Array.from({length: stats.classes}, (_, k) => classCount(stats, k));
  // Shares are kept in float32, which must not decide a share that equals τ.
  const taus = Float32Array.from(grid.tau);
  const known = new Map<number, number[]>();
  const neededFor = (images: number) => {
    const needed = known.get(images) ?? grid.p.map((p) => neededImages(p, images));
    known.set(images, needed);
    return needed;
  };
  const channels: ExploredChannel[] = [];
  sharesByChannel(stats).forEach((byClass, channel) => {
    const classes: number[] = [];
    const rows: Uint8Array[] = [];
    for (const k of [...byClass.keys()].sort((a, b) => a - b)) {
      const needed = neededFor(counts[k]);
      const list = byClass.get(k)!;
      if (list.length < needed[0]) continue;
      const shares = Float32Array.from(list).sort().reverse();
      const row = Uint8Array.from(needed, (images) => countUpTo(taus, shares[images - 1]));
      if (row[0] === 0) continue;
      classes.push(k);
      rows.push(row);
    }
    if (classes.length < 2) return;
    const reach = new Uint8Array(classes.length * grid.p.length);
    rows.forEach((row, at) => reach.set(row, at * grid.p.length));
    channels.push({channel, classes, reach});
  });
  return channels;
}

/** The same for a grid whose lowest τ and p are higher. */
export function narrowed(channels: readonly ExploredChannel[], from: Grid, to: Grid): ExploredChannel[] {
  const lostTaus = from.tau.length - to.tau.length;
  const lostPs = from.p.length - to.p.length;
  return channels.flatMap(({channel, classes, reach}) => {
    const kept: number[] = [];
    const rows: number[] = [];
    classes.forEach((k, at) => {
      const row = reach.subarray(at * from.p.length + lostPs, (at + 1) * from.p.length);
      if (row[0] <= lostTaus) return;
      kept.push(k);
      row.forEach((count) => rows.push(Math.max(0, count - lostTaus)));
    });
    return kept.length < 2 ? [] : [{channel, classes: kept, reach: Uint8Array.from(rows)}];
  });
}

/** Shares of the images by channel and class. */
function sharesByChannel({layer, shares, images}: RelevanceStatistics): Map<number, number[]>[] {
  const grouped = Array.from({length: layer.shape[3]}, () => new Map<number, number[]>());
  for (let image = 0; image + 1 < shares.offsets.length; image++) {
    const k = images.labels[image];
    for (let entry = shares.offsets[image]; entry < shares.offsets[image + 1]; entry++) {
      const byClass = grouped[shares.channels[entry]];
      const list = byClass.get(k);
      if (list) list.push(shares.values[entry]);
      else byClass.set(k, [shares.values[entry]]);
    }
  }
  return grouped;
}

/** How many of the ascending values are at most `value`; none for a missing one. */
function countUpTo(values: Float32Array, value: number | undefined): number {
  let count = 0;
  while (value !== undefined && count < values.length && values[count] <= value) count += 1;
  return count;
}
