/** Activations whose gradient can be read off their output, so that nothing else of them has to be kept. */
import * as tf from '@tensorflow/tfjs-core';

/** An activation that the engines compute together with a convolution. */
export type Fused =
  | {kind: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid'}
  | {kind: 'leakyrelu'; /** Slope below 0, above 0 and at most 1. */ alpha: number};

export const LINEAR: Fused = {kind: 'linear'};

/** The activation of x, with its gradient. */
export function activate(x: tf.Tensor, activation: Fused): tf.Tensor {
  const operation = tf.customGrad((input, save) => {
    const value = compute(input as tf.Tensor, activation);
    (save as tf.GradSaveFunc)([value]);
    return {value, gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.tidy(() => throughActivation(dy, y!, activation))};
  });
  return operation(x);
}

function compute(x: tf.Tensor, activation: Fused): tf.Tensor {
  switch (activation.kind) {
    case 'linear':
      return tf.clone(x);
    case 'relu':
      return tf.relu(x);
    case 'relu6':
      return tf.relu6(x);
    case 'elu':
      return tf.elu(x);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'leakyrelu':
      return tf.leakyRelu(x, activation.alpha);
  }
}

/** Native TensorFlow's gradients of activations, which tfjs does not call: each is one pass over memory. */
interface NativeBackend {
  executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
  binding: {TF_ATTR_TYPE: number; TF_FLOAT: number};
}

function native(name: string, dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const backend = tf.backend() as unknown as NativeBackend;
  const type = {name: 'T', type: backend.binding.TF_ATTR_TYPE, value: backend.binding.TF_FLOAT};
  return backend.executeSingleOutput(name, [type], [dy, y]);
}

/** dy as far as the activation let it through, from the activation's output y. */
export function throughActivation(dy: tf.Tensor, y: tf.Tensor, activation: Fused): tf.Tensor {
  const isNative = tf.getBackend() === 'tensorflow';
  switch (activation.kind) {
    case 'linear':
      return dy;
    case 'relu':
      return isNative ? native('ReluGrad', dy, y) : tf.mul(dy, tf.step(y));
    case 'relu6': // y·(6 − y) is 0 where the value was held, above 0 elsewhere
      return isNative ? native('Relu6Grad', dy, y) : tf.mul(dy, tf.step(tf.mul(y, tf.sub(6, y))));
    case 'leakyrelu':
      return tf.mul(dy, tf.step(y, activation.alpha));
    case 'elu': // exp(z) = y + 1 below 0
      return tf.mul(dy, tf.add(tf.minimum(y, 0), 1));
    case 'sigmoid':
      return tf.mul(dy, tf.mul(y, tf.sub(1, y)));
  }
}
