/**
 * What an ONNX value is while a network is read. ONNX counts axes channels first; our nodes compute channels last. Instead of
 * transposing, a value remembers which of its axes each axis of the node's output is, so that a Transpose costs nothing, a pair of them
 * cancels, and an operator only has to say in which order it wants its axes.
 */
import {InputError} from '../../common/errors';
import type {GraphBuilder} from '../builder';
import {transposed, type Constant} from './tensors';

/** A tensor that depends on the image. */
export interface Activation {
  kind: 'activation';
  /** As in the file: batch axis and all, e.g. [1, C, H, W]. */
  shape: number[];
  /** For each axis of the node's output, batch axis first, which axis of `shape` it is: [0, 2, 3, 1] is channels last. */
  axes: number[];
  /** Node of our graph that computes it. */
  node: string;
  /** Not reshaped yet: `shape` is what `base`, which `axes` and `node` belong to, is to become. */
  base?: Activation;
}

export type Value = Activation | Constant;

export const CHANNELS_LAST = [0, 2, 3, 1];
const inOrder = (count: number) => Array.from({length: count}, (_, at) => at);
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const equal = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((value, at) => value === b[at]);

/** Shape of the node's output, without the batch axis. */
export function nodeShape({shape, axes}: Activation): number[] {
  return axes.slice(1).map((axis) => shape[axis]);
}

/** Position in the node's output of an axis as the file counts it; negative ones count from the end. */
export function nodeAxis(value: Activation, axis: number): number {
  return value.axes.indexOf(axis < 0 ? axis + value.shape.length : axis);
}

export function activation(node: string, shape: number[], axes: readonly number[]): Activation {
  return {kind: 'activation', node, shape, axes: [...axes]};
}

/** Transpose: no node, only another account of the axes. */
export function permuted(graph: GraphBuilder, value: Activation, order: readonly number[]): Activation {
  const {node, shape, axes} = settled(graph, value);
  return activation(
    node,
    order.map((axis) => shape[axis]),
    axes.map((axis) => order.indexOf(axis)),
  );
}

/** The same value with its node's axes in the order asked for. */
export function arranged(graph: GraphBuilder, given: Activation, axes: readonly number[]): Activation {
  const value = settled(graph, given);
  if (equal(value.axes, axes)) return value;
  if (value.axes[0] !== axes[0]) {
    throw new InputError(
      `node "${value.node}" moves the batch axis, which is not supported; export the network so that axis 0 stays the batch`,
    );
  }
  const wanted = activation('', value.shape, axes);
  const long = (axis: number) => value.shape[axis] !== 1;
  // Where only axes of length 1 move, the numbers stay where they are.
  const moved = !equal(value.axes.slice(1).filter(long), axes.slice(1).filter(long));
  if (!moved && equal(nodeShape(value), nodeShape(wanted))) return {...wanted, node: value.node};
  const node = moved
    ? graph.once('Permute', {order: axes.slice(1).map((axis) => value.axes.indexOf(axis))}, value.node)
    : graph.once('Reshape', {shape: nodeShape(wanted)}, value.node);
  return {...wanted, node};
}

/** The same value, whose node has the axes in the file's order. */
export const inFileOrder = (graph: GraphBuilder, value: Activation) =>
  arranged(graph, value, inOrder(value.shape.length));

/** Reshape, computed when somebody needs the numbers: a reshape that is taken back costs nothing. */
export function reshaped(value: Activation, shape: number[]): Activation {
  const base = value.base ?? value;
  if (equal(base.shape, shape)) return base;
  return {...base, shape, base};
}

/**
 * A value whose pending reshape is done. Axes that the reshape leaves alone stay where they are, so that splitting or merging channels
 * works on channels last; only axes that are merged must lie side by side.
 * @throws InputError where the reshape mixes the batch axis with others
 */
export function settled(graph: GraphBuilder, value: Activation): Activation {
  const {base, shape} = value;
  if (!base) return value;
  if (base.axes[0] !== 0 || shape.length === 0 || shape[0] !== base.shape[0]) {
    throw new InputError(
      `node "${value.node}" is reshaped from [${base.shape.join(', ')}] to [${shape.join(', ')}], which mixes the batch axis with others; this is not supported`,
    );
  }
  const long = (sizes: readonly number[]) => inOrder(sizes.length).filter((axis) => axis > 0 && sizes[axis] !== 1);
  const groups = matching(base.shape, long(base.shape), shape, long(shape));
  const now = base.axes.slice(1).filter((axis) => base.shape[axis] !== 1);
  const position = (axis: number) => now.indexOf(axis);
  groups.sort((a, b) => Math.min(...a.from.map(position)) - Math.min(...b.from.map(position)));
  const wanted = groups.flatMap(({from}) => from);
  const short = inOrder(base.shape.length).filter((axis) => axis > 0 && base.shape[axis] === 1);
  const source = equal(now, wanted) ? base : arranged(graph, base, [0, ...wanted, ...short]);
  const result = activation(
    source.node,
    shape,
    placeShortAxes(
      shape,
      groups.flatMap(({to}) => to),
    ),
  );
  if (!equal(nodeShape(result), nodeShape(source))) {
    result.node = graph.once('Reshape', {shape: nodeShape(result)}, source.node);
  }
  return result;
}

/** A value without an axis of length 1, wherever its batch axis is. */
export function withoutAxis(graph: GraphBuilder, given: Activation, axis: number): Activation {
  const value = settled(graph, given);
  const result = activation(
    value.node,
    value.shape.toSpliced(axis, 1),
    value.axes.filter((one) => one !== axis).map((one) => (one > axis ? one - 1 : one)),
  );
  return {...result, node: graph.once('Reshape', {shape: nodeShape(result)}, value.node)};
}

/** Runs of axes of two shapes that hold the same numbers of values. */
function matching(
  fromShape: readonly number[],
  from: readonly number[],
  toShape: readonly number[],
  to: readonly number[],
): {from: number[]; to: number[]}[] {
  const groups: {from: number[]; to: number[]}[] = [];
  for (let i = 0, j = 0; i < from.length && j < to.length;) {
    const group = {from: [from[i]], to: [to[j]]};
    let [left, right] = [fromShape[from[i++]], toShape[to[j++]]];
    while (left !== right) {
      if (left < right) {
        group.from.push(from[i]);
        left *= fromShape[from[i++]];
      } else {
        group.to.push(to[j]);
        right *= toShape[to[j++]];
      }
    }
    groups.push(group);
  }
  return groups;
}

/** All axes: the longer ones in the order given, those of length 1 where an operator will most likely want them. */
function placeShortAxes(shape: readonly number[], longAxes: readonly number[]): number[] {
  const rank = shape.length;
  const fits = (order: readonly number[]) =>
    equal(
      order.filter((axis) => axis > 0 && shape[axis] !== 1),
      longAxes,
    );
  if (rank === 4 && fits(CHANNELS_LAST)) return CHANNELS_LAST;
  if (fits(inOrder(rank))) return inOrder(rank);
  const short = inOrder(rank).filter((axis) => axis > 0 && shape[axis] === 1);
  return [0, ...short, ...longAxes];
}

/**
 * A known array as a value's node would hold it: axes in the node's order, without the batch axis.
 * @throws InputError where it cannot be broadcast to the value, or differs along the batch
 */
export function alongside(value: Activation, array: Constant): {shape: number[]; data: Constant['data']} {
  const rank = value.shape.length;
  const surplus = array.shape.length - rank;
  if (surplus > 0 && array.shape.slice(0, surplus).some((size) => size !== 1)) throw notBroadcast(value, array);
  const shape = surplus > 0 ? array.shape.slice(surplus) : [...new Array<number>(-surplus).fill(1), ...array.shape];
  if (shape[value.axes[0]] !== 1 && value.shape[value.axes[0]] !== 1) throw notBroadcast(value, array);
  if (shape[value.axes[0]] !== 1) throw notBroadcast(value, array);
  const moved = transposed(array.data, shape, value.axes);
  return {shape: moved.shape.slice(1), data: moved.data};
}

function notBroadcast(value: Activation, array: Constant): InputError {
  return new InputError(
    `an array of shape [${array.shape.join(', ')}]${array.name ? ` ("${array.name}")` : ''} does not fit the value of node "${value.node}" of shape [${value.shape.join(', ')}], whose axis 0 is the batch`,
  );
}

/** Shape of an elementwise result, as numpy broadcasts. @throws InputError where the shapes do not fit */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({length: rank}, (_, at) => {
    const left = a[at - rank + a.length] ?? 1;
    const right = b[at - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new InputError(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not fit together; the file is damaged`);
    }
    return left === 1 ? right : left;
  });
}
