import {emptyStatistics} from '../../src/relevance/accumulate';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {uniform} from './smallNetworks';

/**
 * Statistics of a wide layer that never was: each class has some channels of its own choosing, which are important for most of its
 * images, and each image a few more; sums are sparse and spread over orders of magnitude, as a network's are.
 */
export function wideStatistics({
  seed = 1,
  classes = 1000,
  outputs = 2048,
  inputs = 512,
  side = 1,
  perClass = 4,
  own = 25,
} = {}): RelevanceStatistics {
  const draw = uniform(seed, 0, 1);
  const bell = () => draw() + draw() + draw() - 1.5;
  const taps = side * side;
  const stats = emptyStatistics({
    model: {name: 'wide', hash: 'wide'},
    layer: {
      name: 'studied',
      kind: 'conv',
      shape: [side, side, inputs, outputs],
      kernel: Float32Array.from({length: taps * inputs * outputs}, () => 0.02 * bell()),
      strides: [1, 1],
      padding: 'same',
      dilation: [1, 1],
      groups: 1,
    },
    classes,
    classNames: Array.from({length: classes}, (_, k) => `class ${k}`),
    preset: {name: 'none', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {name: 'wide images', listHash: String(seed), total: classes * perClass},
    floor: 0.005,
    topCount: 0,
  });
  stats.inputSums = stats.inputSums.map(() => (draw() < 0.3 ? 0 : (perClass / 2) * Math.exp(3 * bell())));
  stats.counts.fill(perClass / 2);
  const [labels, offsets, channels, values]: number[][] = [[], [0], [], []];
  for (let k = 0; k < classes; k++) {
    const chosen = Array.from({length: own}, () => Math.floor(outputs * draw() * draw()));
    for (let image = 0; image < perClass; image++) {
      const shares = new Map<number, number>();
      for (let other = 0; other < own; other++) shares.set(Math.floor(outputs * draw()), 0.005 + 0.02 * draw());
      for (const c of chosen) if (draw() < 0.9) shares.set(c, 0.02 + 0.08 * draw());
      for (const [c, share] of [...shares].sort(([a], [b]) => a - b)) {
        channels.push(c);
        values.push(share);
      }
      labels.push(k);
      offsets.push(channels.length);
    }
  }
  stats.shares = {
    floor: 0.005,
    offsets: Int32Array.from(offsets),
    channels: Int32Array.from(channels),
    values: Float32Array.from(values),
  };
  stats.images.labels = Int32Array.from(labels);
  stats.images.paths = labels.map((k, image) => `class${k}/${image}.png`);
  stats.images.done = labels.length;
  stats.hits.fill(0.7 * perClass);
  return stats;
}
