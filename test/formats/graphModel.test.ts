import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {loadGraphModel} from '@tensorflow/tfjs-converter';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {compileGraph} from '../../src/network/run';

interface Attribute {
  [kind: string]: unknown;
}
interface Node {
  name: string;
  op: string;
  input?: string[];
  attr?: Record<string, Attribute>;
}

const text = (words: string) => ({s: Buffer.from(words).toString('base64')});
const texts = (...words: string[]) => ({list: {s: words.map((word) => text(word).s)}});
const whole = (...numbers: number[]) => ({list: {i: numbers.map(String)}});

/** A graph model as tfjs's converter writes one, with values from a fixed sequence. */
function small() {
  const nodes: Node[] = [
    {
      name: 'image',
      op: 'Placeholder',
      attr: {dtype: {type: 'DT_FLOAT'}, shape: {shape: {dim: [-1, 9, 9, 3].map((size) => ({size: String(size)}))}}},
    },
  ];
  const specs: tf.io.WeightsManifestEntry[] = [];
  const bytes: Buffer[] = [];
  let state = 3;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648 - 0.4;
  };
  const held = (name: string, shape: number[], values?: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = values ? Int32Array.from(values) : Float32Array.from({length: count}, random);
    specs.push({name, shape, dtype: values ? 'int32' : 'float32'});
    bytes.push(Buffer.from(data.buffer));
    const dtype = {type: values ? 'DT_INT32' : 'DT_FLOAT'};
    const dim = shape.map((size) => ({size: String(size)}));
    nodes.push({name, op: 'Const', attr: {dtype, value: {tensor: {dtype: dtype.type, tensorShape: {dim}}}}});
    return name;
  };
  const node = (name: string, op: string, input: string[], attr: Record<string, Attribute> = {}) => {
    nodes.push({name, op, input, attr: {T: {type: 'DT_FLOAT'}, ...attr}});
    return name;
  };
  const convolution = (stride: number, padding: string, fused: string[] = []) => ({
    strides: whole(1, stride, stride, 1),
    dilations: whole(1, 1, 1, 1),
    padding: text(padding),
    data_format: text('NHWC'),
    explicit_paddings: {list: {}},
    ...(fused.length > 0 ? {fused_ops: texts(...fused), num_args: {i: String(fused.includes('BiasAdd') ? 1 : 0)}} : {}),
  });
  const base = 'StatefulPartitionedCall/small';
  let x = node(
    `${base}/conv1/Relu6`,
    '_FusedConv2D',
    ['image', held(`${base}/conv1/Conv2D_weights`, [3, 3, 3, 6]), held(`${base}/conv1/bias`, [6])],
    convolution(2, 'SAME', ['BiasAdd', 'Relu6']),
  );
  x = node(
    `${base}/depthwise/depthwise`,
    'DepthwiseConv2dNative',
    [x, held(`${base}/depthwise/depthwise_weights`, [3, 3, 6, 1])],
    convolution(1, 'SAME'),
  );
  const statistics = ['gamma', 'beta', 'mean'].map((name) => held(`${base}/norm/${name}`, [6]));
  const variance = node(`${base}/norm/Square`, 'Square', [held(`${base}/norm/std`, [6])]);
  x = node(`${base}/norm/FusedBatchNormV3`, 'FusedBatchNormV3', [x, ...statistics, variance], {
    epsilon: {f: 0.01},
    data_format: text('NHWC'),
    is_training: {b: false},
  });
  const side = node(`${base}/gate/Sigmoid`, 'Sigmoid', [
    node(`${base}/gate/BiasAdd`, 'BiasAdd', [
      node(
        `${base}/gate/Conv2D`,
        'Conv2D',
        [
          node(`${base}/squeeze/Mean`, 'Mean', [x, held(`${base}/squeeze/axes`, [2], [1, 2])], {keep_dims: {b: true}}),
          held(`${base}/gate/Conv2D_weights`, [1, 1, 6, 6]),
        ],
        convolution(1, 'VALID'),
      ),
      held(`${base}/gate/bias`, [6]),
    ]),
  ]);
  x = node(`${base}/scaled/Mul`, 'Mul', [x, side]);
  x = node(`${base}/pad/PadV2`, 'PadV2', [
    x,
    held(`${base}/pad/paddings`, [4, 2], [0, 0, 1, 0, 0, 1, 0, 0]),
    held(`${base}/pad/value`, []),
  ]);
  const pooled = {ksize: whole(1, 2, 2, 1), strides: whole(1, 2, 2, 1), padding: text('VALID')};
  const most = node(`${base}/pool/MaxPool`, 'MaxPool', [x], pooled);
  const mean = node(`${base}/mean/AvgPool`, 'AvgPool', [x], pooled);
  x = node(`${base}/joined/concat`, 'ConcatV2', [most, mean, held(`${base}/joined/axis`, [], [3])], {N: {i: '2'}});
  x = node(`${base}/leaky/LeakyRelu`, 'LeakyRelu', [x], {alpha: {f: 0.1}});
  x = node(`${base}/sum/AddV2`, 'AddV2', [x, node(`${base}/relu/Relu`, 'Relu', [x])]);
  const size = node(
    `${base}/flat/strided_slice`,
    'StridedSlice',
    [
      node(`${base}/flat/Shape`, 'Shape', [x]),
      held(`${base}/flat/begin`, [1], [0]),
      held(`${base}/flat/end`, [1], [1]),
      held(`${base}/flat/step`, [1], [1]),
    ],
    {
      shrink_axis_mask: {i: '1'},
      begin_mask: {i: '0'},
      end_mask: {i: '0'},
      ellipsis_mask: {i: '0'},
      new_axis_mask: {i: '0'},
    },
  );
  const shape = node(`${base}/flat/shape`, 'Pack', [size, held(`${base}/flat/rest`, [], [108])], {
    axis: {i: '0'},
    N: {i: '2'},
  });
  x = node(`${base}/flat/Reshape`, 'Reshape', [x, shape]);
  x = node(
    `${base}/dense/BiasAdd`,
    '_FusedMatMul',
    [x, held(`${base}/dense/MatMul_weights`, [108, 4]), held(`${base}/dense/bias`, [4])],
    {fused_ops: texts('BiasAdd'), transpose_a: {b: false}, transpose_b: {b: false}, num_args: {i: '1'}},
  );
  x = node(`${base}/scores/Softmax`, 'Softmax', [x]);
  node('Identity', 'Identity', [x]);
  const modelTopology = {node: nodes, versions: {producer: 1}, library: {}};
  return {modelTopology, specs, data: Buffer.concat(bytes)};
}

describe('tfjs graph models', () => {
  let place: string;
  before(async () => {
    await ensureBackend();
    place = await mkdtemp(path.join(tmpdir(), 'unweave-graph-model-'));
  });
  after(() => rm(place, {recursive: true}));

  async function saved(network = small()): Promise<string> {
    const {modelTopology, specs, data} = network;
    await writeFile(path.join(place, 'weights.bin'), data);
    const weightsManifest = [{paths: ['weights.bin'], weights: specs}];
    await writeFile(
      path.join(place, 'model.json'),
      JSON.stringify({format: 'graph-model', modelTopology, weightsManifest}),
    );
    return place;
  }

  test('compute what tfjs computes', async () => {
    const {modelTopology, specs, data} = small();
    const weightData = new Uint8Array(data).buffer;
    const theirs = await loadGraphModel(tf.io.fromMemory({modelTopology, weightSpecs: specs, weightData}));
    const model = await loadModel(await saved());
    tf.tidy(() => {
      const images = tf.randomUniform([2, 9, 9, 3], -1, 1, 'float32', 5);
      const expected = (theirs.predict(images) as tf.Tensor).arraySync() as number[][];
      const graph = compileGraph(model.graph);
      const found = Object.values(graph.run(images))[0].arraySync() as number[][];
      graph.dispose();
      const errors = expected.flat().map((value, at) => Math.abs(value - found.flat()[at]));
      assert.ok(Math.max(...errors) < 1e-5, String(errors));
    });
    theirs.dispose();
    model.dispose();
  });

  test('layers are called after their weights', async () => {
    const model = await loadModel(await saved());
    assert.deepEqual(
      model.layers().map(({name}) => name),
      ['conv1', 'gate', 'dense'],
    );
    assert.ok(!model.graph.nodes.some(({operator}) => operator === 'Permute'));
  });

  test('unknown operators are listed, damage ends in a sentence', async () => {
    const sentence = (pattern: RegExp) => (error: unknown) =>
      error instanceof InputError && pattern.test(error.message);
    const unknown = small();
    for (const node of unknown.modelTopology.node)
      if (node.op === 'Sigmoid' || node.op === 'Relu') node.op = `Un${node.op}`;
    await assert.rejects(
      loadModel(await saved(unknown)),
      sentence(/not read: UnSigmoid \(.*gate\/Sigmoid\); UnRelu \(/),
    );
    const missing = small();
    missing.modelTopology.node[1].name = 'other';
    await assert.rejects(loadModel(await saved(missing)), sentence(/has no weight "other"/));
    const short = small();
    await assert.rejects(loadModel(await saved({...short, data: short.data.subarray(4)})), sentence(/truncated/));
  });
});
