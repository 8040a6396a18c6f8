import * as tf from '@tensorflow/tfjs-core';
import {batchFirst, broadcastShape} from './broadcasting';
import {trueOrFalse, withInitial} from './rules';
import {checkWeight, inWords, neededWeight, operator, refuse} from './types';

/** x·W + b over the last axis. */
export const Dense = operator('Dense', {
  weights: {kernel: 'needed', bias: 'optional'},
  shape(node, [x]) {
    const {shape} = neededWeight(node, 'kernel', 2);
    const last = x![x!.length - 1];
    if (last !== shape[0]) refuse(node, `takes ${shape[0]} features, and its input is ${inWords(x!)}`);
    checkWeight(node, 'bias', [shape[1]!]);
    return [...x!.slice(0, -1), shape[1]!];
  },
  run: (_node, [x], {kernel, bias}) => tf.tidy(() => dense(x!, kernel as tf.Tensor2D, bias)),
});

/** @param x [B, …, Cin]; @param kernel [Cin, units] */
export function dense(x: tf.Tensor, kernel: tf.Tensor2D, bias?: tf.Tensor): tf.Tensor {
  const product = tf.matMul(tf.reshape(x, [-1, kernel.shape[0]]), kernel); // [B·…, units]
  const biased = bias ? tf.add(product, bias) : product;
  return x.rank === 2 ? biased : tf.reshape(biased, [...x.shape.slice(0, -1), kernel.shape[1]]); // [B, …, units]
}

/** Matrix product of the last two axes of each image; the axes before broadcast. */
export const MatMul = operator('MatMul', {
  rules: {transposeA: withInitial(trueOrFalse, false), transposeB: withInitial(trueOrFalse, false)},
  arity: [2, 2],
  shape(node, [a, b]) {
    if (a!.length < 2 || b!.length < 2) {
      refuse(node, `multiplies matrices, and its inputs are ${inWords(a!)} and ${inWords(b!)}`);
    }
    const [rows, inner] = ends(a!, node.args['transposeA'] === true);
    const [across, columns] = ends(b!, node.args['transposeB'] === true);
    if (inner !== across) refuse(node, `cannot multiply ${rows}×${inner} with ${across}×${columns} matrices`);
    return [...broadcastShape(node, [a!.slice(0, -2), b!.slice(0, -2)]), rows, columns];
  },
  run: (node, inputs) =>
    tf.tidy(() => {
      const [a, b] = batchFirst(inputs);
      return tf.matMul(a!, b!, node.args['transposeA'] === true, node.args['transposeB'] === true);
    }),
});

function ends(shape: readonly number[], transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}
