import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {OPERATORS, operatorOf, reachOf, shapesOf, wholeOf, type Region} from '../../src/network/operators';
import {receptiveField} from '../../src/network/receptiveField';
import {compileGraph} from '../../src/network/run';
import type {Graph} from '../../src/network/graph';
import {eachEngine} from '../reference/engines';
import {batchNorm, convolution, dense, graphOf, plain} from '../reference/madeGraphs';
import {fitting, OPERATOR_CASES} from '../reference/operatorCases';
import {values} from '../reference/operatorParts';
import {SLOW, sizeOf, type Values} from '../reference/slowOperators';

/** Index on each axis of a flat index. */
function unflattened(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(flat % shape[axis]!);
    flat = Math.floor(flat / shape[axis]!);
  }
  return index;
}

const float64 = (shape: readonly number[], data: ArrayLike<number>): Values => ({
  shape: [...shape],
  data: Float64Array.from(data),
});

/** Elements of an input which, changed one at a time, change one element of the output: what a region has to hold. */
function perturbed(compute: (inputs: Values[]) => Values, inputs: Values[], at: number, output: number): number[][] {
  const before = compute(inputs).data[output]!;
  const reads: number[][] = [];
  for (let flat = 0; flat < inputs[at]!.data.length; flat++) {
    const changes = [0.37, -2.9, 41, -57].some((step) => {
      const data = inputs[at]!.data.slice();
      data[flat]! += step;
      const changed = inputs.map((input, n) => (n === at ? {...input, data} : input));
      const after = compute(changed).data[output]!;
      return Object.is(after, before) === false && !(Number.isNaN(after) && Number.isNaN(before));
    });
    if (changes) reads.push(unflattened(flat, inputs[at]!.shape));
  }
  return reads;
}

const within = (index: readonly number[], region: Region) =>
  index.every((i, axis) => i >= region[axis]![0] && i <= region[axis]![1]);

for (const [name, cases] of Object.entries(OPERATOR_CASES)) {
  test(`what ${name} reads is what changes its output, element by element`, () => {
    const property = fc.property(fitting(cases), fc.nat(), fc.nat(), ({node, inputs, range}, seed, pick) => {
      const one = inputs.map((shape) => [1, ...shape.slice(1)]);
      const weights = Object.fromEntries(node.weights.map((w) => [w.name, float64(w.shape, w.data)]));
      const given = one.map((shape, at) => float64(shape, values(sizeOf(shape), seed + at, range)));
      const compute = (all: Values[]) => SLOW[name]!(all, node.args, weights);
      const output = compute(given);
      const element = pick % output.data.length;
      const region = unflattened(element, output.shape)
        .slice(1)
        .map((i): [number, number] => [i, i]);
      const shapes = one.map((shape) => shape.slice(1));
      const regions = reachOf(node, region, shapes);
      given.forEach((_, at) => {
        for (const [, ...index] of perturbed(compute, given, at, element)) {
          const found = regions[at];
          assert.ok(found && within(index, found), `input ${at} at ${index}: ${JSON.stringify(found)}`);
        }
      });
    });
    fc.assert(property, {numRuns: 30});
  });
}

test('an operator is known by name, or reads everything', () => {
  const element: Region = [
    [1, 1],
    [1, 1],
    [0, 0],
  ];
  const whole = wholeOf([4, 4, 2]);
  const unknown = reachOf({name: 'x', operator: 'Unheard', args: {}, inputs: ['a'], weights: []}, element, [[4, 4, 2]]);
  assert.deepEqual(unknown, [whole]);
  assert.ok(OPERATORS.size > 30);
  assert.ok(operatorOf('Conv2D'));
});

/** The rectangle of pixels that change any channel of an output at a position, each pixel changed by itself. */
async function fieldSlowly(graph: Graph, layer: string, [row, column]: [number, number]) {
  const [height, width, channels] = shapesOf(graph).get('image') as [number, number, number];
  const compiled = compileGraph(graph, {outputs: [layer]});
  try {
    const plainImage = values(height * width * channels, 3);
    const at = async (pixels: Float32Array) => {
      const output = tf.tidy(() => {
        const y = compiled.run(tf.tensor4d(pixels, [1, height, width, channels]))[layer]!;
        return y.rank === 4 ? tf.slice(y, [0, row, column, 0], [1, 1, 1, -1]).clone() : y.clone();
      });
      const data = await output.data();
      output.dispose();
      return Array.from(data);
    };
    const before = await at(plainImage);
    let [top, left, bottom, right] = [Infinity, Infinity, -1, -1];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const changed = plainImage.slice();
        for (let c = 0; c < channels; c++) changed[(y * width + x) * channels + c]! += 3 + c;
        const after = await at(changed);
        if (after.every((value, c) => value === before[c])) continue;
        [top, left, bottom, right] = [Math.min(top, y), Math.min(left, x), Math.max(bottom, y), Math.max(right, x)];
      }
    }
    return {top, left, height: bottom - top + 1, width: right - left + 1};
  } finally {
    compiled.dispose();
  }
}

const stem = convolution('a', 'image', [3, 3, 2, 4], {padding: 'same', strides: [2, 2]});
const GRAPHS: Record<string, {graph: Graph; layer: string; positions: [number, number][]}> = {
  'two convolutions with stride, dilation and padding': {
    graph: graphOf(
      [17, 15, 2],
      [
        stem,
        batchNorm('n', 'a', 4),
        convolution('b', 'n', [3, 3, 4, 3], {
          dilationRate: [2, 1],
          padding: [
            [2, 2],
            [1, 0],
          ],
        }),
      ],
    ),
    layer: 'b',
    positions: [
      [0, 0],
      [4, 3],
      [8, 6],
    ],
  },
  'a shortcut around a convolution, and pooling': {
    graph: graphOf(
      [16, 16, 2],
      [
        stem,
        convolution('b', 'a', [5, 1, 4, 4], {padding: 'same'}),
        plain('Add', 'sum', ['a', 'b']),
        plain('AveragePooling2D', 'pool', 'sum', {poolSize: [2, 2], strides: [2, 2]}),
        convolution('c', 'pool', [1, 1, 4, 3]),
      ],
    ),
    layer: 'c',
    positions: [
      [0, 0],
      [1, 2],
      [3, 3],
    ],
  },
  'two branches of different reach': {
    graph: graphOf(
      [12, 12, 2],
      [
        convolution('a', 'image', [1, 5, 2, 2], {padding: 'same'}),
        convolution('b', 'image', [5, 1, 2, 2], {padding: 'same'}),
        plain('Concatenate', 'both', ['a', 'b'], {axis: 3}),
        convolution('c', 'both', [3, 3, 4, 2]),
      ],
    ),
    layer: 'c',
    positions: [
      [0, 0],
      [5, 4],
      [9, 9],
    ],
  },
  'an enlarged picture': {
    graph: graphOf(
      [8, 8, 2],
      [
        stem,
        plain('Resize', 'up', 'a', {size: [8, 8], interpolation: 'bilinear', coordinates: 'half_pixel'}),
        convolution('c', 'up', [3, 3, 4, 2]),
      ],
    ),
    layer: 'c',
    positions: [
      [0, 0],
      [3, 2],
      [5, 5],
    ],
  },
  'squeeze and excitation': {
    graph: graphOf(
      [9, 9, 2],
      [
        stem,
        plain('GlobalAveragePooling2D', 'mean', 'a', {keepdims: true}),
        convolution('gate', 'mean', [1, 1, 4, 4]),
        plain('Multiply', 'gated', ['a', 'gate']),
        convolution('c', 'gated', [1, 1, 4, 2]),
      ],
    ),
    layer: 'c',
    positions: [[1, 1]],
  },
  'a dense layer behind Flatten': {
    graph: graphOf([6, 6, 2], [stem, plain('Reshape', 'flat', 'a', {shape: [-1]}), dense('d', 'flat', [36, 3])]),
    layer: 'd',
    positions: [[0, 0]],
  },
};

for (const [what, {graph, layer, positions}] of Object.entries(GRAPHS)) {
  eachEngine(`the receptive field of ${what} is the rectangle of pixels that change it`, async () => {
    for (const position of positions) {
      assert.deepEqual(
        receptiveField(graph, layer, position),
        await fieldSlowly(graph, layer, position),
        `at ${position}`,
      );
    }
  });
}
