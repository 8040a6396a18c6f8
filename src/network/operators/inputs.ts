import {refuse, operator, neededWeight, inWords} from './types';
import {inputSizes} from './rules';
import {weightOf} from '../graph';
import * as tf from '@tensorflow/tfjs-core';

export const InputLayer = operator('InputLayer', {
  rules: {shape: inputSizes},
  arity: [0, 0],
  shape(node) {
    const shape = node.args['shape'] as (number | null)[];
    if (shape.includes(null)) refuse(node, `takes ${inWords(shape)}; give the size of the images`);
    return shape.slice() as number[];
  },
  run(node) {
    throw new Error(`input "${node.name}" was not given`);
  },
});

/** A fixed array without a batch axis; its tensor has a batch of 1, [1, …], that broadcasts. */
export const Constant = operator('Constant', {
  arity: [0, 0],
  weights: {value: 'needed'},
  shape: (node) => (weightOf(node, 'value') ?? neededWeight(node, 'value', 0)).shape.slice(),
  run: (_node, _inputs, {value}) => tf.expandDims(value!, 0),
});
