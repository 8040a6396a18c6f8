import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {freeze, fuseRelus} from '../../src/features/frozen';
import {observer} from '../../src/features/observe';
import type {Graph} from '../../src/network/graph';
import {fromLayersModel, toLayersModel} from '../../src/network/layersModel';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {outputShape, slowConvolution, slowInputGradient, type ConvolutionCase} from '../reference/convolution';
import {eachEngine, keepsTensorCount} from '../reference/engines';
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
  const shared = {
    kernelSize: [sizes[0], sizes[1]] as [number, number],
    strides: stride,
    padding: pad,
    name: 'convolution',
  };
  const layer = depthwise
    ? tfl.layers.depthwiseConv2d({...shared, depthMultiplier: sizes[3]})
    : tfl.layers.conv2d({...shared, filters: sizes[3], dilationRate: dilation});
  const image = tfl.input({shape: input.slice(1), name: 'image'});
  const z = layer.apply(image) as tfl.SymbolicTensor;
  const last =
    activation === 'relu6'
      ? tfl.layers.reLU({maxValue: 6, name: 'end'})
      : tfl.layers.activation({activation, name: 'end'});
  const model = tfl.model({inputs: image, outputs: last.apply(z) as tfl.SymbolicTensor});
  tf.tidy(() => layer.setWeights([tf.tensor(filter, [...sizes]), tf.tensor1d(bias)]));
  try {
    return fromLayersModel(model);
  } finally {
    model.dispose();
  }
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
    const dilation = dilated && !depthwise ? step : 1;
    return {
      input: [batch, ...image, channels],
      filter: [...kernel, channels, last],
      stride: dilation > 1 ? [1, 1] : [step, step],
      dilation: [dilation, dilation],
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

eachEngine('values and input gradients of frozen convolutions agree with plain loops', async () => {
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
        const network = toLayersModel(fuseRelus(oneConvolution(shape, w, b, activation)));
        const free = freeze(network);
        tf.tidy(() => {
          const image = tf.tensor4d(x, shape.input);
          const apply = (images: tf.Tensor) => network.apply(images) as tf.Tensor;
          const expected = z.map(value);
          closest(apply(image).dataSync(), expected, 'value');
          const both = tf.valueAndGrad(apply)(image, tf.tensor(dy, [...output]));
          closest(both.value.dataSync(), expected, 'value beside its gradient');
          const passed = z.map((v, i) => dy[i]! * slope(v));
          closest(both.grad.dataSync(), slowInputGradient(shape, passed, w), 'gradient');
        });
        free();
        network.dispose();
      });
    },
  );
  await fc.assert(property, {numRuns: 60});
});

function closest(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: size`);
  for (let i = 0; i < expected.length; i++) {
    const tolerance = 1e-4 * Math.max(1, Math.abs(expected[i]!));
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `${what}[${i}]: ${actual[i]}, not ${expected[i]}`);
  }
}

test('a relu joins the convolution before it unless something else reads that one', () => {
  const node = (name: string, operator: string, inputs: string[], args = {}) => ({
    name,
    operator,
    inputs,
    args,
    weights: [],
  });
  const graph: Graph = {
    inputs: ['image'],
    outputs: ['relu2', 'sum'],
    nodes: [
      node('image', 'InputLayer', []),
      node('conv1', 'Conv2D', ['image']),
      node('relu1', 'Activation', ['conv1'], {activation: 'relu'}),
      node('conv2', 'DepthwiseConv2D', ['relu1']),
      node('relu2', 'ReLU', ['conv2'], {maxValue: 6}),
      node('conv3', 'Conv2D', ['relu2']),
      node('relu3', 'ReLU', ['conv3']),
      node('sum', 'Add', ['conv3', 'relu3']),
    ],
  };
  const fused = fuseRelus(graph);
  assert.deepEqual(
    fused.nodes.map(({name}) => name),
    ['image', 'conv1', 'conv2', 'conv3', 'relu3', 'sum'],
  );
  assert.deepEqual(fused.outputs, ['conv2', 'sum']);
  assert.deepEqual(
    fused.nodes.map(({args: config}) => config.activation),
    [undefined, 'relu', 'relu6', undefined, undefined, undefined],
  );
  assert.equal(graph.nodes.length, 8, 'the graph itself is not changed');
});

for (const [name, options] of Object.entries(STUDIED_LAYERS)) {
  eachEngine(`an observer of ${name} sees the layer's input and the logits as the model computes them`, async () => {
    const model = smallModel(options);
    const images = Float32Array.from({length: 2 * SIDE * SIDE * 3}, uniform(4, -1, 1));
    await keepsTensorCount(() => {
      const layer = model.graph.nodes.find((node) => node.name === 'studied')!;
      const [logits] = model.graph.outputs;
      const end = options.softmax ? model.graph.nodes.find((node) => node.name === 'logits')!.name : logits!;
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
