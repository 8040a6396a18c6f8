import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import * as layers from '@tensorflow/tfjs-layers';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {
  outputShape,
  slowConvolution,
  slowFilterGradient,
  slowInputGradient,
  type ConvolutionCase,
} from '../reference/convolution';

/** Values in −1..1 that differ from each other, by a linear congruence. */
function values(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({length: count}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) as number;
  });
}

/** Values in −1..1, no two within 1/90 of each other and none within 0.003 of 0, so that a small step crosses no kink. */
const apart = (count: number) => Float32Array.from({length: count}, (_, i) => ((i * 73) % 180) / 90 - 0.997);

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: size`);
  let scale = 1;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= 1e-5 * scale, `${what}[${i}]: ${actual[i]}, not ${expected[i]}`);
  }
}

const size2 = (min: number, max: number) => fc.tuple(fc.integer({min, max}), fc.integer({min, max}));

/** Convolutions that the engines run: a stride above 1 or a dilation above 1, not both. */
const convolutionCase: fc.Arbitrary<ConvolutionCase> = fc
  .record({
    batch: fc.integer({min: 1, max: 2}),
    image: size2(1, 8),
    channels: fc.integer({min: 1, max: 3}),
    last: fc.integer({min: 1, max: 3}),
    kernel: size2(1, 3),
    step: fc.integer({min: 1, max: 3}),
    dilated: fc.boolean(),
    pad: fc.constantFrom('same' as const, 'valid' as const),
    depthwise: fc.boolean(),
  })
  .map(({batch, image, channels, last, kernel, step, dilated, pad, depthwise}): ConvolutionCase => ({
    input: [batch, ...image, channels],
    filter: [...kernel, channels, last],
    stride: dilated ? [1, 1] : [step, step],
    dilation: dilated ? [step, step] : [1, 1],
    pad,
    depthwise,
  }))
  .filter((shape) => outputShape(shape).every((n) => n > 0));

eachEngine(
  'gradients of convolutions agree with plain loops for any kernel, stride, padding and dilation',
  async () => {
    const property = fc.asyncProperty(convolutionCase, fc.nat(), async (shape, seed) => {
      const x = values(
        shape.input.reduce((a, b) => a * b),
        seed,
      );
      const w = values(
        shape.filter.reduce((a, b) => a * b),
        seed + 1,
      );
      const output = outputShape(shape);
      const dy = values(
        output.reduce((a, b) => a * b, 1),
        seed + 2,
      );
      const operation = shape.depthwise ? tf.depthwiseConv2d : tf.conv2d;
      await keepsTensorCount(() =>
        tf.tidy(() => {
          const [tx, tw] = [tf.tensor4d(x, shape.input), tf.tensor4d(w, shape.filter)];
          const {value, grads} = tf.valueAndGrads((...[a, b]) =>
            operation(a as tf.Tensor4D, b as tf.Tensor4D, shape.stride, shape.pad, 'NHWC', shape.dilation),
          )([tx, tw], tf.tensor(dy, [...output]));
          assertClose(value.dataSync(), slowConvolution(shape, x, w), 'output');
          assertClose(grads[0]!.dataSync(), slowInputGradient(shape, dy, w), 'input gradient');
          assertClose(grads[1]!.dataSync(), slowFilterGradient(shape, dy, x), 'filter gradient');
        }),
      );
    });
    await fc.assert(property, {numRuns: 150});
  },
);

eachEngine('the gradient of gather adds up what was gathered twice', async () => {
  await keepsTensorCount(() =>
    tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const gather = (a: tf.Tensor) => tf.gather(a, tf.tensor1d([2, 0, 2], 'int32'), 1); // [2, 3]
      const dx = tf.grad(gather)(x, tf.tensor2d([1, 2, 4, 8, 16, 32], [2, 3]));
      assert.deepEqual([...dx.dataSync()], [2, 0, 5, 16, 0, 40]);
    }),
  );
});

eachEngine('a gradient flows around a comparison', async () => {
  await keepsTensorCount(() =>
    tf.tidy(() => {
      const kept = (a: tf.Tensor) => tf.where(tf.greater(a, 0), tf.mul(a, 3), tf.zerosLike(a));
      assert.deepEqual(
        [
          ...tf
            .grad(kept)(tf.tensor1d([-1, 2, 5]))
            .dataSync(),
        ],
        [0, 3, 3],
      );
    }),
  );
});

type Operation = (x: tf.Tensor4D) => tf.Tensor;
const [mean, variance] = [
  [0.1, 0, -0.1],
  [1, 2, 0.5],
];
const pad: [number, number][] = [
  [0, 0],
  [1, 2],
  [2, 1],
  [0, 0],
];

/** What networks and feature visualisation differentiate, on [2, 6, 5, 3]. */
const OPERATIONS: Record<string, Operation> = {
  'max pooling': (x) => tf.maxPool(x, 3, 2, 'same'),
  'max pooling of negative values': (x) => tf.maxPool(tf.sub(x, 5) as tf.Tensor4D, 2, 1, 'valid'),
  'average pooling, same': (x) => tf.avgPool(x, 3, 2, 'same'),
  'average pooling, valid': (x) => tf.avgPool(x, 2, 1, 'valid'),
  'global average pooling': (x) => tf.mean(x, [1, 2]),
  'mean over an axis that stays': (x) => tf.mean(x, -2, true),
  'mean of everything': (x) => tf.mean(x),
  'batch normalisation': (x) => tf.batchNorm(x, mean, variance, mean, variance),
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(tf.mul(x, 9)),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  elu: (x) => tf.elu(x),
  selu: (x) => tf.selu(x),
  softplus: (x) => tf.softplus(x),
  'leaky relu': (x) => tf.leakyRelu(x),
  clipping: (x) => tf.clipByValue(x, -0.506, 0.506),
  'maximum over an axis': (x) => tf.max(x, 2),
  'local response normalisation': (x) => tf.localResponseNormalization(x) as tf.Tensor,
  quotient: (x) => tf.div(x, tf.add(tf.norm(x), 1)),
  transposition: (x) => tf.transpose(x, [0, 3, 1, 2]),
  padding: (x) => tf.pad(x, pad),
  'mirrored padding': (x) => tf.mirrorPad(x, pad, 'reflect'),
  'symmetric padding': (x) => tf.mirrorPad(x, pad, 'symmetric'),
  'bilinear resizing': (x) => tf.image.resizeBilinear(x, [9, 4], false, true),
  'bilinear resizing from the corner': (x) => tf.image.resizeBilinear(x, [3, 8]),
  'bilinear resizing, corners aligned': (x) => tf.image.resizeBilinear(x, [11, 3], true),
  softmax: (x) => tf.softmax(x),
  'log-softmax': (x) => tf.logSoftmax(x),
  gather: (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32'), 3),
  concatenation: (x) => tf.concat([x, tf.square(x)], 3),
  slicing: (x) => tf.slice(x, [0, 1, 2, 0], [2, 3, 3, 2]),
  'matrix product': (x) => tf.matMul(tf.reshape(x, [12, 15]), tf.tensor2d(values(60, 9), [4, 15]), false, true),
  'fused convolution': (x) =>
    tf.fused.conv2d({
      x,
      filter: tf.tensor4d(values(54, 5), [3, 3, 3, 2]),
      strides: 2,
      pad: 'same',
      bias: tf.tensor1d([1, 2]),
    }),
  'fused depthwise convolution': (x) =>
    tf.fused.depthwiseConv2d({x, filter: tf.tensor4d(values(27, 5), [3, 3, 3, 1]), strides: 1, pad: 'same'}),
  'transposed convolution': (x) =>
    tf.conv2dTranspose(x, tf.tensor4d(values(54, 5), [3, 3, 2, 3]), [2, 12, 10, 2], 2, 'same'),
};

for (const [name, operation] of Object.entries(OPERATIONS)) {
  eachEngine(`the gradient of ${name} agrees with differences`, async () => {
    await keepsTensorCount(() =>
      tf.tidy(() => {
        const x = tf.tensor4d(apart(180), [2, 6, 5, 3]);
        const direction = tf.tensor4d(values(180, 4), x.shape);
        const weights = tf.tensor1d(values(operation(x).size, 6));
        const objective = (a: tf.Tensor) =>
          tf.sum(tf.mul(tf.reshape(operation(a as tf.Tensor4D), [-1]), weights)) as tf.Scalar;
        const slope = tf.sum(tf.mul(tf.grad(objective)(x), direction)).dataSync()[0]!;
        const step = 1e-3;
        const at = (h: number) => objective(tf.add(x, tf.mul(direction, h))).dataSync()[0]!;
        const difference = (at(step) - at(-step)) / (2 * step);
        assert.ok(Math.abs(slope - difference) < 0.01 * (1 + Math.abs(slope)), `${slope}, not ${difference}`);
      }),
    );
  });
}

eachEngine('a depthwise layer that names no dilation has an input gradient', () => {
  // tfjs-layers hands the engine null for it.
  const layer = layers.layers.depthwiseConv2d({kernelSize: 3, padding: 'same', useBias: false, inputShape: [5, 5, 2]});
  const model = layers.sequential({layers: [layer]});
  layer.setWeights([tf.ones([3, 3, 2, 1])]);
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(model.apply(x) as tf.Tensor) as tf.Scalar)(tf.ones([1, 5, 5, 2]));
  // Each input reaches as many outputs as its 3×3 neighbourhood has places.
  const rows = [2, 3, 3, 3, 2];
  const expected = rows.flatMap((a) => rows.flatMap((b) => [a * b, a * b]));
  assert.deepEqual([...gradient.dataSync()], expected);
  model.dispose();
});
