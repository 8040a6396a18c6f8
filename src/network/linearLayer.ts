import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {convolve} from '../engine/convolve';
import {isHelper, weightOf, type Graph, type GraphNode} from './graph';
import {axisWindows, type AxisWindows, type Padding} from './operators';

/** A convolution or dense layer as a linear map; a dense layer is a 1×1 convolution over the axes before its last. */
export interface LinearLayer {
  name: string;
  kind: 'conv' | 'dense';
  /** [kh, kw, Cin, Cout] */
  shape: [number, number, number, number];
  /**
   * W, [kh·kw·Cin·Cout] in that order. A grouped convolution's has zeros wherever a channel does not see a source, so that every
   * formula over sources i and channels c holds for it as it is.
   */
  kernel: Float32Array;
  /** b, [Cout] */
  bias?: Float32Array;
  strides: [number, number];
  padding: Padding;
  dilation: [number, number];
  /** G: channel c sees the Cin/G sources of the group ⌊c·G/Cout⌋. */
  groups: number;
}

/** The linear layer of a node, or the reason why it is none. */
export function describeLayer(node: GraphNode): LinearLayer | string {
  const dense = node.operator === 'Dense';
  if (!dense && node.operator !== 'Conv2D') {
    return node.operator === 'DepthwiseConv2D'
      ? DEPTHWISE
      : `a ${node.operator} layer is neither a convolution nor a dense layer`;
  }
  const kernel = weightOf(node, 'kernel');
  if (!kernel) return 'it has no kernel';
  const about = {name: node.name, bias: weightOf(node, 'bias')?.data};
  if (dense) {
    const shape = [1, 1, kernel.shape[0], kernel.shape[1]] as LinearLayer['shape'];
    return {...about, kind: 'dense', shape, kernel: kernel.data, ...POINTWISE};
  }
  const {strides, padding, dilationRate, groups} = node.args as {
    strides: [number, number];
    padding: Padding;
    dilationRate: [number, number];
    groups: number;
  };
  const [kh, kw, seen, outputs] = kernel.shape;
  if (groups > 1 && seen === 1) return DEPTHWISE;
  const shape: LinearLayer['shape'] = [kh, kw, seen * groups, outputs];
  let full = groups === 1 ? kernel.data : undefined;
  return {
    ...about,
    kind: 'conv',
    shape,
    // Made when it is asked for: the list of layers needs no kernels.
    get kernel() {
      return (full ??= fullKernel(kernel.data, shape, groups));
    },
    strides: [strides[0], strides[1]],
    padding,
    dilation: [dilationRate[0], dilationRate[1]],
    groups,
  };
}

const DEPTHWISE = 'a depthwise convolution has one source channel per output channel, so there is nothing to divide';
const POINTWISE = {
  strides: [1, 1] as [number, number],
  padding: 'valid' as const,
  dilation: [1, 1] as [number, number],
  groups: 1,
};

/** A grouped kernel [kh, kw, Cin/G, Cout] with the zeros that it leaves out: [kh, kw, Cin, Cout]. */
export function fullKernel(
  grouped: Float32Array,
  [kh, kw, inputs, outputs]: readonly number[],
  groups: number,
): Float32Array {
  const kernel = new Float32Array(kh * kw * inputs * outputs);
  const [seen, width] = [inputs / groups, outputs / groups];
  for (let tap = 0; tap < kh * kw; tap++) {
    for (let i = 0; i < seen; i++) {
      const row = (tap * seen + i) * outputs;
      for (let group = 0; group < groups; group++) {
        const at = (tap * inputs + group * seen + i) * outputs + group * width;
        kernel.set(grouped.subarray(row + group * width, row + (group + 1) * width), at);
      }
    }
  }
  return kernel;
}

/** Sources that a channel sees: from the first up to, but without, the last. */
export function sourcesOf(
  {shape: [, , inputs, outputs], groups}: Pick<LinearLayer, 'shape' | 'groups'>,
  channel: number,
): [from: number, to: number] {
  const seen = inputs / groups;
  const group = Math.floor((channel * groups) / outputs);
  return [group * seen, (group + 1) * seen];
}

/** Layers that can be analysed, in the graph's order; none that stands for an addition with fixed weights, as a split's merge. */
export function linearLayers(graph: Graph): LinearLayer[] {
  return graph.nodes
    .filter((node) => !isHelper(node))
    .map(describeLayer)
    .filter((layer): layer is LinearLayer => typeof layer !== 'string');
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

/** The incoming weights of one channel, [kh·kw·Cin]. */
export function channelKernel({shape, kernel}: Pick<LinearLayer, 'shape' | 'kernel'>, channel: number): Float32Array {
  const [kh, kw, inputs, outputs] = shape;
  return Float32Array.from({length: kh * kw * inputs}, (_, at) => kernel[at * outputs + channel]);
}

/**
 * Applies the layer's geometry with another kernel.
 * @param input X, [B, H, W, Cin], or [B, Cin] of a dense layer
 * @param kernel [kh, kw, Cin, N]
 * @param bias [N]
 * @returns [B, H', W', N]; a dense layer's output is [B, 1, 1, N]
 */
export function applyLayer(layer: LinearLayer, input: tf.Tensor, kernel: tf.Tensor4D, bias?: tf.Tensor1D): tf.Tensor4D {
  const {strides, padding, dilation} = layer;
  // The kernel names all sources, so there are no groups left.
  return tf.tidy(() =>
    convolve(asPositions(input), kernel, {depthwise: false, strides, padding, dilation, groups: 1}, {bias}),
  );
}

/** Where the layer's kernel stands along height (0) or width (1) of an input of so many positions. */
export function windowsOf({shape, strides, dilation, padding}: LinearLayer, axis: 0 | 1, size: number): AxisWindows {
  const along = typeof padding === 'string' ? padding : padding[axis];
  return axisWindows(size, shape[axis], strides[axis], dilation[axis], along);
}

/** A tensor with channels last as [B, H, W, C]. */
export function asPositions(tensor: tf.Tensor): tf.Tensor4D {
  const {shape} = tensor;
  if (shape.length === 4) return tensor as tf.Tensor4D;
  const positions = shape.slice(1, -1).reduce((product, size) => product * size, 1);
  return tf.reshape(tensor, [shape[0], 1, positions, shape[shape.length - 1]]);
}

/** Rows (axis 0) or columns (axis 1) of the input that each tap visits: [taps, outputs], −1 where the tap falls on padding. */
export function visitedPositions(layer: LinearLayer, axis: 0 | 1, size: number): Int32Array[] {
  const {output: outputs, before} = windowsOf(layer, axis, size);
  return Array.from({length: layer.shape[axis]}, (_, tap) =>
    Int32Array.from({length: Math.max(outputs, 0)}, (_unused, output) => {
      const position = output * layer.strides[axis] + tap * layer.dilation[axis] - before;
      return position >= 0 && position < size ? position : -1;
    }),
  );
}
