/**
 * Convolutions with fixed weights, of every geometry, on both engines. Bias and activation are computed with them even while a gradient is
 * recorded; the gradient is that of the input alone; an activation's gradient is read off its output.
 *
 * Native TensorFlow convolves in groups, with explicit padding, with strides and dilation together; a depthwise kernel needs equal strides.
 * WebAssembly convolves each group by itself.
 */
import * as tf from '@tensorflow/tfjs-core';
import {LINEAR, throughActivation, type Fused} from './activation';
import {spread, type Geometry} from './convolutionGradients';
import {everyNth} from './everyNth';

type Pair = [number, number];

/** A convolution without its numbers. */
export interface Convolution {
  /** Whether the filter is [kh, kw, C, M], one input channel for each output channel. */
  depthwise: boolean;
  strides: Pair;
  dilation: Pair;
  /** `same` and `valid` as TensorFlow has them, else [[top, bottom], [left, right]]. */
  padding: 'same' | 'valid' | [Pair, Pair];
  /** 1 of a depthwise one */
  groups: number;
}

export interface ConvolveOptions {
  /** [Cout] */
  bias?: tf.Tensor;
  activation?: Fused;
  /** Gives `turnedKernel` of the filter, where it is kept; else each backward pass makes it. */
  turned?: () => tf.Tensor4D;
}

/** act(x ∗ W + b). @param x [B, H, W, Cin] @param filter [kh, kw, Cin/groups, Cout], depthwise [kh, kw, C, M] */
export function convolve(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  convolution: Convolution,
  {bias, activation = LINEAR, turned}: ConvolveOptions = {},
): tf.Tensor4D {
  const operation = tf.customGrad((input, save) => {
    const value = forward(input as tf.Tensor4D, filter, convolution, bias, activation); // [B, H', W', Cout]
    (save as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) =>
      tf.tidy(() => {
        const dz = throughActivation(dy, y!, activation) as tf.Tensor4D;
        return inputGradient(
          dz,
          filter,
          geometryOf(x.shape, filter.shape, value.shape, convolution),
          convolution,
          turned,
        );
      });
    return {value, gradFunc};
  });
  return operation(x) as tf.Tensor4D;
}

/**
 * The kernel of the backward pass, turned round with its channels exchanged within each group: [kh, kw, Cout/groups, Cin], depthwise
 * [kh, kw, C·M, 1].
 */
export function turnedKernel(filter: tf.Tensor4D, {depthwise, groups}: Pick<Convolution, 'depthwise' | 'groups'>) {
  return tf.tidy(() => {
    const [kh, kw, inner, outer] = filter.shape;
    const flipped = tf.reverse(filter, [0, 1]);
    if (depthwise) return tf.reshape(flipped, [kh, kw, inner * outer, 1]) as tf.Tensor4D;
    const grouped = tf.reshape(flipped, [kh, kw, inner, groups, outer / groups]);
    return tf.reshape(tf.transpose(grouped, [0, 1, 4, 3, 2]), [kh, kw, outer / groups, groups * inner]) as tf.Tensor4D;
  });
}

/** Calls an engine's kernel by name: the operations of the same names refuse groups, and take a fused kernel apart under a tape. */
function kernel(name: string, inputs: Record<string, tf.Tensor>, attributes: object): tf.Tensor4D {
  return tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor4D;
}

function forward(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  convolution: Convolution,
  bias: tf.Tensor | undefined,
  activation: Fused,
): tf.Tensor4D {
  const {depthwise, strides, dilation, padding, groups} = convolution;
  const native = tf.getBackend() === 'tensorflow';
  if (!depthwise && groups > 1 && !native) return groupwise(x, filter, convolution, bias, activation);
  if (depthwise && native && strides[0] !== strides[1])
    return unevenDepthwise(x, filter, convolution, bias, activation);
  const pad = typeof padding === 'string' ? padding : [[0, 0], ...padding, [0, 0]];
  const attributes = {strides, pad, dilations: dilation, dataFormat: 'NHWC', ...activationAttributes(activation)};
  const fused = depthwise ? tf.FusedDepthwiseConv2D : tf.FusedConv2D;
  const plain = depthwise ? tf.DepthwiseConv2dNative : tf.Conv2D;
  const name = bias || activation.kind !== 'linear' ? fused : plain;
  return kernel(name, {x, filter, ...(bias && {bias})}, attributes);
}

const activationAttributes = (activation: Fused) => ({
  activation: activation.kind,
  ...(activation.kind === 'leakyrelu' && {leakyreluAlpha: activation.alpha}),
});

/** Each group by itself: [B, H, W, Cin/groups] → [B, H', W', Cout/groups]. */
function groupwise(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  convolution: Convolution,
  bias: tf.Tensor | undefined,
  activation: Fused,
): tf.Tensor4D {
  const {groups} = convolution;
  return tf.tidy(() => {
    const inputs = tf.split(x, groups, 3) as tf.Tensor4D[];
    const filters = tf.split(filter, groups, 3) as tf.Tensor4D[];
    const biases = bias && tf.split(bias, groups, 0);
    const outputs = inputs.map((input, g) =>
      forward(input, filters[g]!, {...convolution, groups: 1}, biases?.[g], activation),
    );
    return tf.concat(outputs, 3);
  });
}

/** With strides 1, then every so many rows and columns. */
function unevenDepthwise(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  convolution: Convolution,
  bias: tf.Tensor | undefined,
  activation: Fused,
): tf.Tensor4D {
  return tf.tidy(() => {
    const {strides, dilation, padding} = convolution;
    const sides = ([0, 1] as const).map((axis): Pair => {
      if (typeof padding !== 'string') return padding[axis];
      if (padding === 'valid') return [0, 0];
      const reach = dilation[axis] * (filter.shape[axis]! - 1) + 1;
      const size = x.shape[axis + 1]!;
      const total = Math.max((Math.ceil(size / strides[axis]) - 1) * strides[axis] + reach - size, 0);
      return [total >> 1, total - (total >> 1)];
    }) as [Pair, Pair];
    const dense = forward(x, filter, {...convolution, strides: [1, 1], padding: sides}, bias, activation);
    const rows = everyNth(dense, 1, 0, dense.shape[1], strides[0]);
    return everyNth(rows, 2, 0, dense.shape[2], strides[1]) as tf.Tensor4D;
  });
}

type Sizes = readonly number[];

function geometryOf(x: Sizes, filter: Sizes, y: Sizes, {strides, dilation, padding}: Convolution): Geometry {
  const before = ([0, 1] as const).map((axis) => {
    if (typeof padding !== 'string') return padding[axis][0];
    if (padding === 'valid') return 0;
    const reach = dilation[axis] * (filter[axis]! - 1) + 1;
    return Math.max((y[axis + 1]! - 1) * strides[axis] + reach - x[axis + 1]!, 0) >> 1;
  }) as Pair;
  return {
    stride: strides,
    dilation,
    before,
    input: [x[1]!, x[2]!],
    output: [y[1]!, y[2]!],
    kernel: [filter[0]!, filter[1]!],
  };
}

/** ∂/∂X, [B, H, W, Cin], from ∂/∂Z, [B, H', W', Cout]. */
function inputGradient(
  dz: tf.Tensor4D,
  filter: tf.Tensor4D,
  geometry: Geometry,
  {depthwise, groups}: Convolution,
  kept: (() => tf.Tensor4D) | undefined,
): tf.Tensor4D {
  const turned = kept ? kept() : turnedKernel(filter, {depthwise, groups});
  const {stride, dilation, before, input, output, kernel} = geometry;
  const back = {depthwise, strides: [1, 1] as Pair, dilation, groups};
  const gradient = () => {
    if (kernel[0] === 1 && kernel[1] === 1) {
      // Zeros between the elements commute with a 1×1 kernel, and there are fewer elements before they are put in.
      return spread(forward(dz, turned, {...back, padding: 'valid'}, undefined, LINEAR), geometry); // [B, H, W, Cin]
    }
    const sides = ([0, 1] as const).map((axis): Pair => {
      const reach = dilation[axis] * (kernel[axis] - 1);
      const ahead = reach - before[axis];
      return [ahead, input[axis] + reach - ahead - output[axis]];
    }) as [Pair, Pair];
    const plain = stride.every((n) => n === 1) && sides.flat().every((amount) => amount >= 0);
    if (plain) return forward(dz, turned, {...back, padding: sides}, undefined, LINEAR); // [B, H, W, Cin]
    return forward(spread(dz, geometry), turned, {...back, padding: 'valid'}, undefined, LINEAR); // [B, H, W, Cin]
  };
  const each = gradient();
  const multiplier = filter.shape[3];
  if (!depthwise || multiplier === 1) return each;
  return tf.sum(tf.reshape(each, [dz.shape[0], ...input, filter.shape[2], multiplier]), 4) as tf.Tensor4D; // [B, H, W, C]
}
