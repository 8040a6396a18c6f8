/**
 * Convolution and bias in one pass over memory on native TensorFlow. tfjs adds the bias to the convolution's finished output; TensorFlow's oneDNN
 * kernel adds it on the way, but TensorFlow itself reaches that kernel from whole graphs only. Its operation can be called by its name and its
 * kernel's label.
 */
import * as tf from '@tensorflow/tfjs-core';
import {wrapKernel, type KernelCall} from './kernelRegistry';

/** What is used of tfjs-node's backend. */
interface NativeBackend {
  executeSingleOutput(name: string, attributes: object[], inputs: tf.TensorInfo[]): tf.Tensor;
  applyActivation(x: tf.Tensor, activation: string, prelu?: tf.Tensor, alpha?: number): tf.Tensor;
  binding: Record<'TF_ATTR_TYPE' | 'TF_ATTR_STRING' | 'TF_ATTR_INT' | 'TF_FLOAT', number>;
}

type Info = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

function convolveWithBias(x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor, info: Info): tf.Tensor {
  const backend = tf.backend() as unknown as NativeBackend;
  const {TF_ATTR_TYPE, TF_ATTR_STRING, TF_ATTR_INT, TF_FLOAT} = backend.binding;
  const {type, top, bottom, left, right} = info.padInfo;
  const padding = type === 'SAME' || type === 'VALID' ? type : 'EXPLICIT';
  const attributes = [
    {name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT},
    {name: '_kernel', type: TF_ATTR_STRING, value: 'MklNameChangeOp'},
    {name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC'},
    {name: 'strides', type: TF_ATTR_INT, value: [1, info.strideHeight, info.strideWidth, 1]},
    {name: 'dilations', type: TF_ATTR_INT, value: [1, info.dilationHeight, info.dilationWidth, 1]},
    {name: 'padding', type: TF_ATTR_STRING, value: padding},
    ...(padding === 'EXPLICIT'
      ? [{name: 'explicit_paddings', type: TF_ATTR_INT, value: [0, 0, top, bottom, left, right, 0, 0]}]
      : []),
  ];
  return backend.executeSingleOutput('_MklNativeConv2DWithBias', attributes, [x, filter, bias]);
}

type Pad = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];
type Sizes = [number, number, number, number];

interface Attributes {
  strides: number | [number, number];
  dilations: number | [number, number];
  pad: Pad;
  dataFormat?: string;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  activation?: string;
  leakyreluAlpha?: number;
}

const infoOf = (x: tf.TensorInfo, filter: tf.TensorInfo, {strides, dilations, pad, dimRoundingMode}: Attributes) =>
  tf.backend_util.computeConv2DInfo(x.shape as Sizes, filter.shape as Sizes, strides, dilations, pad, dimRoundingMode);

/** Whether this TensorFlow has the kernel, and it computes what it should. */
function works(): boolean {
  // TensorFlow's own switch against oneDNN.
  if (process.env['TF_ENABLE_ONEDNN_OPTS'] === '0') return false;
  return tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]);
    const filter = tf.tensor4d([1, 2, 3, 4], [1, 1, 2, 2]);
    const bias = tf.tensor1d([0.5, -0.5]);
    try {
      const info = infoOf(x, filter, {strides: 1, dilations: 1, pad: 'valid'});
      const values = convolveWithBias(x, filter, bias, info).dataSync();
      return [7.5, 9.5, 15.5, 21.5, 23.5, 33.5, 31.5, 45.5].every((value, i) => values[i] === value);
    } catch {
      return false;
    }
  });
}

let working: boolean | undefined;

function withBias(call: KernelCall, own: tf.KernelFunc): ReturnType<tf.KernelFunc> {
  const {x, filter, bias, preluActivationWeights} = call.inputs as Record<string, tf.Tensor>;
  const attributes = call.attrs as unknown as Attributes;
  const fits = bias?.rank === 1 && bias.size === filter!.shape[3] && (attributes.dataFormat ?? 'NHWC') === 'NHWC';
  if (!fits || x!.dtype !== 'float32' || !(working ??= works())) return own(call);
  const sum = convolveWithBias(x as tf.Tensor4D, filter as tf.Tensor4D, bias, infoOf(x!, filter!, attributes));
  const {activation = 'linear', leakyreluAlpha} = attributes;
  if (activation === 'linear') return sum;
  const backend = tf.backend() as unknown as NativeBackend;
  const output = backend.applyActivation(sum, activation, preluActivationWeights, leakyreluAlpha);
  sum.dispose();
  return output;
}

/** Puts it in place of the native engine's fused convolution. Running it again is cheap. */
export function installBiasedConvolution(): void {
  wrapKernel(tf.FusedConv2D, 'tensorflow', withBias);
}
