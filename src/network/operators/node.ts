import {InputError} from '../../common/errors';
import type {GraphNode, Weight} from '../graph';
import {operatorOf} from './registry';
import {inWords, named} from './types';

export interface NodeDetails {
  /** Names of the nodes that it reads. */
  inputs?: readonly string[];
  /** Arguments; those left out get their initial values. */
  args?: Readonly<Record<string, unknown>>;
  weights?: readonly Weight[];
  mark?: GraphNode['mark'];
}

/**
 * A node with its arguments complete.
 * @throws InputError for an operator, argument or weight that is unknown, missing or not valid
 */
export function node(operator: string, name: string, {inputs = [], args = {}, weights = [], mark}: NodeDetails = {}) {
  const complete: Record<string, unknown> = {...args};
  for (const [argument, {initial}] of Object.entries(operatorOf(operator).rules)) {
    if (complete[argument] === undefined && initial !== undefined) complete[argument] = initial;
  }
  const made: GraphNode = {name, operator, args: complete, inputs: [...inputs], weights: [...weights]};
  if (mark) made.mark = mark;
  checkNode(made);
  return made;
}

/** A trained array. @param shape left out for a vector */
export function weight(name: string, data: Float32Array, shape: readonly number[] = [data.length]): Weight {
  return {name, shape: [...shape], data};
}

/**
 * Checks a node by itself: its arguments, its weights, how many inputs it has.
 * @throws InputError that names the node, its operator and what is wrong
 */
export function checkNode(checked: GraphNode): void {
  const {rules, weights, arity} = operatorOf(checked.operator);
  const what = named(checked);
  for (const argument of Object.keys(checked.args)) {
    if (!(argument in rules)) {
      const known = Object.keys(rules);
      throw new InputError(
        `${what} has an argument "${argument}", which is not known; ` +
          (known.length > 0 ? `its arguments are ${known.join(', ')}` : 'it has none'),
      );
    }
  }
  for (const [argument, {test, wanted}] of Object.entries(rules)) {
    const value = checked.args[argument];
    if (value === undefined) throw new InputError(`${what} lacks its argument "${argument}": ${wanted}`);
    if (!test(value)) {
      throw new InputError(`${what} has ${argument} ${JSON.stringify(value)}; it must be ${wanted}`);
    }
  }
  for (const {name, shape, data} of checked.weights) {
    if (!(name in weights)) {
      const known = Object.keys(weights);
      throw new InputError(
        `${what} has a weight "${name}", which is not known; ` +
          (known.length > 0 ? `its weights are ${known.join(', ')}` : 'it has none'),
      );
    }
    if (shape.reduce((product, size) => product * size, 1) !== data.length) {
      throw new InputError(`${what} has ${data.length} numbers as its ${name} of shape ${inWords(shape)}`);
    }
  }
  for (const [name, need] of Object.entries(weights)) {
    if (need === 'needed' && !checked.weights.some((given) => given.name === name)) {
      throw new InputError(`${what} lacks its weight "${name}"`);
    }
  }
  const [least, most] = arity;
  const count = checked.inputs.length;
  if (count < least || count > most) {
    const wanted = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    throw new InputError(`${what} has ${count} inputs; it takes ${wanted}`);
  }
}
