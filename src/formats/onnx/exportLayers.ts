/** Layers with weights, as ONNX has them. */
import {InputError} from '../../common/errors';
import {batchNormAffine} from '../../network/fold';
import {weightOf} from '../../network/graph';
import {imageWindows, type Padding, type Pair} from '../../network/operators';
import {axisOf, channelsLast, weight, type Write, type Writer} from './exportWriter';
import {transposed} from './tensors';

function turned(writer: Writer, name: string, order: readonly number[], shape?: readonly number[]): string {
  const {data, shape: old} = weight(writer, name);
  const moved = transposed(data, old, order);
  return writer.weight(name, shape ?? moved.shape, moved.data as Float32Array);
}

const bias = (writer: Writer) => {
  const found = weightOf(writer.node, 'bias');
  return found ? [writer.weight('bias', found.shape, found.data)] : [];
};

export interface Window {
  strides: Pair;
  padding: Padding;
  dilationRate?: Pair;
  ceilMode?: boolean;
  poolSize: Pair;
}

/** Strides, padding and dilation of a window as ONNX names them. */
export function windowAttributes(writer: Writer, size: Pair): Record<string, number | number[]> {
  const {strides, padding, dilationRate = [1, 1], ceilMode} = writer.node.args as unknown as Window;
  const [height, width] = writer.shapeOf(writer.node.inputs[0]);
  const [rows, columns] = imageWindows([height, width], {size, strides, padding, dilation: dilationRate, ceilMode});
  const dilations: Record<string, number[]> = dilationRate.some((step) => step !== 1)
    ? {dilations: [...dilationRate]}
    : {};
  const pads = [rows.before, columns.before, rows.asked, columns.asked];
  return {kernel_shape: [...size], strides: [...strides], pads, ...dilations};
}

export const conv: Write = (writer) => {
  const {node} = writer;
  const {shape} = weight(writer, 'kernel');
  const size: Pair = [shape[0], shape[1]];
  const depthwise = node.operator === 'DepthwiseConv2D';
  const kernel = depthwise
    ? turned(writer, 'kernel', [2, 3, 0, 1], [shape[2] * shape[3], 1, ...size])
    : turned(writer, 'kernel', [3, 2, 0, 1]);
  const group = depthwise ? shape[2] : (node.args.groups as number);
  writer.emit('Conv', [node.inputs[0], kernel, ...bias(writer)], {...windowAttributes(writer, size), group}, node.name);
};

export const convTranspose: Write = (writer) => {
  const {node} = writer;
  const {strides, dilationRate = [1, 1], padding} = node.args as unknown as Window;
  const {shape} = weight(writer, 'kernel');
  const input = writer.shapeOf(node.inputs[0]);
  const output = writer.shapeOf(node.name);
  const along = [0, 1].map((axis) => {
    const full = (input[axis] - 1) * strides[axis] + dilationRate[axis] * (shape[axis] - 1) + 1;
    const cut =
      typeof padding !== 'string'
        ? padding[axis][0]
        : padding === 'same'
          ? Math.max(full - input[axis] * strides[axis], 0) >> 1
          : 0;
    const after = full - cut - output[axis];
    return {before: cut, after: Math.max(after, 0), more: Math.max(-after, 0)};
  });
  writer.emit(
    'ConvTranspose',
    [node.inputs[0], turned(writer, 'kernel', [3, 2, 0, 1]), ...bias(writer)],
    {
      kernel_shape: shape.slice(0, 2),
      strides: [...strides],
      dilations: [...dilationRate],
      pads: [...along.map(({before}) => before), ...along.map(({after}) => after)],
      output_padding: along.map(({more}) => more),
    },
    node.name,
  );
};

export const dense: Write = (writer) => {
  const {node} = writer;
  const {shape, data} = weight(writer, 'kernel');
  const kernel = writer.weight('kernel', shape, data);
  if (writer.shapeOf(node.inputs[0]).length === 1) {
    writer.emit('Gemm', [node.inputs[0], kernel, ...bias(writer)], {}, node.name);
    return;
  }
  channelsLast(writer, ([x], output) => {
    const [added] = bias(writer);
    if (added === undefined) return writer.emit('MatMul', [x, kernel], {}, output);
    return writer.emit('Add', [writer.emit('MatMul', [x, kernel]), added], {}, output);
  });
};

export const matMul: Write = (writer) =>
  channelsLast(writer, (inputs, output) => {
    const rank = writer.shapeOf(writer.node.inputs[0]).length + 1;
    const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
    const factors = ['transposeA', 'transposeB'].map((flag, at) =>
      writer.node.args[flag] === true ? writer.emit('Transpose', [inputs[at]], {perm}) : inputs[at],
    );
    return writer.emit('MatMul', factors, {}, output);
  });

/** A vector that acts along one of our axes, shaped to broadcast to the written value. */
function along(writer: Writer, suffix: string, data: Float32Array, axis: number): string {
  const rank = writer.shapeOf(writer.node.name).length + 1;
  const at = axisOf(writer, writer.node.name, axis);
  const shape = data.length === 1 ? [1] : Array.from({length: rank - at}, (_, n) => (n === 0 ? data.length : 1));
  return writer.weight(suffix, shape, data);
}

/** x·scale + offset; a step that changes nothing is left out. */
export function affine(writer: Writer, x: string, scale: Float32Array, offset: Float32Array, axis: number): void {
  const {name} = writer.node;
  const shifts = offset.some((value) => value !== 0);
  const scales = scale.some((value) => value !== 1);
  const scaled =
    scales || !shifts ? writer.emit('Mul', [x, along(writer, 'scale', scale, axis)], {}, shifts ? undefined : name) : x;
  if (shifts) writer.emit('Add', [scaled, along(writer, 'offset', offset, axis)], {}, name);
}

export const batchNormalization: Write = (writer) => {
  const {node} = writer;
  const {axis, epsilon} = node.args as {axis: number; epsilon: number};
  const [mean, variance] = ['moving_mean', 'moving_variance'].map((name) => weight(writer, name).data);
  const gamma = weightOf(node, 'gamma')?.data ?? new Float32Array(mean.length).fill(1);
  const beta = weightOf(node, 'beta')?.data ?? new Float32Array(mean.length);
  if (axisOf(writer, node.name, axis) === 1) {
    const named = {gamma, beta, moving_mean: mean, moving_variance: variance};
    const weights = Object.entries(named).map(([name, data]) => writer.weight(name, [data.length], data));
    writer.emit('BatchNormalization', [node.inputs[0], ...weights], {epsilon}, node.name);
    return;
  }
  const {scale, shift} = batchNormAffine(node, mean.length);
  affine(writer, node.inputs[0], Float32Array.from(scale), Float32Array.from(shift), axis);
};

export const layerNormalization: Write = (writer) => {
  const {node} = writer;
  const {axes, epsilon} = node.args as {axes: number[]; epsilon: number};
  const shape = writer.shapeOf(node.name);
  const first = Math.min(...axes);
  if (axes.length !== shape.length + 1 - first) {
    throw new InputError(
      `node "${node.name}" normalises over axes ${axes.join(', ')}; ONNX has only the last ones; save a LayersModel instead`,
    );
  }
  const sizes = shape.slice(first - 1);
  const size = sizes.reduce((product, length) => product * length, 1);
  const gamma = writer.weight('gamma', sizes, weightOf(node, 'gamma')?.data ?? new Float32Array(size).fill(1));
  const beta = weightOf(node, 'beta')?.data;
  const inputs = [gamma, ...(beta ? [writer.weight('beta', sizes, beta)] : [])];
  channelsLast(writer, ([x], output) =>
    writer.emit('LayerNormalization', [x, ...inputs], {axis: first, epsilon}, output),
  );
};

export const groupNormalization: Write = (writer) => {
  const {node} = writer;
  const {groups, epsilon} = node.args as {groups: number; epsilon: number};
  const [height, width, channels] = writer.shapeOf(node.name);
  const one = writer.weight('ones', [groups], new Float32Array(groups).fill(1));
  const zero = writer.weight('zeros', [groups], new Float32Array(groups));
  const grouped = writer.emit('Reshape', [node.inputs[0], writer.whole([0, groups, -1])]);
  const standard = writer.emit('InstanceNormalization', [grouped, one, zero], {epsilon});
  const back = writer.emit('Reshape', [standard, writer.whole([0, channels, height, width])]);
  const gamma = weightOf(node, 'gamma')?.data ?? new Float32Array(channels).fill(1);
  affine(writer, back, gamma, weightOf(node, 'beta')?.data ?? new Float32Array(channels), 3);
};
