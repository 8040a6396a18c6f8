import * as tf from '@tensorflow/tfjs-core';
import {trueOrFalse, wholes, withInitial} from './rules';
import {operator, refuse} from './types';

/** One number for all elements along some axes; an image's batch axis stays. */
const reducing = (name: string, reduce: (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor) =>
  operator(name, {
    rules: {axes: wholes(1), keepdims: withInitial(trueOrFalse, false)},
    shape(node, [x]) {
      const axes = node.args['axes'] as number[];
      const missing = axes.find((axis) => axis > x!.length);
      if (missing !== undefined) refuse(node, `has axis ${missing}; its input has axes 1 to ${x!.length}`);
      return node.args['keepdims'] === true
        ? x!.map((size, at) => (axes.includes(at + 1) ? 1 : size))
        : x!.filter((_, at) => !axes.includes(at + 1));
    },
    run: (node, [x]) => reduce(x!, node.args['axes'] as number[], node.args['keepdims'] === true),
  });

export const Mean = reducing('Mean', (x, axes, keepDims) => tf.mean(x, axes, keepDims));
export const Max = reducing('Max', (x, axes, keepDims) => tf.max(x, axes, keepDims));
export const Sum = reducing('Sum', (x, axes, keepDims) => tf.sum(x, axes, keepDims));
