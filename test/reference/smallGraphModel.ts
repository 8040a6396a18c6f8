import type * as tf from '@tensorflow/tfjs-core';

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
export function smallGraphModel() {
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
