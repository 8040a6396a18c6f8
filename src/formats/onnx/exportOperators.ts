import {InputError} from '../../common/errors';
import type {Pair} from '../../network/operators';
import * as layers from './exportLayers';
import {axisOf, channelsLast, isImage, weight, type Write, type Writer} from './exportWriter';
import {transposed} from './tensors';

const {affine, windowAttributes} = layers;
type Window = layers.Window;

const scalar = (writer: Writer, suffix: string, value: number) => writer.weight(suffix, [], Float32Array.of(value));

const relu: Write = (writer) => {
  const {node} = writer;
  const {maxValue, negativeSlope, threshold} = node.args as {
    maxValue: number | null;
    negativeSlope: number;
    threshold: number;
  };
  const kinds = [maxValue !== null, negativeSlope !== 0, threshold !== 0].filter(Boolean).length;
  if (kinds > 1)
    throw new InputError(
      `node "${node.name}" is a ReLU with several of bound, slope and threshold, which ONNX does not have; save a LayersModel instead`,
    );
  if (maxValue !== null)
    writer.emit('Clip', [node.inputs[0], scalar(writer, 'min', 0), scalar(writer, 'max', maxValue)], {}, node.name);
  else if (negativeSlope !== 0) writer.emit('LeakyRelu', node.inputs, {alpha: negativeSlope}, node.name);
  else if (threshold !== 0) writer.emit('ThresholdedRelu', node.inputs, {alpha: threshold}, node.name);
  else writer.emit('Relu', node.inputs, {}, node.name);
};

const SIMPLE: Readonly<Record<string, string>> = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  hard_swish: 'HardSwish',
  softplus: 'Softplus',
  softsign: 'Softsign',
  selu: 'Selu',
  exponential: 'Exp',
  erf: 'Erf',
  sqrt: 'Sqrt',
  abs: 'Abs',
  negative: 'Neg',
  reciprocal: 'Reciprocal',
  log: 'Log',
};

const COMPOSED: Readonly<Record<string, (writer: Writer, x: string, output: string) => void>> = {
  swish: ({emit}, x, output) => void emit('Mul', [x, emit('Sigmoid', [x])], {}, output),
  mish: ({emit}, x, output) => void emit('Mul', [x, emit('Tanh', [emit('Softplus', [x])])], {}, output),
  square: ({emit}, x, output) => void emit('Mul', [x, x], {}, output),
  log_sigmoid: ({emit}, x, output) => void emit('Neg', [emit('Softplus', [emit('Neg', [x])])], {}, output),
  gelu(writer, x, output) {
    const {emit} = writer;
    const erf = emit('Erf', [emit('Mul', [x, scalar(writer, 'root', Math.SQRT1_2)])]);
    const gate = emit('Mul', [x, emit('Add', [erf, scalar(writer, 'one', 1)])]);
    emit('Mul', [gate, scalar(writer, 'half', 0.5)], {}, output);
  },
  gelu_tanh(writer, x, output) {
    const {emit} = writer;
    const cubed = emit('Mul', [emit('Mul', [x, emit('Mul', [x, x])]), scalar(writer, 'cubic', 0.044715)]);
    const inner = emit('Mul', [emit('Add', [x, cubed]), scalar(writer, 'root', Math.sqrt(2 / Math.PI))]);
    const gate = emit('Mul', [x, emit('Add', [emit('Tanh', [inner]), scalar(writer, 'one', 1)])]);
    emit('Mul', [gate, scalar(writer, 'half', 0.5)], {}, output);
  },
};

const activation: Write = (writer) => {
  const {node} = writer;
  const name = node.args.activation as string;
  if (Object.hasOwn(SIMPLE, name)) writer.emit(SIMPLE[name], node.inputs, {}, node.name);
  else if (Object.hasOwn(COMPOSED, name)) COMPOSED[name](writer, node.inputs[0], node.name);
  else
    throw new InputError(
      `node "${node.name}" is a ${name} activation, which is not written to ONNX; save a LayersModel instead`,
    );
};

const plain =
  (opType: string, attributes: (writer: Writer) => Record<string, number | number[] | string> = () => ({})): Write =>
  (writer) =>
    void writer.emit(opType, writer.node.inputs, attributes(writer), writer.node.name);

const onAxis = (writer: Writer) => ({axis: axisOf(writer, writer.node.name, writer.node.args.axis as number)});

const clip: Write = (writer) => {
  const {node} = writer;
  const bound = (name: string) => (typeof node.args[name] === 'number' ? scalar(writer, name, node.args[name]) : '');
  writer.emit('Clip', [node.inputs[0], bound('min'), bound('max')], {}, node.name);
};

const constant: Write = (writer) => {
  const {data, shape} = weight(writer, 'value');
  const moved = shape.length === 3 ? transposed(data, shape, [2, 0, 1]) : {shape, data};
  const value = writer.weight('value', [1, ...moved.shape], moved.data as Float32Array);
  writer.emit('Identity', [value], {}, writer.node.name);
};

/** The number of images, as a list of one. */
const batchOf = (writer: Writer) =>
  writer.emit('Slice', [writer.emit('Shape', [writer.image]), writer.whole([0]), writer.whole([1])]);

const concatenate: Write = (writer) => {
  const {node} = writer;
  const inputs = node.inputs.map((name) => {
    if (!writer.isConstant(name)) return name;
    // Concat does not broadcast: a constant is repeated for every image.
    const [height, width, channels] = writer.shapeOf(name);
    const sizes = isImage(writer, name) ? [channels, height, width] : writer.shapeOf(name);
    return writer.emit('Expand', [name, writer.emit('Concat', [batchOf(writer), writer.whole(sizes)], {axis: 0})]);
  });
  writer.emit('Concat', inputs, onAxis(writer), node.name);
};

const prelu: Write = (writer) => {
  const {data, shape} = weight(writer, 'alpha');
  const full = [...new Array<number>(writer.shapeOf(writer.node.name).length - shape.length).fill(1), ...shape];
  const moved = full.length === 3 ? transposed(data, full, [2, 0, 1]) : {shape: full, data};
  writer.emit(
    'PRelu',
    [writer.node.inputs[0], writer.weight('alpha', moved.shape, moved.data as Float32Array)],
    {},
    writer.node.name,
  );
};

const slice: Write = (writer) => {
  const {node} = writer;
  const {axis, start, end, step} = node.args as Record<string, number>;
  const numbers = [start, end, axisOf(writer, node.name, axis), step].map((value) => writer.whole([value]));
  writer.emit('Slice', [node.inputs[0], ...numbers], {}, node.name);
};

const pad: Write = (writer) => {
  const {node} = writer;
  const {paddings, mode, value} = node.args as {paddings: Pair[]; mode: string; value: number};
  const sides: Pair[] = paddings.length === 3 ? [paddings[2], paddings[0], paddings[1]] : paddings;
  const pads = [0, ...sides.map(([before]) => before), 0, ...sides.map(([, after]) => after)];
  writer.emit('Pad', [node.inputs[0], writer.whole(pads), scalar(writer, 'value', value)], {mode}, node.name);
};

const reshape: Write = (writer) => {
  const {node} = writer;
  const shape = writer.shapeOf(node.name);
  const [height, width] = writer.shapeOf(node.inputs[0]);
  const asIs = isImage(writer, node.inputs[0]) && height * width === 1 && shape.length === 1;
  if (asIs) writer.emit('Reshape', [node.inputs[0], writer.whole([0, ...shape])], {}, node.name);
  else channelsLast(writer, ([x], output) => writer.emit('Reshape', [x, writer.whole([0, ...shape])], {}, output));
};

const permute: Write = (writer) =>
  channelsLast(writer, ([x], output) =>
    writer.emit('Transpose', [x], {perm: [0, ...(writer.node.args.order as number[])]}, output),
  );

const pool =
  (opType: 'MaxPool' | 'AveragePool'): Write =>
  (writer) => {
    const {poolSize, ceilMode, countPadding} = writer.node.args as unknown as Window & {countPadding?: boolean};
    const counts: Record<string, number> = opType === 'AveragePool' ? {count_include_pad: Number(countPadding)} : {};
    const attributes = {...windowAttributes(writer, poolSize), ceil_mode: Number(ceilMode ?? false), ...counts};
    writer.emit(opType, writer.node.inputs, attributes, writer.node.name);
  };

const globalPool =
  (opType: string): Write =>
  (writer) => {
    const {node} = writer;
    if (node.args.keepdims === true) writer.emit(opType, node.inputs, {}, node.name);
    else writer.emit('Flatten', [writer.emit(opType, node.inputs)], {axis: 1}, node.name);
  };

const reduction =
  (opType: 'ReduceMean' | 'ReduceMax' | 'ReduceSum'): Write =>
  (writer) => {
    const {axes, keepdims} = writer.node.args as {axes: number[]; keepdims: boolean};
    // Axes become an input of ReduceSum first.
    const reduce = (x: string, along: number[], output?: string) =>
      opType === 'ReduceSum'
        ? writer.emit(opType, [x, writer.whole(along)], {keepdims: Number(keepdims)}, output)
        : writer.emit(opType, [x], {axes: along, keepdims: Number(keepdims)}, output);
    const [input] = writer.node.inputs;
    if (keepdims)
      reduce(
        input,
        axes.map((axis) => axisOf(writer, input, axis)),
        writer.node.name,
      );
    else channelsLast(writer, ([x], output) => reduce(x, axes, output));
  };

const resize: Write = (writer) => {
  const {node} = writer;
  const {interpolation, coordinates} = node.args as Record<string, string>;
  const [height, width, channels] = writer.shapeOf(node.name);
  const sizes = writer.emit('Concat', [batchOf(writer), writer.whole([channels, height, width])], {axis: 0});
  const how = {
    mode: interpolation === 'nearest' ? 'nearest' : 'linear',
    coordinate_transformation_mode: coordinates,
    nearest_mode: coordinates === 'asymmetric' ? 'floor' : 'round_prefer_ceil',
  };
  writer.emit('Resize', [node.inputs[0], '', '', sizes], how, node.name);
};

const rescaling: Write = (writer) => {
  const axis = writer.shapeOf(writer.node.name).length;
  affine(writer, writer.node.inputs[0], weight(writer, 'scale').data, weight(writer, 'offset').data, axis);
};

const power: Write = (writer) =>
  void writer.emit(
    'Pow',
    [writer.node.inputs[0], scalar(writer, 'exponent', writer.node.args.exponent as number)],
    {},
    writer.node.name,
  );

/** How each of our operators is written. */
export const EXPORTS: Readonly<Record<string, Write>> = {
  Constant: constant,
  Conv2D: layers.conv,
  DepthwiseConv2D: layers.conv,
  Conv2DTranspose: layers.convTranspose,
  Dense: layers.dense,
  MatMul: layers.matMul,
  BatchNormalization: layers.batchNormalization,
  LayerNormalization: layers.layerNormalization,
  GroupNormalization: layers.groupNormalization,
  Rescaling: rescaling,
  ReLU: relu,
  ELU: plain('Elu', ({node}) => ({alpha: node.args.alpha as number})),
  PReLU: prelu,
  HardSigmoid: plain('HardSigmoid', ({node}) => ({alpha: node.args.slope as number, beta: node.args.offset as number})),
  Activation: activation,
  Clip: clip,
  Softmax: plain('Softmax', onAxis),
  LogSoftmax: plain('LogSoftmax', onAxis),
  Add: plain('Sum'),
  Subtract: plain('Sub'),
  Multiply: (writer) => {
    const [first, ...rest] = writer.node.inputs;
    rest.reduce(
      (x, y, at) => writer.emit('Mul', [x, y], {}, at === rest.length - 1 ? writer.node.name : undefined),
      first,
    );
  },
  Divide: plain('Div'),
  Maximum: plain('Max'),
  Minimum: plain('Min'),
  Average: plain('Mean'),
  Power: power,
  Concatenate: concatenate,
  Slice: slice,
  Pad: pad,
  Reshape: reshape,
  Permute: permute,
  MaxPooling2D: pool('MaxPool'),
  AveragePooling2D: pool('AveragePool'),
  GlobalAveragePooling2D: globalPool('GlobalAveragePool'),
  GlobalMaxPooling2D: globalPool('GlobalMaxPool'),
  Mean: reduction('ReduceMean'),
  Max: reduction('ReduceMax'),
  Sum: reduction('ReduceSum'),
  Resize: resize,
};
