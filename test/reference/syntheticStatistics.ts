import {addBatch, emptyStatistics, type BatchMeasurement} from '../../src/relevance/accumulate';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {uniform} from './smallNetworks';

/** Statistics of a layer that never was: random inputs whose directions differ by class, random relevance. */
export function syntheticStatistics({
  seed = 1,
  classes = 5,
  outputs = 8,
  inputs = 12,
  images = 40,
} = {}): RelevanceStatistics {
  const draw = uniform(seed, -1, 1);
  const stats = emptyStatistics({
    model: {name: 'synthetic', hash: 'synthetic'},
    layer: {
      name: 'studied',
      kind: 'conv',
      shape: [1, 1, inputs, outputs],
      kernel: Float32Array.from({length: inputs * outputs}, draw),
      strides: [1, 1],
      padding: 'same',
      dilation: [1, 1],
      groups: 1,
    },
    classes,
    classNames: Array.from({length: classes}, (_, k) => `class ${k}`),
    preset: {name: 'none', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {name: 'synthetic images', listHash: String(seed), total: images},
    floor: 0.005,
    topCount: 4,
  });
  const labels = Array.from({length: images}, (_, image) => image % classes);
  // Each class excites its own third of the inputs and, less, all others; each channel matters to some classes.
  const excites = Array.from({length: classes * inputs}, () => Math.max(0, draw()) ** 2);
  const matters = Array.from({length: classes * outputs}, () => (draw() > 0 ? 1 : 0.02));
  addBatch(stats, {
    paths: labels.map((label, image) => `class${label}/${image}.png`),
    labels,
    halves: labels.map((_, image) => image & 1),
    relevance: labels.flatMap((k) =>
      Array.from({length: outputs}, (_, c) => matters[k * outputs + c] * (draw() + 0.6)),
    ),
    activation: Array.from({length: images * outputs}, () => Math.max(0, draw())),
    inputSums: labels.flatMap((k) =>
      Array.from({length: inputs}, (_, i) => excites[k * inputs + i] * (1 + 0.2 * draw())),
    ),
    predictions: labels,
    zeroInputs: {zeros: 1, total: 2},
    skipped: [],
  });
  return stats;
}

/** Empty statistics and batches for them: as many images, and shares of each, as a long run has; their values are of no interest. */
export function statisticsFor({images = 1000, batchSize = 100, classes = 5, outputs = 8, inputs = 4} = {}): {
  stats: RelevanceStatistics;
  batches: BatchMeasurement[];
} {
  const draw = uniform(3, 0, 1);
  const stats = emptyStatistics({
    model: {name: 'synthetic', hash: 'synthetic'},
    layer: {
      name: 'studied',
      kind: 'conv',
      shape: [1, 1, inputs, outputs],
      kernel: new Float32Array(inputs * outputs).fill(1),
      strides: [1, 1],
      padding: 'same',
      dilation: [1, 1],
      groups: 1,
    },
    classes,
    classNames: Array.from({length: classes}, (_, k) => `class ${k}`),
    preset: {name: 'none', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {name: 'synthetic images', listHash: 'synthetic', total: images},
    floor: 0.005,
    topCount: 4,
  });
  const batches = Array.from({length: Math.ceil(images / batchSize)}, (_, batch): BatchMeasurement => {
    const indices = Array.from({length: Math.min(batchSize, images - batch * batchSize)}, (_unused, b) => batch * batchSize + b); // prettier-ignore
    const values = (size: number) => Float32Array.from({length: indices.length * size}, draw);
    const labels = indices.map((index) => index % classes);
    return {
      paths: indices.map((index) => `class${index % classes}/${index}.png`),
      labels,
      halves: indices.map((index) => index & 1),
      relevance: values(outputs),
      activation: values(outputs),
      inputSums: values(inputs),
      predictions: labels,
      confidence: values(1),
      zeroInputs: {zeros: 1, total: 2},
    };
  });
  return {stats, batches};
}
