import type * as tf from '@tensorflow/tfjs-core';
import type {FieldRule} from '../../common/fields';
import {InputError} from '../../common/errors';
import {weightOf, type GraphNode, type Weight} from '../graph';

/** A shape without the batch axis, e.g. [H, W, C]. */
export type Shape = number[];

/** What an argument must be, and its value where a reader names none (absent: it has to be named). */
export interface Argument extends FieldRule {
  initial?: unknown;
}

/** Trained arrays by name: each is needed, or may be left out. */
export type WeightList = Readonly<Record<string, 'needed' | 'optional'>>;

/**
 * What a node's operator is: its arguments, its output shape, its computation. Every operator has one output. Tensors are channels
 * last with the batch axis first; shapes are without it.
 */
export interface Operator {
  readonly name: string;
  /** Names of all its arguments; another one is an error. */
  readonly args: readonly string[];
  /** What each argument must be. */
  readonly rules: Readonly<Record<string, Argument>>;
  readonly weights: WeightList;
  /** How many inputs it takes, at least and at most. */
  readonly arity: readonly [least: number, most: number];
  /**
   * Output shape from the shapes of the inputs.
   * @throws InputError that names the node, where the inputs do not fit it
   */
  shape(node: GraphNode, inputs: readonly Shape[]): Shape;
  /** The value, on the engine that is current; it can be differentiated by the inputs. The caller disposes of it. */
  run(node: GraphNode, inputs: tf.Tensor[], weights: Record<string, tf.Tensor>): tf.Tensor;
}

type Definition = Pick<Operator, 'shape' | 'run'> & Partial<Pick<Operator, 'rules' | 'weights' | 'arity'>>;

export function operator(name: string, definition: Definition): Operator {
  const {rules = {}, weights = {}, arity = [1, 1], shape, run} = definition;
  return {name, args: Object.keys(rules), rules, weights, arity, shape, run};
}

/** An operator of one input that changes no shape. */
export function elementwise(
  name: string,
  run: (node: GraphNode, x: tf.Tensor, weights: Record<string, tf.Tensor>) => tf.Tensor,
  details: Pick<Definition, 'rules' | 'weights'> = {},
): Operator {
  return operator(name, {
    ...details,
    shape: (_node, [x]) => x!.slice(),
    run: (node, [x], weights) => run(node, x!, weights),
  });
}

/** The node as sentences name it. */
export const named = ({name, operator: kind}: GraphNode) => `${kind} "${name}"`;

/** @throws InputError that names the node and says why its inputs do not fit */
export function refuse(node: GraphNode, why: string): never {
  throw new InputError(`${named(node)} ${why}`);
}

export const inWords = (shape: readonly (number | null)[]) => `[${shape.map((size) => size ?? '?').join(', ')}]`;

/** @throws InputError where the input is not [H, W, C] */
export function imageShape(node: GraphNode, input: Shape): [number, number, number] {
  if (input.length !== 3) refuse(node, `takes images [height, width, channels], and its input is ${inWords(input)}`);
  return input as [number, number, number];
}

/** @throws InputError for a weight that is missing or has another number of axes */
export function neededWeight(node: GraphNode, name: string, rank: number): Weight {
  const weight = weightOf(node, name);
  if (!weight) refuse(node, `has no ${name}`);
  if (weight.shape.length !== rank) {
    refuse(node, `has a ${name} of shape ${inWords(weight.shape)}; it must have ${rank} axes`);
  }
  return weight;
}

/** @throws InputError where a weight that is there has another shape */
export function checkWeight(node: GraphNode, name: string, shape: readonly number[]): void {
  const weight = weightOf(node, name);
  if (weight && (weight.shape.length !== shape.length || weight.shape.some((size, axis) => size !== shape[axis]))) {
    refuse(node, `has a ${name} of shape ${inWords(weight.shape)}; ${inWords(shape)} is needed`);
  }
}
