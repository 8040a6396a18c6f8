import * as tf from '@tensorflow/tfjs-core';
import {everyNth} from '../../engine/everyNth';
import {amounts, newShape, number, oneOf, whole, wholes, withInitial} from './rules';
import {inWords, operator, refuse} from './types';

type Amounts = [before: number, after: number];

/** Inputs one after the other along an axis. */
export const Concatenate = operator('Concatenate', {
  rules: {axis: whole(1)},
  arity: [1, Infinity],
  shape(node, inputs) {
    const at = (node.args['axis'] as number) - 1;
    const [first] = inputs;
    const fits = inputs.every(
      (shape) => shape.length === first!.length && shape.every((size, i) => i === at || size === first![i]),
    );
    if (!fits || at >= first!.length) {
      refuse(node, `cannot join inputs of shapes ${inputs.map(inWords).join(' and ')} along axis ${at + 1}`);
    }
    return first!.map((size, i) => (i === at ? inputs.reduce((sum, shape) => sum + shape[at]!, 0) : size));
  },
  run: (node, inputs) =>
    tf.tidy(() => {
      const batch = Math.max(...inputs.map(({shape}) => shape[0]!));
      const same = inputs.map((x) =>
        x.shape[0] === batch ? x : tf.tile(x, [batch, ...Array.from({length: x.rank - 1}, () => 1)]),
      );
      return tf.concat(same, node.args['axis'] as number);
    }),
});

/** Elements start, start + step, … before `end` along an axis. */
export const Slice = operator('Slice', {
  rules: {axis: whole(1), start: whole(0), end: whole(1), step: withInitial(whole(1), 1)},
  shape(node, [x]) {
    const {axis, start, end, step} = node.args as Record<string, number>;
    const size = x![axis! - 1] ?? refuse(node, `has axis ${axis}; its input has axes 1 to ${x!.length}`);
    if (end! > size || start! >= end!) refuse(node, `takes ${start} to ${end} of an axis of ${size}`);
    return x!.map((length, at) => (at === axis! - 1 ? Math.ceil((end! - start!) / step!) : length));
  },
  run(node, [x]) {
    const {axis, start, end, step} = node.args as Record<string, number>;
    return everyNth(x!, axis!, start!, end!, step!);
  },
});

/** Elements before and after each axis: a value, the mirrored input without its border, or the border itself. */
export const Pad = operator('Pad', {
  rules: {
    paddings: amounts,
    mode: withInitial(oneOf('constant', 'reflect', 'edge'), 'constant'),
    value: withInitial(number, 0),
  },
  shape(node, [x]) {
    const paddings = node.args['paddings'] as Amounts[];
    if (paddings.length !== x!.length) {
      refuse(node, `has paddings for ${paddings.length} axes, and its input is ${inWords(x!)}`);
    }
    const tooFar = paddings.findIndex((sides, at) => Math.max(...sides) >= x![at]!);
    if (node.args['mode'] === 'reflect' && tooFar >= 0) {
      refuse(node, `mirrors ${Math.max(...paddings[tooFar]!)} elements of an axis of ${x![tooFar]}`);
    }
    return x!.map((size, at) => size + paddings[at]![0] + paddings[at]![1]);
  },
  run(node, [x]) {
    const paddings: Amounts[] = [[0, 0], ...(node.args['paddings'] as Amounts[])];
    const {mode, value} = node.args as {mode: string; value: number};
    if (mode === 'constant') return tf.pad(x!, paddings, value);
    return mode === 'reflect' ? tf.mirrorPad(x!, paddings, 'reflect') : tf.tidy(() => edges(x!, paddings));
  },
});

function edges(x: tf.Tensor, paddings: readonly Amounts[]): tf.Tensor {
  return paddings.reduce((inside, [before, after], axis) => {
    const size = inside.shape[axis]!;
    const repeat = (at: number, count: number) => {
      const times = inside.shape.map((_, each) => (each === axis ? count : 1));
      return count > 0 ? [tf.tile(everyNth(inside, axis, at, at + 1, 1), times)] : [];
    };
    const parts = [...repeat(0, before), inside, ...repeat(size - 1, after)];
    return parts.length === 1 ? inside : tf.concat(parts, axis);
  }, tf.clone(x));
}

/** The elements of each image in another shape; -1 is what is left. Flatten is [-1]. */
export const Reshape = operator('Reshape', {
  rules: {shape: newShape},
  shape(node, [x]) {
    const wanted = node.args['shape'] as number[];
    const size = x!.reduce((a, b) => a * b, 1);
    const known = wanted.reduce((product, length) => (length === -1 ? product : product * length), 1);
    const rest = size / known;
    if (wanted.includes(-1) ? !Number.isInteger(rest) : rest !== 1) {
      refuse(node, `makes ${inWords(wanted)} of ${size} elements, ${inWords(x!)}`);
    }
    return wanted.map((length) => (length === -1 ? rest : length));
  },
  run: (node, [x]) => tf.reshape(x!, [x!.shape[0]!, ...(node.args['shape'] as number[])]),
});

/** Axes in another order; `order` counts from 1, the batch axis stays first. */
export const Permute = operator('Permute', {
  rules: {order: wholes(1)},
  shape(node, [x]) {
    const order = node.args['order'] as number[];
    if (order.length !== x!.length || x!.some((_, at) => !order.includes(at + 1))) {
      refuse(node, `orders axes as ${inWords(order)}, and its input is ${inWords(x!)}`);
    }
    return order.map((axis) => x![axis - 1]!);
  },
  run: (node, [x]) => tf.transpose(x!, [0, ...(node.args['order'] as number[])]),
});
