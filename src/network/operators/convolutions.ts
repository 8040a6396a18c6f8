import * as tf from '@tensorflow/tfjs-core';
import {convolve, type Convolution} from '../../engine/convolve';
import {convInputGradient} from '../../engine/convolutionGradients';
import type {GraphNode} from '../graph';
import {padding, pair, whole, withInitial} from './rules';
import {checkWeight, imageShape, inWords, neededWeight, operator, refuse, type Operator, type Shape} from './types';
import {imageWindows, type Padding, type Pair} from './windows';

const geometry = {
  strides: withInitial(pair(1), [1, 1]),
  padding: withInitial(padding, 'valid'),
  dilationRate: withInitial(pair(1), [1, 1]),
};

interface ConvolutionArguments {
  strides: Pair;
  padding: Padding;
  dilationRate: Pair;
  groups?: number;
}

const argumentsOf = (node: GraphNode) => node.args as unknown as ConvolutionArguments;

/** The convolution that a Conv2D or DepthwiseConv2D node is. */
export function convolutionOf(node: GraphNode): Convolution {
  const {strides, padding, dilationRate: dilation, groups = 1} = argumentsOf(node);
  return {depthwise: node.operator === 'DepthwiseConv2D', strides, padding, dilation, groups};
}

function outputSize(node: GraphNode, input: Pair, kernel: readonly number[]): Pair {
  const {strides, padding, dilationRate: dilation} = argumentsOf(node);
  const size: Pair = [kernel[0]!, kernel[1]!];
  const [rows, columns] = imageWindows(input, {size, strides, dilation, padding});
  if (rows.output < 1 || columns.output < 1) {
    refuse(node, `has a kernel of ${size.join('×')} that is larger than its input of ${input.join('×')}`);
  }
  return [rows.output, columns.output];
}

const run: Operator['run'] = (node, [x], {kernel, bias}) =>
  convolve(x as tf.Tensor4D, kernel as tf.Tensor4D, convolutionOf(node), {bias});

/** Convolution, in `groups` of channels. */
export const Conv2D = operator('Conv2D', {
  rules: {...geometry, groups: withInitial(whole(1), 1)},
  weights: {kernel: 'needed', bias: 'optional'},
  shape(node, [x]) {
    const [height, width, channels] = imageShape(node, x!);
    const {shape} = neededWeight(node, 'kernel', 4);
    const groups = argumentsOf(node).groups!;
    if (channels !== shape[2]! * groups) {
      refuse(node, `takes ${shape[2]! * groups} channels, and its input is ${inWords(x!)}`);
    }
    if (shape[3]! % groups !== 0) refuse(node, `divides ${shape[3]} output channels into ${groups} groups`);
    checkWeight(node, 'bias', [shape[3]!]);
    return [...outputSize(node, [height, width], shape), shape[3]!];
  },
  run,
});

/** Convolution of each channel c by itself with M kernels; output channel c·M + m. */
export const DepthwiseConv2D = operator('DepthwiseConv2D', {
  rules: geometry,
  weights: {kernel: 'needed', bias: 'optional'},
  shape(node, [x]) {
    const [height, width, channels] = imageShape(node, x!);
    const {shape} = neededWeight(node, 'kernel', 4);
    if (channels !== shape[2]) refuse(node, `takes ${shape[2]} channels, and its input is ${inWords(x!)}`);
    checkWeight(node, 'bias', [shape[2]! * shape[3]!]);
    return [...outputSize(node, [height, width], shape), shape[2]! * shape[3]!];
  },
  run,
});

/**
 * Transposed convolution: each input adds its kernel, times its value, to the output. The full output has (n − 1)·stride + reach rows, reach
 * = dilation·(kernel − 1) + 1. `valid` keeps it (n·stride where that is more), `same` cuts it to n·stride, explicit padding cuts these amounts off
 * its sides; `outputPadding` rows are added at the end.
 */
export const Conv2DTranspose = operator('Conv2DTranspose', {
  rules: {...geometry, outputPadding: withInitial(pair(0), [0, 0])},
  weights: {kernel: 'needed', bias: 'optional'},
  shape(node, [x]) {
    const [height, width, channels] = imageShape(node, x!);
    const {shape} = neededWeight(node, 'kernel', 4);
    if (channels !== shape[3]) refuse(node, `takes ${shape[3]} channels, and its input is ${inWords(x!)}`);
    checkWeight(node, 'bias', [shape[2]!]);
    const sizes = transposedSize(node, [height, width], shape).map(({output}) => output);
    if (sizes.some((size) => size < 1)) refuse(node, `cuts off all of its output`);
    return [...sizes, shape[2]!];
  },
  run: (node, [x], {kernel, bias}) =>
    tf.tidy(() => {
      const {strides: stride, dilationRate: dilation} = argumentsOf(node);
      const input: Pair = [x!.shape[1]!, x!.shape[2]!];
      const [rows, columns] = transposedSize(node, input, kernel!.shape);
      // The gradient of a convolution that would take the output to the input.
      const y = convInputGradient(x as tf.Tensor4D, kernel as tf.Tensor4D, {
        stride,
        dilation,
        before: [rows.cut, columns.cut],
        input: [rows.output, columns.output],
        output: input,
        kernel: [kernel!.shape[0]!, kernel!.shape[1]!],
      }); // [B, H', W', Cout]
      return bias ? tf.add(y, bias) : y;
    }),
});

type TransposedAxis = {output: number; /** Rows cut off before the output. */ cut: number};

/** Rows and columns of a transposed convolution's output, which say all that padding and output padding do. */
export function transposedSize(node: GraphNode, input: Pair, kernel: Shape): [TransposedAxis, TransposedAxis] {
  const {strides, padding, dilationRate} = argumentsOf(node);
  const outputPadding = node.args['outputPadding'] as Pair;
  const along = (axis: 0 | 1): TransposedAxis => {
    const full = (input[axis] - 1) * strides[axis] + dilationRate[axis] * (kernel[axis]! - 1) + 1;
    const extra = outputPadding[axis];
    if (typeof padding !== 'string') {
      const [before, after] = padding[axis];
      return {output: full - before - after + extra, cut: before};
    }
    const whole = input[axis] * strides[axis];
    if (padding === 'valid') return {output: Math.max(full, whole) + extra, cut: 0};
    return {output: whole + extra, cut: Math.max(full - whole, 0) >> 1};
  };
  return [along(0), along(1)];
}
