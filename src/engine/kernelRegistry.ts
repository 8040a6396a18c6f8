import * as tf from '@tensorflow/tfjs-core';

export type KernelCall = Parameters<tf.KernelFunc>[0];

/** Marks a kernel of ours, whichever copy of this package registered it. */
const OURS = Symbol.for('unweave.kernel');

const isOurs = (name: string, backend: string) => OURS in (tf.getKernel(name, backend) ?? {});

/** Registers a kernel of ours for an engine, in place of the engine's own if it has one. Running it again is cheap. */
export function replaceKernel(kernelName: string, backendName: string, kernelFunc: tf.KernelFunc): void {
  if (isOurs(kernelName, backendName)) return;
  const former = tf.getKernel(kernelName, backendName);
  if (former) tf.unregisterKernel(kernelName, backendName);
  const kernel: tf.KernelConfig = {...former, kernelName, backendName, kernelFunc};
  tf.registerKernel(Object.assign(kernel, {[OURS]: true}));
}

/** Puts a function of ours around an engine's own kernel, where the engine has one. */
export function wrapKernel(
  kernelName: string,
  backendName: string,
  wrap: (call: KernelCall, own: tf.KernelFunc) => ReturnType<tf.KernelFunc>,
): void {
  const own = tf.getKernel(kernelName, backendName)?.kernelFunc;
  if (own) replaceKernel(kernelName, backendName, (call) => wrap(call, own));
}
