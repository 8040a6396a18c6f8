import {addBatch, emptyStatistics, type BatchMeasurement} from '../../src/relevance/accumulate';
import {uniform} from '../reference/smallNetworks';

export interface Growth {
  of: number;
  microseconds: number;
}

/** Processor time of adding an image to statistics, as images, classes and channels grow one at a time. */
export function accumulationGrowth(): Record<'images' | 'classes' | 'channels', Growth[]> {
  const images = [1000, 10_000, 100_000].map((of) => ({of, microseconds: timeOf({before: of})}));
  const classes = [10, 100, 1000].map((of) => ({of, microseconds: timeOf({classes: of})}));
  const channels = [64, 512, 2048].map((of) => ({of, microseconds: timeOf({outputs: of})}));
  return {images, classes, channels};
}

/** @param before images that are there already */
function timeOf({before = 1000, classes = 100, outputs = 512, inputs = 128, size = 256}): number {
  const draw = uniform(1);
  const stats = emptyStatistics({
    model: {name: 'simulated', hash: 'simulated'},
    layer: {
      ...{name: 'layer', kind: 'conv', shape: [1, 1, inputs, outputs], kernel: new Float32Array(inputs * outputs)},
      ...{strides: [1, 1], padding: 'same', dilation: [1, 1], groups: 1},
    },
    classes,
    classNames: Array.from({length: classes}, (_, k) => `class ${k}`),
    preset: {name: 'none', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {name: 'simulated', listHash: 'simulated', total: before + size},
    floor: 0.005,
    topCount: 16,
  });
  const labels = Int32Array.from({length: size}, (_, b) => b % classes);
  const values = Float32Array.from({length: size * outputs}, () => Math.max(0, draw() - 0.9));
  const batch = (from: number): BatchMeasurement => ({
    paths: Array.from(labels, (k, b) => `class${k}/${from + b}.jpg`),
    labels,
    halves: Uint8Array.from(labels, (_, b) => b & 1),
    relevance: values,
    activation: values,
    inputSums: values.subarray(0, size * inputs),
    predictions: labels,
    confidence: values,
    zeroInputs: {zeros: 1, total: 2},
  });
  for (let from = 0; from < before; from += size) addBatch(stats, batch(from));
  const next = Array.from({length: 4}, (_, n) => batch(before + n * size));
  const start = process.cpuUsage();
  for (const one of next) addBatch(stats, one);
  const {user, system} = process.cpuUsage(start);
  return (user + system) / (4 * size);
}
