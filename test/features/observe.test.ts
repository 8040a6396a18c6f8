import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {observer} from '../../src/features/observe';
import type {Graph} from '../../src/network/graph';
import {node, weight} from '../../src/network/operators';
import {compileGraph} from '../../src/network/run';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {outputShape, slowConvolution, slowInputGradient, type ConvolutionCase} from '../reference/convolution';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {graphOf, plain} from '../reference/madeGraphs';
import {SIDE, smallModel, STUDIED_LAYERS, uniform} from '../reference/smallNetworks';

type Activation = 'linear' | 'relu' | 'relu6' | 'tanh';

/** A network of one convolution, then perhaps an activation layer. */
function oneConvolution(
  shape: ConvolutionCase,
  filter: Float32Array,
  bias: Float32Array,
  activation: Activation,
): Graph {
  const {input, filter: sizes, stride, dilation, pad, depthwise} = shape;
  const args = {strides: stride, padding: pad, dilationRate: dilation};
  const weights = [weight('kernel', filter, sizes), weight('bias', bias)];
  const convolution = node(depthwise ? 'DepthwiseConv2D' : 'Conv2D', 'convolution', {inputs: ['image'], args, weights});
  if (activation === 'linear') return graphOf(input.slice(1), [convolution]);
  if (activation === 'tanh')
    return graphOf(input.slice(1), [convolution, plain('Activation', 'end', 'convolution', {activation})]);
  const bound = activation === 'relu6' ? {maxValue: 6} : {};
  return graphOf(input.slice(1), [convolution, plain('ReLU', 'end', 'convolution', bound)]);
}

const sizeOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1);
const pair = (min: number, max: number) => fc.tuple(fc.integer({min, max}), fc.integer({min, max}));

const convolutionCase: fc.Arbitrary<ConvolutionCase> = fc
  .record({
    batch: fc.integer({min: 1, max: 2}),
    image: pair(2, 8),
    channels: fc.integer({min: 1, max: 3}),
    last: fc.integer({min: 1, max: 3}),
    kernel: pair(1, 4),
    step: fc.integer({min: 1, max: 3}),
    dilated: fc.boolean(),
    pad: fc.constantFrom('same' as const, 'valid' as const),
    depthwise: fc.boolean(),
  })
  .map(({batch, image, channels, last, kernel, step, dilated, pad, depthwise}): ConvolutionCase => {
    return {
      input: [batch, ...image, channels],
      filter: [...kernel, channels, last],
      stride: [step, step],
      dilation: dilated ? [2, 1] : [1, 1],
      pad,
      depthwise,
    };
  })
  .filter((shape) => outputShape(shape).every((n) => n > 0));

const ACTIVATIONS: Record<Activation, {value: (z: number) => number; slope: (z: number) => number}> = {
  linear: {value: (z) => z, slope: () => 1},
  relu: {value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0)},
  relu6: {value: (z) => Math.min(Math.max(z, 0), 6), slope: (z) => (z > 0 && z < 6 ? 1 : 0)},
  tanh: {value: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2},
};

eachEngine(
  'values and input gradients of a compiled convolution agree with plain loops, whatever activation follows',
  async () => {
    const property = fc.asyncProperty(
      convolutionCase,
      fc.constantFrom<Activation>('linear', 'relu', 'relu6', 'tanh'),
      fc.nat(),
      async (shape, activation, seed) => {
        const output = outputShape(shape);
        const channels = output[3];
        // Far enough from the corners of the activation for float32 to be on the same side.
        const x = Float32Array.from({length: sizeOf(shape.input)}, uniform(seed, -3, 3));
        const w = Float32Array.from({length: sizeOf(shape.filter)}, uniform(seed + 1, -1, 1));
        const b = Float32Array.from({length: channels}, uniform(seed + 2, -1, 1));
        const dy = Float32Array.from({length: sizeOf(output)}, uniform(seed + 3, -1, 1));
        const z = slowConvolution(shape, x, w).map((value, i) => value + b[i % channels]!);
        const {value, slope} = ACTIVATIONS[activation];
        if (z.some((v) => Math.min(Math.abs(v), Math.abs(v - 6)) < 1e-4)) return;
        await keepsTensorCount(() => {
          const network = compileGraph(oneConvolution(shape, w, b, activation));
          tf.tidy(() => {
            const image = tf.tensor4d(x, shape.input);
            const apply = (images: tf.Tensor) => Object.values(network.run(images))[0]!;
            const expected = z.map(value);
            closest(apply(image).dataSync(), expected, 'value');
            const both = tf.valueAndGrad(apply)(image, tf.tensor(dy, [...output]));
            closest(both.value.dataSync(), expected, 'value beside its gradient');
            const passed = z.map((v, i) => dy[i]! * slope(v));
            closest(both.grad.dataSync(), slowInputGradient(shape, passed, w), 'gradient');
          });
          network.dispose();
        });
      },
    );
    await fc.assert(property, {numRuns: 60});
  },
);

function closest(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: size`);
  for (let i = 0; i < expected.length; i++) {
    const tolerance = 1e-4 * Math.max(1, Math.abs(expected[i]!));
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `${what}[${i}]: ${actual[i]}, not ${expected[i]}`);
  }
}

for (const [name, options] of Object.entries(STUDIED_LAYERS)) {
  eachEngine(`an observer of ${name} sees the layer's input and the logits as the model computes them`, async () => {
    const model = smallModel(options);
    const images = Float32Array.from({length: 2 * SIDE * SIDE * 3}, uniform(4, -1, 1));
    await keepsTensorCount(() => {
      const layer = model.graph.nodes.find((node) => node.name === 'studied')!;
      const [logits] = model.graph.outputs;
      const end = options.softmax ? 'logits' : logits!;
      const network = observer(model, [layer.inputs[0]!, end], [SIDE, SIDE]);
      const reference = networkAtLayer(model, 'studied');
      tf.tidy(() => {
        const x = tf.tensor4d(images, [2, SIDE, SIDE, 3]);
        const seen = network.observe(x);
        closest(seen.get(layer.inputs[0]!)!.dataSync(), reference.trunk(x).input.dataSync(), 'input');
        closest(seen.get(end)!.dataSync(), model.logits(x).dataSync(), 'logits');
      });
      network.dispose();
      reference.dispose();
      model.dispose();
    });
  });
}
