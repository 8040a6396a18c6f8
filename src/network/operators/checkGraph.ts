import {InputError} from '../../common/errors';
import type {Graph} from '../graph';
import {checkNode} from './node';
import {OPERATORS} from './registry';
import {named} from './types';

/** How many nodes a sentence lists. */
const LISTED = 12;

const list = (items: readonly string[]) =>
  items.slice(0, LISTED).join(', ') + (items.length > LISTED ? ` and ${items.length - LISTED} more` : '');

/**
 * Checks a graph: known operators, complete arguments, names that differ, inputs that exist and come first.
 * @throws InputError for the first thing wrong; of unknown operators it lists all, with their nodes
 */
export function checkGraph({nodes, inputs, outputs}: Graph): void {
  const unknown = new Map<string, string[]>();
  for (const {name, operator} of nodes) {
    if (!OPERATORS.has(operator)) unknown.set(operator, [...(unknown.get(operator) ?? []), name]);
  }
  if (unknown.size > 0) {
    const kinds = [...unknown].map(([operator, names]) => `${operator} (${list(names)})`);
    throw new InputError(
      `the network has operators that are not known: ${kinds.join('; ')}; known are ${[...OPERATORS.keys()].join(', ')}`,
    );
  }
  const names = new Set(nodes.map(({name}) => name));
  const before = new Set<string>();
  for (const node of nodes) {
    if (before.has(node.name)) throw new InputError(`two nodes are named "${node.name}"; names must differ`);
    for (const input of node.inputs) {
      if (before.has(input)) continue;
      throw new InputError(
        names.has(input)
          ? `${named(node)} reads "${input}", which comes after it or is part of a circle; nodes must be in the order of computation`
          : `${named(node)} reads "${input}", and there is no such node`,
      );
    }
    before.add(node.name);
    checkNode(node);
  }
  for (const [what, list] of Object.entries({input: inputs, output: outputs})) {
    const missing = list.find((name) => !names.has(name));
    if (missing !== undefined) throw new InputError(`the network's ${what} "${missing}" is not among its nodes`);
  }
  for (const {name, operator} of nodes) {
    if ((operator === 'InputLayer') !== inputs.includes(name)) {
      throw new InputError(
        operator === 'InputLayer'
          ? `input "${name}" is not among the network's inputs: ${inputs.join(', ')}`
          : `the network's input "${name}" is a ${operator}; it must be an InputLayer`,
      );
    }
  }
}
