import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {readLayersModel} from '../../src/formats/layersModel/read';
import {writeLayersModelFolder} from '../../src/formats/layersModel/writeFolder';
import type {Graph, GraphNode} from '../../src/network/graph';
import {node, weight} from '../../src/network/operators';
import {graphValues} from '../reference/graphValues';

/** Seeded numbers around 0. */
function numbers(count: number, seed: number, least = -1, most = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({length: count}, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return least + ((most - least) * state) / 2 ** 32;
  });
}

const array = (name: string, shape: number[], seed: number, least?: number, most?: number) =>
  weight(
    name,
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
      least,
      most,
    ),
    shape,
  );

/** An image of 9 × 8 × 4, these nodes one after the other (those without inputs read the one before), an output. */
function chain(...nodes: GraphNode[]): Graph {
  const input = node('InputLayer', 'image', {args: {shape: [9, 8, 4]}});
  const linked = nodes.map((each, at) =>
    each.inputs.length > 0 ? each : {...each, inputs: [at === 0 ? 'image' : nodes[at - 1].name]},
  );
  return {nodes: [input, ...linked], inputs: ['image'], outputs: [linked[linked.length - 1].name]};
}

/** A node that reads the one before it. */
const after = (
  operator: string,
  name: string,
  args: Record<string, unknown> = {},
  weights: GraphNode['weights'] = [],
) => ({
  ...node(operator, name, {inputs: ['?'], args, weights}),
  inputs: [] as string[],
});

const conv = (name: string, args: Record<string, unknown>, shape: number[], bias = true) =>
  after('Conv2D', name, args, [array('kernel', shape, 3), ...(bias ? [array('bias', [shape[3]], 5)] : [])]);
const depthwise = (args: Record<string, unknown>) =>
  after('DepthwiseConv2D', 'dw', args, [array('kernel', [3, 3, 4, 2], 4), array('bias', [8], 6)]);
const of = (operator: string, args: Record<string, unknown> = {}) => chain(after(operator, 'x', args));
const relu = after('ReLU', 'relu', {maxValue: null, negativeSlope: 0, threshold: 0});
const pooling = (operator: string, more: Record<string, unknown>) =>
  after(operator, 'pool', {
    poolSize: [3, 3],
    strides: [2, 2],
    padding: 'valid',
    ceilMode: false,
    ...(operator === 'MaxPooling2D' ? {dilationRate: [1, 1]} : {countPadding: true}),
    ...more,
  });
const explicit = [
  [1, 2],
  [0, 1],
];
const two = (operator: string, shape: number[] = [1, 1, 4, 4]): Graph => {
  const graph = chain(conv('a', {}, shape), {...node(operator, 'x', {inputs: ['image', 'a'], args: {}})});
  return graph;
};

const networks: Record<string, Graph> = {
  'convolution, strided': chain(conv('c', {strides: [2, 2], padding: 'same'}, [3, 3, 4, 6])),
  'convolution, explicit padding': chain(conv('c', {padding: explicit}, [3, 3, 4, 6], false)),
  'convolution, dilated': chain(conv('c', {dilationRate: [2, 2], padding: 'same'}, [3, 3, 4, 6])),
  'convolution, strided and dilated': chain(
    conv('c', {strides: [2, 2], dilationRate: [2, 2], padding: 'same'}, [3, 3, 4, 6]),
  ),
  'convolution in groups': chain(conv('c', {groups: 2, padding: [[1, 1], [1, 1]]}, [3, 3, 2, 6])), // prettier-ignore
  'convolution in groups, strided and dilated': chain(
    conv('c', {groups: 2, strides: [2, 1], dilationRate: [2, 2], padding: explicit}, [2, 3, 2, 6]),
  ),
  depthwise: chain(depthwise({padding: 'same'})),
  'depthwise, dilated, explicit padding': chain(depthwise({padding: explicit, dilationRate: [2, 2]})),
  'transposed convolution': chain(
    after('Conv2DTranspose', 't', {strides: [2, 2], padding: 'same'}, [array('kernel', [3, 3, 5, 4], 1)]),
  ),
  'transposed convolution, cut': chain(
    after('Conv2DTranspose', 't', {strides: [2, 2], padding: [[1, 0], [0, 1]]}, [array('kernel', [3, 3, 5, 4], 1), array('bias', [5], 2)]), // prettier-ignore
  ),
  'dense after flatten': chain(
    after('Reshape', 'flat', {shape: [-1]}),
    after('Dense', 'fc', {}, [array('kernel', [288, 3], 8), array('bias', [3], 9)]),
    after('Softmax', 'fc_activation', {axis: 1}),
  ),
  'batch norm over rows, no scale': chain(
    after('BatchNormalization', 'bn', {axis: 1, epsilon: 1e-3}, [
      array('beta', [9], 1),
      array('moving_mean', [9], 2),
      array('moving_variance', [9], 3, 0.5, 2),
    ]),
  ),
  'batch norm': chain(
    after('BatchNormalization', 'bn', {axis: 3, epsilon: 1e-5}, [
      array('gamma', [4], 1),
      array('beta', [4], 1),
      array('moving_mean', [4], 2),
      array('moving_variance', [4], 3, 0.5, 2),
    ]),
  ),
  'layer norm': chain(
    after('LayerNormalization', 'ln', {axes: [3], epsilon: 1e-6}, [array('gamma', [4], 1), array('beta', [4], 1)]),
  ),
  relu: of('ReLU', {maxValue: null, negativeSlope: 0, threshold: 0}),
  relu6: of('ReLU', {maxValue: 0.6, negativeSlope: 0, threshold: 0}),
  'leaky relu': of('ReLU', {maxValue: null, negativeSlope: 0.1, threshold: 0}),
  'bounded leaky relu': of('ReLU', {maxValue: 0.5, negativeSlope: 0.1, threshold: 0}),
  'relu with a threshold': of('ReLU', {maxValue: null, negativeSlope: 0, threshold: 0.3}),
  elu: of('ELU', {alpha: 1}),
  'elu, alpha 0.5': of('ELU', {alpha: 0.5}),
  prelu: chain(after('PReLU', 'p', {}, [array('alpha', [9, 8, 4], 1)])),
  'prelu a channel': chain(after('PReLU', 'p', {}, [array('alpha', [4], 1)])),
  'hard sigmoid of Keras 2': of('HardSigmoid', {slope: 0.2, offset: 0.5}),
  'hard sigmoid of Keras 3': of('HardSigmoid', {slope: 1 / 6, offset: 0.5}),
  ...Object.fromEntries(
    ['sigmoid', 'tanh', 'swish', 'hard_swish', 'gelu', 'mish', 'softplus', 'softsign', 'selu', 'abs', 'negative', 'square', 'log_sigmoid'].map(
      (activation) => [activation, of('Activation', {activation})],
    ),
  ), // prettier-ignore
  'clip at both sides': of('Clip', {min: -0.3, max: 0.4}),
  'clip above': of('Clip', {min: null, max: 0.4}),
  'clip below': of('Clip', {min: -0.4, max: null}),
  'log softmax': of('LogSoftmax', {axis: 3}),
  square: of('Power', {exponent: 2}),
  ...Object.fromEntries(['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Subtract'].map((o) => [o, two(o)])),
  Concatenate: chain(conv('a', {}, [1, 1, 4, 3]), node('Concatenate', 'x', {inputs: ['image', 'a'], args: {axis: 3}})),
  'gate of one number per channel': chain(
    after('GlobalAveragePooling2D', 'squeeze', {keepdims: true}),
    conv('gate', {}, [1, 1, 4, 4]),
    after('Activation', 'gate_activation', {activation: 'sigmoid'}),
    node('Multiply', 'x', {inputs: ['image', 'gate_activation'], args: {}}),
  ),
  rescaling: chain(after('Rescaling', 'r', {}, [array('scale', [1], 3), array('offset', [1], 4)])),
  'rescaling a channel': chain(after('Rescaling', 'r', {}, [array('scale', [4], 3), array('offset', [4], 4)])),
  'slice of rows': of('Slice', {axis: 1, start: 2, end: 7, step: 1}),
  'slice of every second column': of('Slice', {axis: 2, start: 1, end: 8, step: 2}),
  'slice of channels': of('Slice', {axis: 3, start: 1, end: 3, step: 1}),
  'zero padding': of('Pad', {paddings: [[1, 2], [0, 3], [0, 0]], mode: 'constant', value: 0}), // prettier-ignore
  'padding with a value': of('Pad', {paddings: [[1, 2], [0, 3], [0, 0]], mode: 'constant', value: 0.25}), // prettier-ignore
  'padding of channels': of('Pad', {paddings: [[1, 2], [0, 3], [2, 1]], mode: 'constant', value: 0}), // prettier-ignore
  permute: of('Permute', {order: [2, 1, 3]}),
  reshape: of('Reshape', {shape: [12, -1, 4]}),
  'max pooling': chain(pooling('MaxPooling2D', {padding: 'same'})),
  'max pooling after relu, padded': chain(relu, pooling('MaxPooling2D', {padding: [[1, 1], [1, 1]]})), // prettier-ignore
  'max pooling after relu, ceil mode': chain(relu, pooling('MaxPooling2D', {ceilMode: true})),
  'average pooling': chain(pooling('AveragePooling2D', {padding: 'same', countPadding: false})),
  'average pooling, padding counted': chain(pooling('AveragePooling2D', {padding: [[1, 1], [1, 1]]})), // prettier-ignore
  'global max pooling': of('GlobalMaxPooling2D', {keepdims: false}),
  'mean over height and width': of('Mean', {axes: [1, 2], keepdims: false}),
  'max over height and width, kept': of('Max', {axes: [1, 2], keepdims: true}),
  'nearest enlargement': of('Resize', {size: [18, 24], interpolation: 'nearest', coordinates: 'half_pixel'}),
  'bilinear enlargement': of('Resize', {size: [18, 16], interpolation: 'bilinear', coordinates: 'asymmetric'}),
  'names that tfjs does not take': {
    nodes: [
      node('InputLayer', '_image:0', {args: {shape: [9, 8, 4]}}),
      {...conv('/a b/Conv', {padding: explicit}, [3, 3, 4, 2]), inputs: ['_image:0']},
      {...conv('_a_b/Conv', {}, [1, 1, 2, 2]), inputs: ['/a b/Conv'], mark: {kind: 'merge', of: '/a b/Conv'}},
    ],
    inputs: ['_image:0'],
    outputs: ['_a_b/Conv'],
  },
};

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'unweave-layers-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** What tfjs-layers itself computes from a folder. */
async function byTfjs(folder: string, input: tf.Tensor): Promise<tf.Tensor> {
  const json = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8'));
  const bytes = readFileSync(path.join(folder, 'weights.bin'));
  const artifacts = {
    modelTopology: json.modelTopology,
    weightSpecs: json.weightsManifest[0].weights,
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  };
  const model = await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  const output = model.predict(input) as tf.Tensor;
  model.dispose();
  return output;
}

const sorted = (graph: Graph) => ({...graph, nodes: [...graph.nodes].sort((a, b) => (a.name < b.name ? -1 : 1))});

test('a saved network computes the same in tfjs-layers, and is read again with its nodes, weights and marks', async () => {
  await ensureBackend();
  const input = tf.tensor(numbers(2 * 9 * 8 * 4, 1), [2, 9, 8, 4]);
  for (const [what, graph] of Object.entries(networks)) {
    await inFolder(async (folder) => {
      await writeLayersModelFolder(folder, graph, 'small network');
      const [ours] = graphValues(graph, input);
      const theirs = await byTfjs(folder, input);
      assert.deepEqual(theirs.shape, ours.shape, what);
      const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(ours, theirs))).dataSync()[0]);
      assert.ok(difference < 2e-5, `${what}: tfjs-layers differs by ${difference}`);
      tf.dispose([ours, theirs]);
      const read = await readLayersModel(path.join(folder, 'model.json'));
      assert.deepEqual(sorted(read.graph), sorted(graph), what);
      const unsaid = read.notes?.filter((note) => !note.startsWith('the network begins with its own'));
      assert.deepEqual(unsaid, [], what);
    });
  }
  input.dispose();
});

test('what a LayersModel cannot express is refused by node and operator, all of them at once', async () => {
  const graph = chain(
    after('GroupNormalization', 'gn', {groups: 2, epsilon: 1e-3}),
    pooling('MaxPooling2D', {padding: [[1, 1], [1, 1]]}), // prettier-ignore
  );
  await inFolder((folder) =>
    assert.rejects(
      () => writeLayersModelFolder(folder, graph, 'm'),
      (error: Error) =>
        error instanceof InputError && /GroupNormalization "gn".*MaxPooling2D "pool".*ONNX/.test(error.message),
    ),
  );
});

test('a flipped bit in the weights or in the layers of a saved network is an InputError', async () => {
  const graph = networks['convolution, strided'];
  await inFolder(async (folder) => {
    await writeLayersModelFolder(folder, graph, 'm');
    const [weights, json] = ['weights.bin', 'model.json'].map((name) => path.join(folder, name));
    const bytes = readFileSync(weights);
    bytes[101] ^= 1;
    writeFileSync(weights, bytes);
    await assert.rejects(readLayersModel(json), /InputError.*checksum/);
    bytes[101] ^= 1;
    writeFileSync(weights, bytes);
    await readLayersModel(json);
    writeFileSync(json, readFileSync(json, 'utf8').replace('"strides":[2,2]', '"strides":[2,3]'));
    await assert.rejects(readLayersModel(json), /InputError.*checksum/);
  });
});
