import * as tf from '@tensorflow/tfjs-core';
import type {GraphNode} from '../graph';
import {inWords, refuse, type Shape} from './types';

/**
 * The shape that shapes without batch axis broadcast to, their last axes aligned as numpy does it.
 * @throws InputError where they do not fit together
 */
export function broadcastShape(node: GraphNode, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({length: rank}, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const wide = [...new Set(sizes.filter((size) => size !== 1))];
    if (wide.length > 1) refuse(node, `cannot combine inputs of shapes ${shapes.map(inWords).join(' and ')}`);
    return wide[0] ?? 1;
  });
}

/** The tensors with equally many axes: the batch axis stays first, axes of 1 are put after it. */
export function batchFirst(inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const rank = Math.max(...inputs.map((input) => input.rank));
  return inputs.map((input) => {
    if (input.rank === rank) return input;
    const ones = Array.from({length: rank - input.rank}, () => 1);
    return tf.reshape(input, [input.shape[0]!, ...ones, ...input.shape.slice(1)]);
  });
}
