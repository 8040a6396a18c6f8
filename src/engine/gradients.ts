/**
 * Gradients that tfjs 4.22 or one of its engines lacks, or computes slowly.
 *
 * | operation | tfjs alone, native | tfjs alone, wasm | here |
 * |---|---|---|---|
 * | convolution, dilation > 1: input, filter | throws | throws | both |
 * | convolution: filter | yes | no kernel | both |
 * | depthwise convolution: input | about four times slower than a forward convolution | no kernel | both, any dilation |
 * | depthwise convolution: filter | yes, without dilation | no kernel | both, any dilation |
 * | average pooling, `same` | yes | wrong at the border | both |
 * | max pooling | yes | wrong where a window holds nothing above 0 | both |
 * | mirrored padding | wrong at the border | wrong at the border | both |
 * | bilinear resizing with `halfPixelCenters` | wrong | wrong | both |
 * | gather | yes | no kernel | both |
 * | mean | three to four times slower: by a tensor of ones, made in JavaScript | the same | both |
 * | comparisons (`where(greater(x, 0), …)`) | throws | throws | zero, as they are piecewise constant |
 *
 * The gradients of batch normalisation, activations, padding, softmax, log-softmax, concatenation, slicing and matrix
 * products are right on both engines as tfjs has them. Neither engine has one for cropAndResize, stridedSlice, einsum (which
 * wasm cannot run at all), depthToSpace, gatherND, topk, rotateWithOffset and transform (which native cannot run), and FFT.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  convFilterGradient,
  convInputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  geometryOf,
  type ConvolutionAttributes,
} from './convolutionGradients';
import {mirrorPadGradient, resizeBilinearGradient} from './resampling';
import {installNativeKernels} from './nativeKernels';
import {installWasmKernels} from './wasmKernels';

const isOne = (size: ConvolutionAttributes['dilations']) =>
  (Array.isArray(size) ? size : [size ?? 1]).every((one) => one === 1);

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
    const geometry = geometryOf(x4!.shape, filter4!.shape, attributes, true);
    const ownKernel = isOne(attributes.dilations) && !Array.isArray(attributes.pad);
    return {
      x: () => depthwiseInputGradient(dy4!, filter4!, geometry),
      filter: () =>
        ownKernel
          ? run(
              tf.DepthwiseConv2dNativeBackpropFilter,
              {x: x4!, dy: dy4!},
              {...attributes, dilations: attributes.dilations ?? 1, filterShape: filter4!.shape},
            )
          : depthwiseFilterGradient(x4!, dy4!, geometry),
    };
  },
};

/** Each value is a part of its mean: dy / n everywhere. */
const mean: tf.GradConfig = {
  kernelName: tf.Mean,
  inputsToSave: ['x'],
  gradFunc(dy, [x], attrs) {
    const {shape} = x!;
    const axes = tf.util.parseAxisParam((attrs as {axis?: number | number[]}).axis as number[], shape);
    const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
    return {x: () => tf.broadcastTo(tf.reshape(tf.div(dy as tf.Tensor, count), kept), shape)};
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

const GRADIENTS = [conv2d, depthwise, mean, mirrorPadGradient, resizeBilinearGradient, ...comparisons];

/**
 * Registers the gradients above with tfjs, for all engines of the process. Running it again is cheap, and puts back what
 * another copy of tfjs replaced as it was loaded.
 */
export function installGradients(): void {
  for (const gradient of GRADIENTS) {
    if (tf.getGradient(gradient.kernelName) !== gradient) tf.registerGradient(gradient);
  }
  installWasmKernels();
  installNativeKernels();
}
