import * as tf from '@tensorflow/tfjs-core';
import {activate, type Fused} from '../../engine/activation';
import type {GraphNode} from '../graph';
import {number, numberOrNull, oneOf, whole, withInitial} from './rules';
import {checkBroadcasts} from './normalization';
import {elementwise, operator, refuse} from './types';

/**
 * Keras' ReLU: x from `threshold` on, at most `maxValue` (null: no bound), and negativeSlope·(x − threshold) below.
 */
export const ReLU = elementwise(
  'ReLU',
  ({args}, x) => {
    const [bound, slope, threshold] = [args['maxValue'], args['negativeSlope'], args['threshold']] as [
      number | null,
      number,
      number,
    ];
    return relu(x, bound, slope, threshold);
  },
  {
    rules: {
      maxValue: withInitial(numberOrNull, null),
      negativeSlope: withInitial(number, 0),
      threshold: withInitial(number, 0),
    },
  },
);

function relu(x: tf.Tensor, bound: number | null, slope: number, threshold: number): tf.Tensor {
  const plain = plainRelu(bound, slope, threshold);
  if (plain) return activate(x, plain);
  if (threshold === 0 && slope === 0) return tf.clipByValue(x, 0, Math.max(bound!, 0));
  return tf.tidy(() => {
    const above = bound === null ? x : tf.minimum(x, bound);
    const below = tf.mul(threshold === 0 ? x : tf.sub(x, threshold), slope);
    return tf.where(tf.greaterEqual(x, threshold), above, below);
  });
}

function plainRelu(bound: number | null, slope: number, threshold: number): Fused | undefined {
  if (threshold !== 0) return undefined;
  if (bound !== null) return bound === 6 && slope === 0 ? {kind: 'relu6'} : undefined;
  if (slope === 0) return {kind: 'relu'};
  return slope > 0 && slope <= 1 ? {kind: 'leakyrelu', alpha: slope} : undefined;
}

/** The activation of a node, where engines compute it together with a convolution; undefined for other nodes. */
export function fusedOf({operator, args}: GraphNode): Fused | undefined {
  switch (operator) {
    case 'ReLU':
      return plainRelu(args['maxValue'] as number | null, args['negativeSlope'] as number, args['threshold'] as number);
    case 'Clip':
      if (args['min'] !== 0) return undefined;
      return plainRelu(args['max'] as number | null, 0, 0);
    case 'ELU':
      return args['alpha'] === 1 ? {kind: 'elu'} : undefined;
    case 'Activation':
      return args['activation'] === 'sigmoid' ? {kind: 'sigmoid'} : undefined;
    default:
      return undefined;
  }
}

/** x above 0, alpha·(exp(x) − 1) below. */
export const ELU = elementwise(
  'ELU',
  ({args}, x) => {
    const alpha = args['alpha'] as number;
    if (alpha === 1) return activate(x, {kind: 'elu'});
    return tf.tidy(() => tf.add(tf.relu(x), tf.mul(tf.elu(tf.neg(tf.relu(tf.neg(x)))), alpha)));
  },
  {rules: {alpha: withInitial(number, 1)}},
);

/** x above 0, alpha·x below, with a trained alpha that broadcasts over [H, W, C]. */
export const PReLU = operator('PReLU', {
  weights: {alpha: 'needed'},
  shape(node, [x]) {
    checkBroadcasts(node, 'alpha', x!);
    return x!.slice();
  },
  run: (_node, [x], {alpha}) =>
    // relu(x) − alpha·relu(−x) keeps the gradient of alpha out of the backward pass.
    tf.tidy(() => tf.sub(tf.relu(x!), tf.mul(tf.relu(tf.neg(x!)), alpha!))),
});

/** clip(slope·x + offset, 0, 1). Keras 2 has slope 0.2, Keras 3 and PyTorch 1/6; offset 0.5. */
export const HardSigmoid = elementwise(
  'HardSigmoid',
  ({args}, x) => hardSigmoid(x, args as unknown as HardSigmoidArguments),
  {
    rules: {slope: withInitial(number, 1 / 6), offset: withInitial(number, 0.5)},
  },
);

interface HardSigmoidArguments {
  slope: number;
  offset: number;
}

function hardSigmoid(x: tf.Tensor, {slope, offset}: HardSigmoidArguments): tf.Tensor {
  return tf.tidy(() => tf.clipByValue(tf.add(tf.mul(x, slope), offset), 0, 1));
}

/** Inner factor of GELU's tanh form (Hendrycks & Gimpel 2016). */
const GELU_FACTOR = Math.sqrt(2 / Math.PI);

/** Activations without arguments, by name. */
const FUNCTIONS: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  sigmoid: (x) => activate(x, {kind: 'sigmoid'}),
  tanh: (x) => tf.tanh(x),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  hard_swish: (x) => tf.mul(x, tf.mul(tf.relu6(tf.add(x, 3)), 1 / 6)),
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  gelu_tanh: (x) => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), GELU_FACTOR);
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
  },
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  softplus: (x) => tf.softplus(x),
  softsign: (x) => tf.div(x, tf.add(tf.abs(x), 1)),
  selu: (x) => tf.selu(x),
  exponential: (x) => tf.exp(x),
  erf: (x) => tf.erf(x),
  sqrt: (x) => tf.sqrt(x),
  abs: (x) => tf.abs(x),
  negative: (x) => tf.neg(x),
  reciprocal: (x) => tf.reciprocal(x),
  log: (x) => tf.log(x),
  square: (x) => tf.square(x),
  log_sigmoid: (x) => tf.neg(tf.softplus(tf.neg(x))),
};

/** Names that `Activation` takes. */
export const ACTIVATIONS: readonly string[] = Object.keys(FUNCTIONS);

export const Activation = elementwise(
  'Activation',
  ({args}, x) => tf.tidy(() => FUNCTIONS[args['activation'] as string]!(x)),
  {rules: {activation: oneOf(...ACTIVATIONS)}},
);

/** Values below `min` or above `max` are set to it; null is no bound. */
export const Clip = elementwise(
  'Clip',
  ({args}, x) => {
    const [min, max] = [args['min'], args['max']] as (number | null)[];
    if (min === null && max === null) return tf.clone(x);
    const plain = min === 0 && plainRelu(max!, 0, 0);
    if (plain) return activate(x, plain);
    if (min === null) return tf.minimum(x, max!);
    return max === null ? tf.maximum(x, min!) : tf.clipByValue(x, min!, max!);
  },
  {rules: {min: withInitial(numberOrNull, null), max: withInitial(numberOrNull, null)}},
);

/** A function of the last axis, taken along an axis. */
function along(x: tf.Tensor, axis: number, apply: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  if (axis === x.rank - 1) return apply(x);
  return tf.tidy(() => {
    const order = Array.from({length: x.rank}, (_, i) => i);
    [order[axis], order[x.rank - 1]] = [x.rank - 1, axis];
    return tf.transpose(apply(tf.transpose(x, order)), order);
  });
}

const alongAxis = (name: string, apply: (x: tf.Tensor) => tf.Tensor) =>
  operator(name, {
    rules: {axis: whole(1)},
    shape(node, [x]) {
      const axis = node.args['axis'] as number;
      if (axis > x!.length) refuse(node, `has axis ${axis}; its input has axes 1 to ${x!.length}`);
      return x!.slice();
    },
    run: (node, [x]) => along(x!, node.args['axis'] as number, apply),
  });

export const Softmax = alongAxis('Softmax', (x) => tf.softmax(x));
export const LogSoftmax = alongAxis('LogSoftmax', (x) => tf.logSoftmax(x));
