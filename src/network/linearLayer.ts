import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {weightOf, type Graph, type GraphNode} from './graph';

/**
 * A convolution or dense layer as a linear map; a dense layer is a 1×1 convolution over the axes before its last. Strides and dilation
 * are not both above 1.
 */
export interface LinearLayer {
  name: string;
  kind: 'conv' | 'dense';
  /** [kh, kw, Cin, Cout] */
  shape: [number, number, number, number];
  /** W, [kh·kw·Cin·Cout] in that order. */
  kernel: Float32Array;
  /** b, [Cout] */
  bias?: Float32Array;
  strides: [number, number];
  padding: 'same' | 'valid';
  dilation: [number, number];
}

/** Suffix of the layer that adds the parts of split channels up again. */
export const MERGE_SUFFIX = '_merge';

function pair(value: unknown): [number, number] {
  return Array.isArray(value)
    ? [value[0] as number, value[1] as number]
    : [(value ?? 1) as number, (value ?? 1) as number];
}

/** The linear layer of a node, or the reason why it is none. */
export function describeLayer(node: GraphNode): LinearLayer | string {
  const dense = node.operator === 'Dense';
  if (!dense && node.operator !== 'Conv2D') {
    return node.operator === 'DepthwiseConv2D'
      ? 'a depthwise convolution has one source channel per output channel, so there is nothing to divide'
      : `a ${node.operator} layer is neither a convolution nor a dense layer`;
  }
  const kernel = weightOf(node, 'kernel');
  if (!kernel) return 'it has no kernel';
  if (node.args.dataFormat === 'channelsFirst') return 'it stores channels first; convert the model to channels last';
  const [strides, dilation] = dense ? [pair(1), pair(1)] : [pair(node.args.strides), pair(node.args.dilationRate)];
  if (Math.max(...strides) > 1 && Math.max(...dilation) > 1)
    return 'its strides and its dilation are both above 1, which the engines do not compute';
  const shape = (dense ? [1, 1, ...kernel.shape] : kernel.shape) as LinearLayer['shape'];
  return {
    name: node.name,
    kind: dense ? 'dense' : 'conv',
    shape,
    kernel: kernel.data,
    bias: weightOf(node, 'bias')?.data,
    strides,
    padding: dense || node.args.padding === 'valid' ? 'valid' : 'same',
    dilation,
  };
}

/** Layers that can be analysed, in the graph's order. */
export function linearLayers(graph: Graph): LinearLayer[] {
  return (
    graph.nodes
      // Merges and the option-A shortcuts of CIFAR networks add channels up with fixed weights.
      .filter(({name}) => !name.endsWith(MERGE_SUFFIX) && !name.endsWith('.shortcut'))
      .map(describeLayer)
      .filter((layer): layer is LinearLayer => typeof layer !== 'string')
  );
}

/** @throws InputError that lists the layers, or gives the reason why this one cannot be analysed */
export function linearLayer(graph: Graph, name: string): LinearLayer {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  const names = linearLayers(graph).map((layer) => layer.name);
  if (!node) throw new InputError(`no layer "${name}"; layers that can be analysed: ${names.join(', ')}`);
  const layer = describeLayer(node);
  if (typeof layer === 'string') {
    throw new InputError(`layer "${name}" cannot be analysed: ${layer}; layers that can be: ${names.join(', ')}`);
  }
  return layer;
}

/**
 * Applies the layer's geometry with another kernel.
 * @param input X, [B, H, W, Cin], or [B, Cin] of a dense layer
 * @param kernel [kh, kw, Cin, N]
 * @param bias [N]
 * @returns [B, H', W', N]; a dense layer's output is [B, 1, 1, N]
 */
export function applyLayer(layer: LinearLayer, input: tf.Tensor, kernel: tf.Tensor4D, bias?: tf.Tensor1D): tf.Tensor4D {
  return tf.tidy(() => {
    const images = asPositions(input); // [B, H, W, Cin]
    const output = tf.conv2d(images, kernel, layer.strides, layer.padding, 'NHWC', layer.dilation); // [B, H', W', N]
    return bias ? tf.add(output, bias) : output;
  });
}

/** A tensor with channels last as [B, H, W, C]. */
export function asPositions(tensor: tf.Tensor): tf.Tensor4D {
  const {shape} = tensor;
  if (shape.length === 4) return tensor as tf.Tensor4D;
  const positions = shape.slice(1, -1).reduce((product, size) => product * size, 1);
  return tf.reshape(tensor, [shape[0], 1, positions, shape[shape.length - 1]]);
}

/** Rows (or columns) of the input that each tap visits: [taps, outputs], −1 where the tap falls on zero padding. */
export function visitedPositions(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  padding: 'same' | 'valid',
): Int32Array[] {
  const extent = (taps - 1) * dilation + 1;
  const outputs = padding === 'same' ? Math.ceil(size / stride) : Math.floor((size - extent) / stride) + 1;
  const padded = padding === 'same' ? Math.max((outputs - 1) * stride + extent - size, 0) : 0;
  const before = Math.floor(padded / 2);
  return Array.from({length: taps}, (_, tap) =>
    Int32Array.from({length: outputs}, (_unused, output) => {
      const position = output * stride + tap * dilation - before;
      return position >= 0 && position < size ? position : -1;
    }),
  );
}
