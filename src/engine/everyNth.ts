import * as tf from '@tensorflow/tfjs-core';
import {padOrCrop, stuffZeros} from './convolutionGradients';

/**
 * Elements start, start + step, … before `end` along an axis, with their gradient, which tfjs lacks for steps.
 * @param end at most the axis' size
 */
export function everyNth(x: tf.Tensor, axis: number, start: number, end: number, step: number): tf.Tensor {
  if (step === 1) {
    const begin = x.shape.map((_, at) => (at === axis ? start : 0));
    const size = x.shape.map((length, at) => (at === axis ? end - start : length));
    return tf.slice(x, begin, size);
  }
  const pick = tf.customGrad((input) => {
    const at = (value: number, other: (length: number) => number) =>
      x.shape.map((length, each) => (each === axis ? value : other(length)));
    const value = tf.stridedSlice(
      input as tf.Tensor,
      at(start, () => 0),
      at(end, (length) => length),
      at(step, () => 1),
    );
    const gradFunc = (dy: tf.Tensor) =>
      tf.tidy(() => {
        const apart = stuffZeros(dy, axis, step);
        return padOrCrop(apart, axis, start, x.shape[axis]! - start - apart.shape[axis]!);
      });
    return {value, gradFunc};
  });
  return pick(x);
}
