/**
 * Kernels that tfjs's WebAssembly engine 4.22 lacks, gets wrong or computes slowly, composed of those that it has. They serve the gradients
 * of the fused operations, too, which no registered gradient reaches.
 *
 * - No kernel: filter gradient of convolution; both gradients of depthwise convolution; segment sum (gradient of gather).
 * - Convolutions with `same` padding give zeros, without an error, where the stride leaves inputs over, i.e. where
 *   s·(H' − 1) + d·(kh − 1) + 1 < H along an axis: they are given the padding in numbers instead.
 * - The gradient of average pooling with `same` padding divides by the whole window at the border, where the forward pass
 *   divides by the part inside the image.
 * - The gradient of max pooling hands the share of a window without a value above 0 to the first input of all.
 * - The input gradient of convolution, and matrix products with a transposed factor, run as plain loops, five to twenty
 *   times slower than a convolution and a product of the same size.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  convFilterGradient,
  convInputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  maxPoolGradient,
  geometryOf,
  type ConvolutionAttributes,
  type Geometry,
} from './convolutionGradients';
import {replaceKernel, wrapKernel, type KernelCall as Call} from './kernelRegistry';

type Inputs = Record<string, tf.Tensor>;
type Attributes = Record<string, unknown>;

/** The layers API hands on null where a depthwise convolution names no dilation. */
const convolution = (attributes: Attributes) =>
  ({...attributes, dilations: attributes['dilations'] ?? [1, 1]}) as unknown as ConvolutionAttributes;

type Compute = (inputs: Inputs, attributes: Attributes) => tf.Tensor;

/** Kernels written anew. */
const REWRITTEN: Record<string, Compute> = {
  [tf.Conv2DBackpropFilter]({x, dy}, attributes) {
    if (attributes['dataFormat'] === 'NCHW') throw new Error('the filter gradient of a convolution needs NHWC data');
    const geometry = geometryOf(x!.shape, attributes['filterShape'] as number[], convolution(attributes));
    return convFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, geometry);
  },
  [tf.DepthwiseConv2dNativeBackpropInput]({dy, filter}, attributes) {
    const geometry = geometryOf(attributes['inputShape'] as number[], filter!.shape, convolution(attributes), true);
    return depthwiseInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, geometry);
  },
  [tf.DepthwiseConv2dNativeBackpropFilter]({x, dy}, attributes) {
    const geometry = geometryOf(x!.shape, attributes['filterShape'] as number[], convolution(attributes), true);
    return depthwiseFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, geometry);
  },
  [tf.UnsortedSegmentSum]({x, segmentIds}, attributes) {
    const segments = attributes['numSegments'] as number;
    const rows = segmentIds!.size;
    return tf.tidy(() => {
      const member = tf.cast(tf.oneHot(tf.reshape(segmentIds!, [rows]), segments), 'float32') as tf.Tensor2D; // [rows, segments]
      const sums = tf.matMul(member, tf.reshape(x!, [rows, -1]) as tf.Tensor2D, true); // [segments, rest]
      return tf.reshape(sums, [segments, ...x!.shape.slice(segmentIds!.rank)]);
    });
  },
  [tf.AvgPoolGrad]: averagePoolGradient,
  [tf.MaxPoolGrad]({dy, input, output}, attributes) {
    const geometry = geometryOf(input!.shape, poolWindow(input!, attributes), convolution(attributes), true);
    return maxPoolGradient(dy as tf.Tensor4D, input as tf.Tensor4D, output as tf.Tensor4D, geometry);
  },
};

/** A pooling's window as a depthwise kernel's shape, [kh, kw, C, 1]. */
function poolWindow(input: tf.Tensor, attributes: Attributes): [number, number, number, number] {
  const size = attributes['filterSize'] as number | [number, number];
  const [kh, kw] = Array.isArray(size) ? size : [size, size];
  return [kh, kw, input.shape[3]!, 1];
}

/** ∂/∂X of average pooling: each output hands dy / (inputs inside its window) to the inputs of its window. */
function averagePoolGradient({dy, input}: Inputs, attributes: Attributes): tf.Tensor {
  const window = poolWindow(input!, attributes);
  const geometry = geometryOf(input!.shape, window, convolution(attributes), true);
  return tf.tidy(() => {
    const share = tf.div(dy!, windowSizes(geometry)) as tf.Tensor4D; // [B, H', W', C]
    return depthwiseInputGradient(share, tf.ones(window), geometry); // [B, H, W, C]
  });
}

/** How many inputs each output's window holds, [1, H', W', 1]. */
function windowSizes({stride, before, input, output, kernel}: Geometry): tf.Tensor4D {
  const inside = ([0, 1] as const).map((axis) =>
    Float32Array.from({length: output[axis]}, (_, o) => {
      const first = stride[axis] * o - before[axis];
      return Math.min(input[axis], first + kernel[axis]) - Math.max(0, first);
    }),
  );
  return tf.mul(
    tf.reshape(tf.tensor1d(inside[0]!), [1, output[0], 1, 1]),
    tf.reshape(tf.tensor1d(inside[1]!), [1, 1, output[1], 1]),
  );
}

/** `same` padding in numbers, where the stride leaves inputs over; else the call as it is. */
function withPlainPadding(call: Call, depthwise: boolean): Call {
  const {x, filter} = call.inputs as Inputs;
  const attributes = call.attrs as Attributes;
  if (attributes['pad'] !== 'same' || (attributes['dataFormat'] ?? 'NHWC') !== 'NHWC') return call;
  const geometry = geometryOf(x!.shape, filter!.shape, convolution(attributes), depthwise);
  const missing = ([0, 1] as const).map((axis) => {
    const {stride, dilation, input, output, kernel} = geometry;
    return stride[axis] * (output[axis] - 1) + dilation[axis] * (kernel[axis] - 1) + 1 - input[axis];
  });
  if (missing.every((zeros) => zeros >= 0)) return call;
  const sides = missing.map((zeros, axis) => {
    const first = geometry.before[axis]!;
    return [first, Math.max(0, zeros) - first];
  });
  return {...call, attrs: {...attributes, pad: [[0, 0], ...sides, [0, 0]]} as tf.NamedAttrMap};
}

/** The product with its transposed factors turned round beforehand. */
function multiplyPlain(call: Call, multiply: tf.KernelFunc): ReturnType<tf.KernelFunc> {
  const {a, b} = call.inputs as Inputs;
  const {transposeA, transposeB} = call.attrs as {transposeA?: boolean; transposeB?: boolean};
  if (!transposeA && !transposeB) return multiply(call);
  const turn = (x: tf.Tensor) => tf.tidy(() => tf.transpose(x, [...Array(x.rank - 2).keys(), x.rank - 1, x.rank - 2]));
  const turned = {...(transposeA ? {a: turn(a!)} : {}), ...(transposeB ? {b: turn(b!)} : {})};
  const attrs = {...call.attrs, transposeA: false, transposeB: false};
  const product = multiply({...call, inputs: {...call.inputs, ...turned}, attrs});
  tf.dispose(turned);
  return product;
}

/** Kernels that hand a mended call to the engine's own, or take its place. */
const WRAPPED: Record<string, (call: Call, own: tf.KernelFunc) => ReturnType<tf.KernelFunc>> = {
  [tf.Conv2D]: (call, own) => own(withPlainPadding(call, false)),
  [tf.FusedConv2D]: (call, own) => own(withPlainPadding(call, false)),
  [tf.DepthwiseConv2dNative]: (call, own) => own(withPlainPadding(call, true)),
  [tf.FusedDepthwiseConv2D]: (call, own) => own(withPlainPadding(call, true)),
  [tf.Conv2DBackpropInput]: (call, own) => {
    const {dy, filter} = call.inputs as Inputs;
    const attributes = call.attrs as Attributes;
    if (attributes['dataFormat'] === 'NCHW') return own(call);
    const geometry = geometryOf(attributes['inputShape'] as number[], filter!.shape, convolution(attributes));
    return convInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, geometry);
  },
  [tf.BatchMatMul]: multiplyPlain,
  [tf._FusedMatMul]: multiplyPlain,
};

/** Registers these kernels, once the engine's own are there. Running it again is cheap. */
export function installWasmKernels(): void {
  if (!tf.getKernel(tf.Conv2D, 'wasm')) return;
  for (const [name, compute] of Object.entries(REWRITTEN)) {
    replaceKernel(name, 'wasm', ({inputs, attrs}) => compute(inputs as Inputs, attrs as Attributes));
  }
  for (const [name, wrap] of Object.entries(WRAPPED)) wrapKernel(name, 'wasm', wrap);
}
