/**
 * TensorFlow's operators in ONNX's words: a graph model is read by the ONNX reader, whose account of axes takes the pairs of transposes back.
 */
import {batchNorm, convolution, pool, product, resize} from './images';
import {concat, pack, pad, slice, squeeze, stridedSlice} from './shaping';
import {flagOf, numberOf, plain, type Translate} from './translation';

const reduction =
  (opType: string): Translate =>
  ({node, emit}) =>
    void emit(opType, node.input, {keepdims: Number(flagOf(node, 'keep_dims'))}, node.name);

const named = (opType: string) => plain(opType);

/** How each of TensorFlow's operators is said. */
export const TRANSLATIONS: Readonly<Record<string, Translate>> = {
  Conv2D: convolution(false),
  _FusedConv2D: convolution(false),
  FusedConv2D: convolution(false),
  DepthwiseConv2d: convolution(true),
  DepthwiseConv2dNative: convolution(true),
  FusedDepthwiseConv2dNative: convolution(true),
  _FusedDepthwiseConv2dNative: convolution(true),
  MatMul: product,
  _FusedMatMul: product,
  BatchMatMul: product,
  BatchMatMulV2: product,
  BiasAdd: named('Add'),
  BiasAddV1: named('Add'),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  Add: named('Add'),
  AddV2: named('Add'),
  AddN: named('Sum'),
  Sub: named('Sub'),
  Mul: named('Mul'),
  RealDiv: named('Div'),
  Div: named('Div'),
  FloorDiv: named('Div'),
  Maximum: named('Max'),
  Minimum: named('Min'),
  Pow: named('Pow'),
  SquaredDifference: ({node, emit}) => {
    const difference = emit('Sub', node.input);
    emit('Mul', [difference, difference], {}, node.name);
  },
  Square: ({node, emit}) => void emit('Mul', [node.input[0], node.input[0]], {}, node.name),
  Rsqrt: ({node, emit}) => void emit('Reciprocal', [emit('Sqrt', node.input)], {}, node.name),
  Relu: named('Relu'),
  Relu6: (translation) =>
    void translation.emit(
      'Clip',
      [translation.node.input[0], translation.whole([0], []), translation.whole([6], [])],
      {},
      translation.node.name,
    ),
  LeakyRelu: plain('LeakyRelu', (node) => ({alpha: numberOf(node, 'alpha', 0.2)})),
  Prelu: named('PRelu'),
  ClipByValue: named('Clip'),
  Softmax: plain('Softmax', () => ({axis: -1})),
  LogSoftmax: plain('LogSoftmax', () => ({axis: -1})),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Min: reduction('ReduceMin'),
  Sum: reduction('ReduceSum'),
  Prod: reduction('ReduceProd'),
  Pad: pad,
  PadV2: pad,
  MirrorPad: pad,
  ConcatV2: concat,
  Concat: concat,
  Pack: pack,
  Reshape: named('Reshape'),
  Squeeze: squeeze,
  ExpandDims: (translation) => {
    const axes = translation.whole([translation.known(1).data[0]]);
    translation.emit('Unsqueeze', [translation.node.input[0], axes], {}, translation.node.name);
  },
  Transpose: (translation) =>
    void translation.emit(
      'Transpose',
      [translation.node.input[0]],
      {perm: [...translation.known(1).data]},
      translation.node.name,
    ),
  StridedSlice: stridedSlice,
  Slice: slice,
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
  // Numbers keep their kind where they are shapes; activations are real numbers throughout.
  Cast: named('Identity'),
  ...Object.fromEntries(
    [
      'Identity',
      'Shape',
      'Elu',
      'Selu',
      'Sigmoid',
      'Tanh',
      'Softplus',
      'Softsign',
      'Exp',
      'Log',
      'Sqrt',
      'Neg',
      'Abs',
      'Reciprocal',
      'Erf',
      'Mish',
    ].map((op) => [op, named(op)]),
  ),
  StopGradient: named('Identity'),
  PreventGradient: named('Identity'),
  Snapshot: named('Identity'),
};
