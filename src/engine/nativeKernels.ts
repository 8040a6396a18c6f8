/**
 * A kernel that native TensorFlow has on some processors only: its depthwise convolution takes a dilation above 1 where oneDNN
 * computes it, and throws elsewhere. With zeros between the elements of the kernel there is no dilation left to take.
 */
import * as tf from '@tensorflow/tfjs-core';
import {stuffZeros, type ConvolutionAttributes} from './convolutionGradients';
import {installBiasedConvolution} from './biasedConvolution';
import {wrapKernel, type KernelCall} from './kernelRegistry';

function withoutDilation(call: KernelCall, own: tf.KernelFunc): ReturnType<tf.KernelFunc> {
  const {dilations} = call.attrs as unknown as ConvolutionAttributes;
  const [high, wide] = Array.isArray(dilations) ? dilations : [dilations ?? 1, dilations ?? 1];
  if (high === 1 && wide === 1) return own(call);
  const filter = call.inputs['filter'] as tf.Tensor4D; // [kh, kw, C, M]
  const stuffed = tf.tidy(() => stuffZeros(stuffZeros(filter, 0, high), 1, wide)); // [(kh − 1)·d + 1, …, C, M]
  const attrs = {...call.attrs, dilations: [1, 1]};
  const output = own({...call, inputs: {...call.inputs, filter: stuffed}, attrs});
  stuffed.dispose();
  return output;
}

/** Registers these kernels, once the engine's own are there. Running it again is cheap. */
export function installNativeKernels(): void {
  for (const name of [tf.DepthwiseConv2dNative, tf.FusedDepthwiseConv2D]) {
    wrapKernel(name, 'tensorflow', withoutDilation);
  }
  installBiasedConvolution();
}
