/**
 * Gradients that tfjs 4.22 or one of its engines lacks, or computes slowly.
 *
 * | operation | tfjs alone, native | tfjs alone, wasm | here |
 * |---|---|---|---|
 * | convolution, dilation > 1: input, filter | throws | throws | both |
 * | convolution: filter | yes | no kernel | both |
 * | depthwise convolution: input | about four times slower than a forward convolution | no kernel | both, any dilation |
 * | depthwise convolution: filter | yes, without dilation | no kernel | both, any dilation |
 * | gather | yes | no kernel | both |
 * | comparisons (`where(greater(x, 0), …)`) | throws | throws | zero, as they are piecewise constant |
 *
 * The gradients of max and average pooling, mean, batch normalisation, relu, relu6, padding, bilinear resizing, softmax,
 * log-softmax, concatenation, slicing and matrix products run on both engines as tfjs has them. Neither has one for
 * cropAndResize, stridedSlice, einsum (which wasm cannot run at all), depthToSpace, gatherND, topk, rotateWithOffset and
 * transform (which native cannot run), and FFT.
 *
 * `tf.fused.conv2d`, which tfjs's Conv2D layer calls, has a gradient of its own that no registration reaches: see
 * `leanConvolutions`.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  convFilterGradient,
  convInputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  geometryOf,
} from './convolutionGradients';

type Size2 = number | [number, number];
interface ConvolutionAttributes {
  strides: Size2;
  pad: unknown;
  dilations?: Size2;
  dataFormat?: 'NHWC' | 'NCHW';
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

const isOne = (size: Size2 | undefined) =>
  size === undefined || size === 1 || (Array.isArray(size) && size.every((n) => n === 1));

/** Runs an engine's kernel by name. */
function run(kernel: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

const conv2d: tf.GradConfig = {
  kernelName: tf.Conv2D,
  inputsToSave: ['x', 'filter'],
  gradFunc(dy, [x, filter], attrs) {
    const [dy4, x4, filter4] = [dy, x, filter] as tf.Tensor4D[];
    const {strides, pad, dataFormat = 'NHWC', dimRoundingMode, dilations} = attrs as unknown as ConvolutionAttributes;
    if (isOne(dilations) && !Array.isArray(pad)) {
      const shared = {strides, pad, dataFormat, dimRoundingMode};
      return {
        x: () => run(tf.Conv2DBackpropInput, {dy: dy4!, filter: filter4!}, {...shared, inputShape: x4!.shape}),
        filter: () => run(tf.Conv2DBackpropFilter, {x: x4!, dy: dy4!}, {...shared, filterShape: filter4!.shape}),
      };
    }
    if (dataFormat !== 'NHWC')
      throw new Error(`the gradient of a dilated convolution needs NHWC data, not ${dataFormat}`);
    const geometry = geometryOf(x4!.shape, filter4!.shape, {strides, pad, dimRoundingMode, dilations});
    return {
      x: () => convInputGradient(dy4!, filter4!, geometry),
      filter: () => convFilterGradient(x4!, dy4!, geometry),
    };
  },
};

const depthwise: tf.GradConfig = {
  kernelName: tf.DepthwiseConv2dNative,
  inputsToSave: ['x', 'filter'],
  gradFunc(dy, [x, filter], attrs) {
    const [dy4, x4, filter4] = [dy, x, filter] as tf.Tensor4D[];
    const attributes = attrs as unknown as ConvolutionAttributes;
    const geometry = geometryOf(x4!.shape, filter4!.shape, {...attributes, depthwise: true});
    const ownKernel = isOne(attributes.dilations) && !Array.isArray(attributes.pad);
    return {
      x: () => depthwiseInputGradient(dy4!, filter4!, geometry),
      filter: () =>
        ownKernel
          ? run(
              tf.DepthwiseConv2dNativeBackpropFilter,
              {x: x4!, dy: dy4!},
              {dilations: 1, ...attributes, filterShape: filter4!.shape},
            )
          : depthwiseFilterGradient(x4!, dy4!, geometry),
    };
  },
};

/** A comparison is constant almost everywhere. */
const comparisons: tf.GradConfig[] = [tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual, tf.Equal, tf.NotEqual].map(
  (kernelName) => ({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (_dy, [a, b]) => ({a: () => tf.zerosLike(a!), b: () => tf.zerosLike(b!)}),
  }),
);

const GRADIENTS = [conv2d, depthwise, ...comparisons];

type Kernel = (inputs: Record<string, tf.Tensor>, attributes: Record<string, unknown>) => tf.Tensor;

/** Kernels that the WebAssembly engine lacks, composed of those that it has. They serve the fused operations' gradients, too. */
const WASM_KERNELS: Record<string, Kernel> = {
  [tf.Conv2DBackpropFilter]({x, dy}, attrs) {
    const {filterShape, ...rest} = attrs as unknown as ConvolutionAttributes & {filterShape: number[]};
    return convFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, geometryOf(x!.shape, filterShape, rest));
  },
  [tf.DepthwiseConv2dNativeBackpropInput]({dy, filter}, attrs) {
    const {inputShape, ...rest} = attrs as unknown as ConvolutionAttributes & {inputShape: number[]};
    const geometry = geometryOf(inputShape, filter!.shape, {...rest, depthwise: true});
    return depthwiseInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, geometry);
  },
  [tf.DepthwiseConv2dNativeBackpropFilter]({x, dy}, attrs) {
    const {filterShape, ...rest} = attrs as unknown as ConvolutionAttributes & {filterShape: number[]};
    const geometry = geometryOf(x!.shape, filterShape, {...rest, depthwise: true});
    return depthwiseFilterGradient(x as tf.Tensor4D, dy as tf.Tensor4D, geometry);
  },
  [tf.UnsortedSegmentSum]({x, segmentIds}, {numSegments}) {
    return tf.tidy(() => {
      const rows = segmentIds!.size;
      const member = tf.cast(tf.oneHot(tf.reshape(segmentIds!, [rows]), numSegments as number), 'float32'); // [rows, segments]
      const sums = tf.matMul(member as tf.Tensor2D, tf.reshape(x!, [rows, -1]) as tf.Tensor2D, true); // [segments, rest]
      return tf.reshape(sums, [numSegments as number, ...x!.shape.slice(segmentIds!.rank)]);
    });
  },
};

/**
 * Registers the gradients above with tfjs, for all engines of the process. Running it again is cheap, and puts back what
 * another copy of tfjs replaced as it was loaded.
 */
export function installGradients(): void {
  for (const gradient of GRADIENTS) {
    if (tf.getGradient(gradient.kernelName) !== gradient) tf.registerGradient(gradient);
  }
  for (const [kernelName, kernel] of Object.entries(WASM_KERNELS)) {
    if (tf.getKernel(kernelName, 'wasm') || !tf.getKernel(tf.Conv2D, 'wasm')) continue;
    const kernelFunc: tf.KernelFunc = ({inputs, attrs}) =>
      kernel(inputs as Record<string, tf.Tensor>, attrs as Record<string, unknown>);
    tf.registerKernel({kernelName, backendName: 'wasm', kernelFunc});
  }
}
