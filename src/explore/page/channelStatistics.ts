import type {RelevanceStatistics} from '../../numerics/statistics';
import type {Explored, ExploredChannel} from './explored';

/**
 * The statistics of a layer that has this channel only and knows its classes only, so that the functions of the kernel can be
 * asked about it: its kernel is ones, its sums are n·ARV, and its shares have as many images at or above each τ of the grid
 * as the channel's own have at each p of the grid. Classes are numbered by their position in the channel's list.
 */
export function channelStatistics(explored: Explored, channel: ExploredChannel): RelevanceStatistics {
  const {about, grid, classes: classInfo} = explored;
  const count = channel.classes.length;
  const inputs = about.shape[2];
  const info = channel.classes.map((k) => classInfo.get(k)!);
  const inputSums = new Float64Array(2 * count * inputs);
  const counts = new Float64Array(2 * count);
  const [labels, values, offsets]: number[][] = [[], [], [0]];
  info.forEach(({images}, k) => {
    counts[k] = images;
    const arv = explored.arv(channel, k);
    for (let i = 0; i < inputs; i++) inputSums[k * inputs + i] = images * arv[i];
    let rank = 0;
    grid.p.forEach((p, at) => {
      const reach = channel.reach[k * grid.p.length + at];
      for (const last = neededImages(p, images); rank < last; rank++) {
        labels.push(k);
        if (reach > 0) values.push(grid.tau[reach - 1]);
        offsets.push(values.length);
      }
    });
  });
  return {
    kind: 'relevance statistics',
    model: {name: about.model, hash: ''},
    layer: {name: about.layer, kind: 'conv', shape: [1, 1, inputs, 1]},
    kernel: new Float32Array(inputs).fill(1),
    classes: count,
    classNames: info.map(({name}) => name),
    preset: {name: '', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {
      name: about.images,
      listHash: '',
      total: labels.length,
      done: labels.length,
      paths: new Array<string>(labels.length).fill(''),
      labels: Int32Array.from(labels),
      skipped: [],
    },
    counts,
    inputSums,
    shares: {
      floor: grid.tau[0],
      offsets: Int32Array.from(offsets),
      channels: new Int32Array(values.length),
      values: Float32Array.from(values),
    },
    top: {count: 0, relevance: noImages(), activation: noImages()},
    hits: new Float64Array(count),
    zeroInputs: {zeros: 0, total: 0},
  };
}

/** The smallest number of a class's images that is at least a fraction p of them, at least one. */
export function neededImages(p: number, images: number): number {
  let needed = Math.max(1, Math.ceil(p * images));
  while (needed > 1 && (needed - 1) / images >= p - 1e-12) needed -= 1;
  while (needed < images && needed / images < p - 1e-12) needed += 1;
  return needed;
}

function noImages() {
  return {images: new Int32Array(0), values: new Float32Array(0)};
}
