/**
 * Networks with fixed weights, made for the gradient with respect to their input. Against tfjs's own layers: bias and ReLU
 * are computed together with the convolution even while a gradient is recorded; a ReLU's gradient is read off
 * its output; a kernel is turned round for the backward pass once, not at every step.
 */
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {convInputGradient, depthwiseInputGradient, geometryOf, type Geometry} from '../engine/convolutionGradients';
import {consumersOf, nodeOf, type Graph, type GraphNode} from '../network/graph';

type Activation = 'linear' | 'relu' | 'relu6';

/** Moves each ReLU, bounded by 6 or not, into the convolution before it, where nothing else reads that one. */
export function fuseRelus(graph: Graph): Graph {
  let fused = graph;
  for (const {name} of graph.nodes) {
    const node = nodeOf(fused, name);
    const kind = reluOf(node);
    if (!kind) continue;
    const linear = nodeOf(fused, node.inputs[0]);
    const canFuse =
      (linear.operator === 'Conv2D' || linear.operator === 'DepthwiseConv2D') &&
      (linear.args.activation ?? 'linear') === 'linear' &&
      !fused.outputs.includes(linear.name) &&
      consumersOf(fused, linear.name).length === 1;
    if (!canFuse) continue;
    const redirect = (from: string) => (from === name ? linear.name : from);
    fused = {
      ...fused,
      outputs: fused.outputs.map(redirect),
      nodes: fused.nodes
        .filter((other) => other.name !== name)
        .map((other) =>
          other === linear
            ? {...linear, args: {...linear.args, activation: kind}}
            : {...other, inputs: other.inputs.map(redirect)},
        ),
    };
  }
  return fused;
}

function reluOf({operator: className, args: config}: GraphNode): Activation | undefined {
  if (className === 'Activation') {
    return config.activation === 'relu' || config.activation === 'relu6' ? config.activation : undefined;
  }
  if (className !== 'ReLU') return undefined;
  const bound = config.maxValue ?? undefined;
  if (bound === undefined) return 'relu';
  return bound === 6 ? 'relu6' : undefined;
}

/** The members of tfjs-layers' two convolution layers that are read here; the classes keep some of them to themselves. */
interface ConvolutionLayer {
  getClassName(): string;
  call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[];
  readonly kernel?: {read(): tf.Tensor4D};
  readonly depthwiseKernel?: {read(): tf.Tensor4D};
  readonly bias: {read(): tf.Tensor1D} | null;
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
  readonly dataFormat: 'channelsFirst' | 'channelsLast';
  readonly dilationRate: number | [number, number];
  readonly activation: {apply(x: tf.Tensor): tf.Tensor; getClassName(): string} | null;
}

/**
 * Replaces the calls of a freshly built model's convolutions. Values and input gradients stay as they are up to rounding; weights
 * have no gradient any more.
 * @returns frees the turned kernels
 */
export function freeze(model: tfl.LayersModel): () => void {
  const kept: tf.Tensor[] = [];
  for (const candidate of model.layers) {
    const layer = candidate as unknown as ConvolutionLayer;
    const depthwise = layer.getClassName() === 'DepthwiseConv2D';
    if (!(depthwise || layer.getClassName() === 'Conv2D') || layer.dataFormat === 'channelsFirst') continue;
    const filter = ((depthwise ? layer.depthwiseKernel : layer.kernel) as {read(): tf.Tensor4D}).read();
    const turned = tf.tidy(() => tf.keep(depthwise ? turnDepthwise(filter) : turn(filter)));
    kept.push(turned);
    const named = layer.activation?.getClassName() ?? 'linear';
    const activation: Activation = named === 'relu' || named === 'relu6' ? named : 'linear';
    const convolution: Frozen = {
      depthwise,
      filter,
      turned,
      bias: layer.bias?.read(),
      strides: layer.strides,
      padding: layer.padding,
      // tfjs's depthwise layer leaves its dilation out.
      dilations: depthwise ? [1, 1] : pair(layer.dilationRate),
      activation,
    };
    layer.call = (inputs) =>
      tf.tidy(() => {
        const y = convolve((Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D, convolution); // [B, H', W', Cout]
        return layer.activation && named !== activation ? layer.activation.apply(y) : y;
      });
  }
  return () => tf.dispose(kept);
}

interface Frozen {
  depthwise: boolean;
  /** [kh, kw, Cin, Cout], or [kh, kw, C, M] where depthwise */
  filter: tf.Tensor4D;
  /** The kernel of the backward pass at stride 1: [kh, kw, Cout, Cin], or [kh, kw, C, 1]. */
  turned: tf.Tensor4D;
  bias: tf.Tensor1D | undefined;
  strides: [number, number];
  padding: 'same' | 'valid';
  dilations: [number, number];
  activation: Activation;
}

const pair = (value: number | [number, number] | null | undefined): [number, number] =>
  Array.isArray(value) ? [value[0], value[1]] : [value ?? 1, value ?? 1];

const turn = (filter: tf.Tensor4D) => tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D; // [kh, kw, Cout, Cin]

function turnDepthwise(filter: tf.Tensor4D): tf.Tensor4D {
  const [kh, kw, channels, multiplier] = filter.shape;
  return tf.reshape(tf.reverse(filter, [0, 1]), [kh, kw, channels * multiplier, 1]); // [kh, kw, C·M, 1]
}

/** act(x ∗ W + b), with the gradient of x alone. @param x [B, H, W, Cin] */
function convolve(x: tf.Tensor4D, frozen: Frozen): tf.Tensor4D {
  const {depthwise, filter, bias, strides, padding: pad, dilations, activation} = frozen;
  const geometry = geometryOf(x.shape, filter.shape, {strides, pad, dilations}, depthwise);
  const operation = tf.customGrad((input, save) => {
    // Run by name: the fused operation takes itself apart while a gradient is recorded.
    const value = tf
      .engine()
      .runKernel(
        depthwise ? tf.FusedDepthwiseConv2D : tf.FusedConv2D,
        {x: input as tf.Tensor, filter, ...(bias && {bias})},
        {strides, pad, dilations, dataFormat: 'NHWC', activation},
      ) as tf.Tensor4D; // [B, H', W', Cout]
    (save as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) =>
      inputGradient(throughActivation(dy as tf.Tensor4D, y as tf.Tensor4D, activation), frozen, geometry);
    return {value, gradFunc};
  });
  return operation(x) as tf.Tensor4D;
}

/** dy where the activation let the value through, else 0. */
function throughActivation(dy: tf.Tensor4D, y: tf.Tensor4D, activation: Activation): tf.Tensor4D {
  if (activation === 'linear') return dy;
  // 0 where the value was held, above 0 elsewhere. Sign and step agree on it, and each engine is fast at one of them.
  const free = activation === 'relu' ? y : tf.mul(y, tf.sub(6, y));
  return tf.mul(dy, tf.getBackend() === 'wasm' ? tf.step(free) : tf.sign(free)); // [B, H', W', Cout]
}

function inputGradient(dy: tf.Tensor4D, {depthwise, filter, turned}: Frozen, geometry: Geometry): tf.Tensor4D {
  const {stride, dilation, before, input, output, kernel} = geometry;
  if (stride.some((n) => n !== 1) || (depthwise && filter.shape[3] !== 1)) {
    // Few layers are such: the general form, which turns the kernel anew, is good enough for them.
    return depthwise ? depthwiseInputGradient(dy, filter, geometry) : convInputGradient(dy, filter, geometry);
  }
  const sides = ([0, 1] as const).map((axis): [number, number] => {
    const reach = dilation[axis] * (kernel[axis] - 1);
    const ahead = reach - before[axis];
    return [ahead, input[axis] + reach - ahead - output[axis]];
  });
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], sides[0], sides[1], [0, 0]];
  const back = depthwise ? tf.depthwiseConv2d : tf.conv2d;
  return back(dy, turned, 1, pad as unknown as 'valid', 'NHWC', dilation); // [B, H, W, Cin]
}
