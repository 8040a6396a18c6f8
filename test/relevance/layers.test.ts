import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {imageBatches} from '../../src/images';
import type {GraphNode} from '../../src/network/graph';
import {
  applyLayer,
  describeLayer,
  linearLayer,
  visitedPositions,
  type LinearLayer,
} from '../../src/network/linearLayer';
import {makeModel} from '../../src/network/model';
import {averagedRelevanceVector, classCount} from '../../src/numerics/statistics';
import {collectRelevance} from '../../src/relevance/collect';
import {inputSums} from '../../src/pass/inputSums';
import {patches} from '../../src/split/patches';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {batchNorm, convolution, dense, graphOf, plain, seeded} from '../reference/madeGraphs';
import {between} from '../reference/seededWeights';
import {slowRelevanceOf} from '../reference/slowRelevance';
import {CLASSES, SIDE, smallImages, SMALL_PRESET} from '../reference/smallNetworks';

/** Layers that tfjs-layers has no words for. */
const STUDIED: Record<string, {kernel: number[]; args: Record<string, unknown>}> = {
  'explicit padding, more on one side': {
    kernel: [3, 2, 6, 4],
    args: {
      padding: [
        [2, 0],
        [0, 3],
      ],
      bias: true,
    },
  },
  'explicit padding and strides': {
    kernel: [3, 3, 6, 4],
    args: {
      padding: [
        [1, 1],
        [1, 1],
      ],
      strides: [2, 3],
    },
  },
  'strides and dilation together': {
    kernel: [3, 3, 6, 4],
    args: {padding: 'same', strides: [2, 2], dilationRate: [2, 2]},
  },
  'three groups': {kernel: [3, 3, 2, 6], args: {groups: 3, padding: 'same', bias: true}},
  'two groups, strides, dilation and explicit padding': {
    kernel: [3, 3, 3, 4],
    args: {
      groups: 2,
      strides: [2, 1],
      dilationRate: [1, 2],
      padding: [
        [1, 2],
        [0, 1],
      ],
    },
  },
};

function network({kernel, args}: (typeof STUDIED)[string]) {
  return graphOf(
    [SIDE, SIDE, 3],
    [
      convolution('first', 'image', [3, 3, 3, 6], {padding: 'same'}),
      batchNorm('first_bn', 'first', 6),
      plain('ReLU', 'first_relu', 'first_bn'),
      convolution('studied', 'first_relu', kernel, args),
      batchNorm('studied_bn', 'studied', kernel[3]),
      plain('Activation', 'studied_act', 'studied_bn', {activation: 'swish'}),
      plain('GlobalAveragePooling2D', 'mean', 'studied_act'),
      dense('logits', 'mean', [kernel[3], CLASSES]),
    ],
  );
}

const close = (actual: number, expected: number, scale: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= 1e-4 * scale, `${what}: ${actual} instead of ${expected}`);

for (const [what, studied] of Object.entries(STUDIED)) {
  eachEngine(`one pass agrees with autodiff in two passes: ${what}`, async () => {
    const graph = network(studied);
    const model = makeModel(graph, {name: 'made', preset: SMALL_PRESET});
    const images = smallImages(8);
    const labels = images.labelsFor(CLASSES);
    const stats = await keepsTensorCount(async () => {
      const options = {layer: 'studied', batchSize: 3, floor: 0, progress: false as const};
      const collected = await collectRelevance(model, images, options);
      model.dispose();
      return collected;
    });
    const [, , inputs, outputs] = stats.layer.shape;
    assert.equal(inputs, 6, 'all sources are listed, of every group');
    const sums = Array.from({length: CLASSES}, () => Array.from({length: outputs}, () => new Float64Array(inputs)));
    for await (const batch of imageBatches(images, {inputShape: model.inputShape, batchSize: 1})) {
      const index = batch.indices[0];
      const image = tf.tensor4d(batch.pixels, batch.shape);
      const slow = slowRelevanceOf(graph, 'studied', image, labels[index]);
      image.dispose();
      const positive = slow.relevance.reduce((sum, value) => sum + Math.max(value, 0), 0);
      const shares = new Float64Array(outputs);
      for (let at = stats.shares.offsets[index]; at < stats.shares.offsets[index + 1]; at++) {
        shares[stats.shares.channels[at]] = stats.shares.values[at];
      }
      slow.relevance.forEach((value, c) =>
        close(shares[c], positive > 0 ? Math.max(value, 0) / positive : 0, 1, `share of channel ${c}`),
      );
      slow.sourceRelevance.forEach((row, c) => row.forEach((value, i) => (sums[labels[index]][c][i] += value)));
    }
    for (let k = 0; k < CLASSES; k++) {
      for (let c = 0; c < outputs; c++) {
        const arv = averagedRelevanceVector(stats, c, [k]);
        const scale = Math.max(...sums[k][c].map(Math.abs), 1);
        arv.forEach((value, i) => close(value, sums[k][c][i] / classCount(stats, k), scale, `ARV(${c}, ${k})[${i}]`));
      }
    }
  });
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({min, max}), fc.integer({min, max}));

/** Any convolution, grouped or not, with padding of every kind, and the height and width of its input. */
const anyLayer = fc
  .record({
    size: pair(4, 9),
    taps: pair(1, 3),
    strides: pair(1, 3),
    dilation: pair(1, 2),
    padding: fc.oneof(fc.constantFrom('same', 'valid'), fc.tuple(pair(0, 2), pair(0, 2))),
    groups: fc.constantFrom(1, 2),
  })
  .filter(({size, taps, dilation}) => taps.every((count, axis) => (count - 1) * dilation[axis] < size[axis]))
  .map(({size, taps, strides, dilation: dilationRate, padding, groups}) => ({
    size,
    node: convolution('any', 'image', [...taps, 4 / groups, 6], {strides, dilationRate, padding, groups}),
  }));

/** Z at each position, from the list of positions that each tap visits. */
function slowly(layer: LinearLayer, x: Float32Array, [height, width]: readonly number[]): number[] {
  const [kh, kw, inputs, outputs] = layer.shape;
  const [rows, columns] = [visitedPositions(layer, 0, height), visitedPositions(layer, 1, width)];
  const z: number[] = [];
  for (let row = 0; row < rows[0].length; row++)
    for (let column = 0; column < columns[0].length; column++)
      for (let c = 0; c < outputs; c++) {
        let sum = 0;
        for (let a = 0; a < kh; a++)
          for (let b = 0; b < kw; b++) {
            const [y, left] = [rows[a][row], columns[b][column]];
            if (y < 0 || left < 0) continue;
            for (let i = 0; i < inputs; i++)
              sum += x[(y * width + left) * inputs + i] * layer.kernel[((a * kw + b) * inputs + i) * outputs + c];
          }
        z.push(sum);
      }
  return z;
}

eachEngine('positions, patches and summed inputs say what any convolution computes', async () => {
  await fc.assert(
    fc.asyncProperty(anyLayer, async ({size, node}) => {
      await keepsTensorCount(() => {
        const layer = describeLayer(node) as LinearLayer;
        const [kh, kw, inputs, outputs] = layer.shape;
        const values = between('x', size[0] * size[1] * inputs, -1, 1);
        const expected = slowly(layer, values, size);
        tf.tidy(() => {
          const x = tf.tensor4d(values, [1, ...size, inputs]);
          const kernel = tf.tensor4d(layer.kernel, layer.shape);
          const z = applyLayer(layer, x, kernel).dataSync();
          const side = tf.matMul(patches(layer, x), tf.reshape(kernel, [kh * kw * inputs, outputs])).dataSync();
          assert.equal(z.length, expected.length);
          expected.forEach((value, at) => close(z[at], value, 1, 'applied'));
          expected.forEach((value, at) => close(side[at], value, 1, 'from patches'));
          const sums = Array.from(inputSums(layer, x).dataSync()); // [taps·Cin]
          for (let c = 0; c < outputs; c++) {
            const total = expected.reduce((sum, value, at) => sum + (at % outputs === c ? value : 0), 0);
            const fromSums = sums.reduce((sum, value, at) => sum + value * layer.kernel[at * outputs + c], 0);
            close(fromSums, total, 10, 'from summed inputs');
          }
        });
      });
    }),
    {numRuns: 60},
  );
});

test('a grouped layer lists all its sources, with zeros where a channel does not see one', () => {
  const graph = network(STUDIED['three groups']);
  const layer = linearLayer(graph, 'studied');
  assert.deepEqual([layer.shape, layer.groups], [[3, 3, 6, 6], 3]);
  const model = makeModel(graph, {name: 'made'});
  assert.deepEqual(
    model.layers().map(({name, groups}) => [name, groups]),
    [
      ['first', undefined],
      ['studied', 3],
      ['logits', undefined],
    ],
  );
  for (let tap = 0; tap < 9; tap++)
    for (let i = 0; i < 6; i++)
      for (let c = 0; c < 6; c++) {
        const inGroup = Math.floor(i / 2) === Math.floor(c / 2);
        const weight = layer.kernel[(tap * 6 + i) * 6 + c];
        const own = graph.nodes.find(({name}) => name === 'studied')!.weights[0].data[(tap * 2 + (i % 2)) * 6 + c];
        assert.equal(weight, inGroup ? own : 0);
      }
});

test('a convolution with one source a channel is refused as a depthwise one', () => {
  const each: GraphNode = convolution('each', 'image', [3, 3, 1, 6], {groups: 3});
  assert.match(describeLayer(each) as string, /a depthwise convolution has one source channel per output channel/);
  assert.equal(seeded('kernel', [1, 1, 1, 1]).data.length, 1);
});
