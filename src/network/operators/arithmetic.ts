import * as tf from '@tensorflow/tfjs-core';
import {batchFirst, broadcastShape} from './broadcasting';
import {number} from './rules';
import {elementwise, operator, type Operator} from './types';

type Combine = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

/** An operator that combines its inputs from left to right, broadcasting: batch axes aligned, then the last axes as numpy does it. */
function combining(
  name: string,
  combine: Combine,
  most = Infinity,
  last?: (sum: tf.Tensor, count: number) => tf.Tensor,
) {
  return operator(name, {
    arity: [2, most],
    shape: broadcastShape,
    run: (_node, inputs) =>
      tf.tidy(() => {
        const all = batchFirst(inputs).reduce(combine);
        return last ? last(all, inputs.length) : all;
      }),
  });
}

/** Of tensors of one shape: tfjs's gradient of the greater and the smaller is wrong where they broadcast. */
function alike(combine: Combine): Combine {
  return (a, b) => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const full = (x: tf.Tensor) => (x.size === tf.util.sizeFromShape(shape) ? x : tf.broadcastTo(x, shape));
    return combine(full(a), full(b));
  };
}

export const Add = combining('Add', (a, b) => tf.add(a, b));
export const Subtract = combining('Subtract', (a, b) => tf.sub(a, b), 2);
export const Multiply = combining('Multiply', (a, b) => tf.mul(a, b));
export const Divide = combining('Divide', (a, b) => tf.div(a, b), 2);
export const Maximum = combining(
  'Maximum',
  alike((a, b) => tf.maximum(a, b)),
);
export const Minimum = combining(
  'Minimum',
  alike((a, b) => tf.minimum(a, b)),
);
export const Average = combining(
  'Average',
  (a, b) => tf.add(a, b),
  Infinity,
  (sum, n) => tf.div(sum, n),
);

/** x to the power of a fixed exponent. */
export const Power: Operator = elementwise('Power', ({args}, x) => power(x, args['exponent'] as number), {
  rules: {exponent: number},
});

function power(x: tf.Tensor, exponent: number): tf.Tensor {
  if (exponent === 1) return tf.clone(x);
  if (exponent === 2) return tf.square(x);
  if (exponent === 0.5) return tf.sqrt(x);
  if (exponent === -1) return tf.reciprocal(x);
  return tf.tidy(() => tf.pow(x, exponent));
}
