/**
 * TensorFlow's operators in ONNX's words: a graph model is read by the ONNX reader, whose account of axes takes the pairs of transposes back.
 */
import {InputError} from '../../common/errors';
import type {Constant} from '../onnx/tensors';

/** A node of a TensorFlow graph in tfjs's JSON. */
export interface TfNode {
  name: string;
  op: string;
  input: string[];
  attr: Readonly<Record<string, TfAttribute>>;
}

export interface TfAttribute {
  s?: string;
  i?: string | number;
  f?: number;
  b?: boolean;
  type?: string | number;
  list?: {i?: (string | number)[]; s?: string[]; f?: number[]};
}

/** Writes ONNX nodes for one TensorFlow node. */
export interface Translation {
  node: TfNode;
  /** The array of an input that is a constant. @throws InputError for another */
  known(at: number): Constant;
  isKnown(at: number): boolean;
  emit(
    opType: string,
    inputs: string[],
    attributes?: Record<string, number | number[] | string>,
    output?: string,
  ): string;
  /** An array of the reader's own. */
  whole(values: readonly number[], shape?: number[]): string;
  /** A constant input with other axes. */
  weight(at: number, order: readonly number[], shape?: (shape: number[]) => number[]): string;
}

const decoder = new TextDecoder();
const text = (base64: string) => decoder.decode(Buffer.from(base64, 'base64'));
const stringOf = ({attr}: TfNode, key: string, fallback = '') =>
  attr[key]?.s === undefined ? fallback : text(attr[key].s);
const flagOf = ({attr}: TfNode, key: string) => attr[key]?.b === true;
const numberOf = ({attr}: TfNode, key: string, fallback: number) => Number(attr[key]?.f ?? attr[key]?.i ?? fallback);
const listOf = ({attr}: TfNode, key: string) => (attr[key]?.list?.i ?? []).map(Number);

const refuse = ({name, op}: TfNode, why: string) => new InputError(`node ${op} (${name}): ${why}`);

/** [height, width] of an attribute for four axes. @throws InputError for channels first, which TensorFlow's CPUs do not compute either */
function spatial(node: TfNode, key: string): number[] {
  if (stringOf(node, 'data_format', 'NHWC') !== 'NHWC') throw refuse(node, 'channels first is not supported');
  const list = listOf(node, key);
  return list.length === 4 ? [list[1], list[2]] : [1, 1];
}

function padding(node: TfNode): Record<string, number[] | string> {
  const kind = stringOf(node, 'padding', 'VALID');
  if (kind === 'SAME') return {auto_pad: 'SAME_UPPER'};
  if (kind === 'VALID') return {};
  const [, , top, bottom, left, right] = listOf(node, 'explicit_paddings');
  return {pads: [top, left, bottom, right]};
}

type Translate = (translation: Translation) => void;

const toFirst = ({emit}: Translation, name: string) => emit('Transpose', [name], {perm: [0, 3, 1, 2]});
const toLast = ({emit}: Translation, name: string, output?: string) =>
  emit('Transpose', [name], {perm: [0, 2, 3, 1]}, output);

/** What follows a fused operator's core: a bias, which the core has taken already, and an activation. */
function fused(translation: Translation, value: string, extra: string[]): void {
  const {node, emit} = translation;
  const steps = (node.attr.fused_ops?.list?.s ?? []).map(text);
  const rest = [...extra];
  let current = value;
  steps.forEach((step, at) => {
    const output = at === steps.length - 1 ? node.name : undefined;
    if (step === 'BiasAdd') current = emit('Add', [current, rest.shift() as string], {}, output);
    else if (step === 'Relu6')
      current = emit('Clip', [current, translation.whole([0], []), translation.whole([6], [])], {}, output);
    else if (step === 'LeakyRelu')
      current = emit('LeakyRelu', [current], {alpha: numberOf(node, 'leakyrelu_alpha', 0.2)}, output);
    else if (step === 'Prelu') current = emit('PRelu', [current, rest.shift() as string], {}, output);
    else if (['Relu', 'Elu', 'Sigmoid', 'Tanh'].includes(step)) current = emit(step, [current], {}, output);
    else throw refuse(node, `its fused ${step} is not supported`);
  });
  if (steps.length === 0) emit('Identity', [current], {}, node.name);
}

const convolution =
  (depthwise: boolean): Translate =>
  (translation) => {
    const {node, emit} = translation;
    const [x, , ...extra] = node.input;
    const {shape} = translation.known(1);
    const kernel = depthwise
      ? translation.weight(1, [2, 3, 0, 1], ([channels, multiplier, height, width]) => [
          channels * multiplier,
          1,
          height,
          width,
        ])
      : translation.weight(1, [3, 2, 0, 1]);
    const core = emit('Conv', [toFirst(translation, x), kernel], {
      strides: spatial(node, 'strides'),
      dilations: spatial(node, 'dilations'),
      kernel_shape: [shape[0], shape[1]],
      ...padding(node),
      ...(depthwise ? {group: shape[2]} : {}),
    });
    fused(translation, toLast(translation, core), extra);
  };

const product: Translate = (translation) => {
  const {node, emit} = translation;
  const [a, b, ...extra] = node.input;
  const flipped = (name: string, at: number, ...keys: string[]) => {
    if (!keys.some((key) => flagOf(node, key))) return name;
    if (!translation.isKnown(at) || translation.known(at).shape.length !== 2)
      throw refuse(node, 'a transposed input is not supported');
    return emit('Transpose', [name], {perm: [1, 0]});
  };
  const core = emit('MatMul', [flipped(a, 0, 'transpose_a', 'adj_x'), flipped(b, 1, 'transpose_b', 'adj_y')]);
  fused(translation, core, extra);
};

const batchNorm: Translate = (translation) => {
  const {node, emit} = translation;
  const [x, ...weights] = node.input;
  const core = emit('BatchNormalization', [toFirst(translation, x), ...weights], {
    epsilon: numberOf(node, 'epsilon', 1e-4),
  });
  toLast(translation, core, node.name);
};

const pool =
  (opType: 'MaxPool' | 'AveragePool'): Translate =>
  (translation) => {
    const {node, emit} = translation;
    const attributes = {kernel_shape: spatial(node, 'ksize'), strides: spatial(node, 'strides'), ...padding(node)};
    toLast(translation, emit(opType, [toFirst(translation, node.input[0])], attributes), node.name);
  };

const plain =
  (opType: string, attributes: (node: TfNode) => Record<string, number | number[] | string> = () => ({})): Translate =>
  ({node, emit}) =>
    void emit(opType, node.input, attributes(node), node.name);

const reduction =
  (opType: string): Translate =>
  ({node, emit}) =>
    void emit(opType, node.input, {keepdims: Number(flagOf(node, 'keep_dims'))}, node.name);

const pad: Translate = (translation) => {
  const {node, emit} = translation;
  const amounts = [...translation.known(1).data];
  const [before, after] = [0, 1].map((side) => amounts.filter((_, at) => at % 2 === side));
  const mode = node.op === 'MirrorPad' ? stringOf(node, 'mode', 'REFLECT') : 'CONSTANT';
  if (mode === 'SYMMETRIC') throw refuse(node, 'mode SYMMETRIC is not supported');
  const inputs = [
    node.input[0],
    translation.whole([...before, ...after]),
    ...(node.op === 'PadV2' ? [node.input[2]] : []),
  ];
  emit('Pad', inputs, {mode: mode.toLowerCase()}, node.name);
};

const concat: Translate = (translation) => {
  const {node, emit} = translation;
  const axisFirst = node.op === 'Concat';
  const [axis] = translation.known(axisFirst ? 0 : node.input.length - 1).data;
  emit('Concat', axisFirst ? node.input.slice(1) : node.input.slice(0, -1), {axis}, node.name);
};

const pack: Translate = (translation) => {
  const {node, emit} = translation;
  const axis = numberOf(node, 'axis', 0);
  const parts = node.input.map((name) => emit('Unsqueeze', [name, translation.whole([axis])]));
  emit('Concat', parts, {axis}, node.name);
};

/** Begins, ends and strides with masks: bit n is for the n-th. */
const stridedSlice: Translate = (translation) => {
  const {node, emit} = translation;
  const [begin, end, strides] = [1, 2, 3].map((at) => [...translation.known(at).data]);
  const mask = (key: string) => numberOf(node, key, 0);
  if (mask('ellipsis_mask') !== 0 || mask('new_axis_mask') !== 0) throw refuse(node, 'its masks are not supported');
  const bit = (key: string, at: number) => (mask(key) & (1 << at)) !== 0;
  const shrunk = begin.flatMap((_, at) => (bit('shrink_axis_mask', at) ? [at] : []));
  const starts = begin.map((value, at) => (bit('begin_mask', at) ? 0 : value));
  const ends = end.map((value, at) => {
    if (bit('shrink_axis_mask', at)) return begin[at] === -1 ? 2 ** 31 : begin[at] + 1;
    return bit('end_mask', at) ? 2 ** 31 : value;
  });
  const axes = begin.map((_, at) => at);
  const lists = [starts, ends, axes, strides].map((values) => translation.whole(values));
  const part = emit('Slice', [node.input[0], ...lists], {}, shrunk.length === 0 ? node.name : undefined);
  if (shrunk.length > 0) emit('Squeeze', [part, translation.whole(shrunk)], {}, node.name);
};

const slice: Translate = (translation) => {
  const {node, emit} = translation;
  const [begin, size] = [1, 2].map((at) => [...translation.known(at).data]);
  const ends = begin.map((value, at) => (size[at] < 0 ? 2 ** 31 : value + size[at]));
  emit('Slice', [node.input[0], translation.whole(begin), translation.whole(ends)], {}, node.name);
};

const squeeze: Translate = (translation) => {
  const {node, emit} = translation;
  const axes = [...listOf(node, 'squeeze_dims'), ...listOf(node, 'axis')];
  emit('Squeeze', [node.input[0], ...(axes.length > 0 ? [translation.whole(axes)] : [])], {}, node.name);
};

const resize =
  (mode: 'nearest' | 'linear'): Translate =>
  (translation) => {
    const {node, emit} = translation;
    const [height, width] = translation.known(1).data;
    const how = flagOf(node, 'align_corners')
      ? 'align_corners'
      : flagOf(node, 'half_pixel_centers')
        ? 'half_pixel'
        : 'asymmetric';
    const attributes = {mode, coordinate_transformation_mode: how, nearest_mode: 'floor', axes: [2, 3]};
    const resized = emit(
      'Resize',
      [toFirst(translation, node.input[0]), '', '', translation.whole([height, width])],
      attributes,
    );
    toLast(translation, resized, node.name);
  };

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
