import * as tf from '@tensorflow/tfjs-core';
import {weightOf, type GraphNode} from '../graph';
import {number, whole, wholes} from './rules';
import {checkWeight, imageShape, inWords, operator, refuse, type Shape} from './types';

type Weights = Record<string, tf.Tensor>;

/** @throws InputError where a weight does not broadcast over an input, its last axes aligned */
export function checkBroadcasts(node: GraphNode, name: string, input: Shape): void {
  const shape = weightOf(node, name)?.shape ?? [];
  const fits =
    shape.length <= input.length &&
    shape.every((size, axis) => size === 1 || size === input[axis + input.length - shape.length]);
  if (!fits) refuse(node, `has ${name} of shape ${inWords(shape)}, which does not fit its input ${inWords(input)}`);
}

/**
 * γ·(x − μ)/√(σ² + ε) + β with the statistics of training, along one axis (the batch axis is 0).
 */
export const BatchNormalization = operator('BatchNormalization', {
  rules: {axis: whole(1), epsilon: number},
  weights: {gamma: 'optional', beta: 'optional', moving_mean: 'needed', moving_variance: 'needed'},
  shape(node, [x]) {
    const axis = node.args['axis'] as number;
    const size = x![axis - 1];
    if (size === undefined) refuse(node, `has axis ${axis}; its input has axes 1 to ${x!.length}`);
    for (const name of ['gamma', 'beta', 'moving_mean', 'moving_variance']) checkWeight(node, name, [size]);
    return x!.slice();
  },
  run(node, [x], {gamma, beta, moving_mean: mean, moving_variance: variance}) {
    return tf.tidy(() => {
      const spread = tf.rsqrt(tf.add(variance!, node.args['epsilon'] as number));
      const scale = gamma ? tf.mul(gamma, spread) : spread; // [C]
      const centre = tf.mul(mean!, scale);
      const shift = beta ? tf.sub(beta, centre) : tf.neg(centre); // [C]
      return affine(x!, scale, shift, node.args['axis'] as number);
    });
  },
});

/** Elements beyond which a tensor does not stay in the processor's cache between two operations. */
const LARGE = 2 ** 20;

/**
 * scale·x + shift along an axis, with the gradient of x alone.
 * @param scale [size of the axis], or [1]; as `shift`
 */
export function affine(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, axis: number): tf.Tensor {
  const operation = tf.customGrad((input, save) => {
    const at = (values: tf.Tensor) =>
      axis === x.rank - 1
        ? values
        : tf.reshape(values, [values.size, ...Array.from({length: x.rank - 1 - axis}, () => 1)]);
    const value = tf.tidy(() => {
      // TensorFlow's batch norm is one pass over memory, of large tensors a third of the time of two; it takes images with channels last.
      const suits = axis === 3 && x.rank === 4 && scale.size > 1 && shift.size > 1 && x.size > LARGE;
      if (tf.getBackend() === 'tensorflow' && suits) {
        const [mean, variance] = [tf.zerosLike(scale), tf.onesLike(scale)] as [tf.Tensor1D, tf.Tensor1D];
        return tf.batchNorm(input as tf.Tensor4D, mean, variance, shift as tf.Tensor1D, scale as tf.Tensor1D, 0);
      }
      return tf.add(tf.mul(input as tf.Tensor, at(scale)), at(shift));
    });
    // Saved, since whoever computed it may free it before the way back.
    (save as tf.GradSaveFunc)([scale]);
    return {value, gradFunc: (dy: tf.Tensor, [factor]: tf.Tensor[]) => tf.tidy(() => tf.mul(dy, at(factor!)))};
  });
  return operation(x);
}

/** x·scale + offset, each one number or one for each channel. */
export const Rescaling = operator('Rescaling', {
  weights: {scale: 'needed', offset: 'needed'},
  shape(node, [x]) {
    for (const name of ['scale', 'offset']) checkBroadcasts(node, name, x!);
    return x!.slice();
  },
  run: (_node, [x], {scale, offset}) => affine(x!, scale!, offset!, x!.rank - 1),
});

/** γ·(x − mean)/√(variance + ε) + β with mean and variance of each image over these axes. */
export const LayerNormalization = operator('LayerNormalization', {
  rules: {axes: wholes(1), epsilon: number},
  weights: {gamma: 'optional', beta: 'optional'},
  shape(node, [x]) {
    const axes = node.args['axes'] as number[];
    const sizes = axes.map((axis) => x![axis - 1] ?? refuse(node, `has axis ${axis}; its input is ${inWords(x!)}`));
    for (const name of ['gamma', 'beta']) checkWeight(node, name, sizes);
    return x!.slice();
  },
  run(node, [x], weights) {
    const axes = node.args['axes'] as number[];
    return tf.tidy(() => {
      const {mean, variance} = tf.moments(x!, axes, true); // [B, 1, …]
      const standard = tf.mul(tf.sub(x!, mean), tf.rsqrt(tf.add(variance, node.args['epsilon'] as number)));
      const shape = x!.shape.slice(1).map((size, at) => (axes.includes(at + 1) ? size : 1));
      return scaledAndShifted(standard, weights, shape);
    });
  },
});

/** The same over the positions of an image and the channels of a group; γ and β are of each channel. */
export const GroupNormalization = operator('GroupNormalization', {
  rules: {groups: whole(1), epsilon: number},
  weights: {gamma: 'optional', beta: 'optional'},
  shape(node, [x]) {
    const [, , channels] = imageShape(node, x!);
    const groups = node.args['groups'] as number;
    if (channels % groups !== 0) refuse(node, `divides ${channels} channels into ${groups} groups`);
    for (const name of ['gamma', 'beta']) checkWeight(node, name, [channels]);
    return x!.slice();
  },
  run(node, [x], weights) {
    const groups = node.args['groups'] as number;
    return tf.tidy(() => {
      const [batch, height, width, channels] = x!.shape as [number, number, number, number];
      const grouped = tf.reshape(x!, [batch, height * width, groups, channels / groups]);
      const {mean, variance} = tf.moments(grouped, [1, 3], true); // [B, 1, groups, 1]
      const standard = tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, node.args['epsilon'] as number)));
      return scaledAndShifted(tf.reshape(standard, x!.shape), weights, [channels]);
    });
  },
});

function scaledAndShifted(x: tf.Tensor, {gamma, beta}: Weights, shape: number[]): tf.Tensor {
  const scaled = gamma ? tf.mul(x, tf.reshape(gamma, shape)) : x;
  return beta ? tf.add(scaled, tf.reshape(beta, shape)) : scaled;
}
