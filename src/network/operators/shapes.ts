import {InputError} from '../../common/errors';
import type {Graph} from '../graph';
import {operatorOf} from './registry';
import {named, type Shape} from './types';

/** Engines count a tensor's values by whole numbers of 32 bits. */
const LARGEST = 2 ** 31 - 1;

/**
 * The output shape of every node, without the batch axis, in the graph's order. Nothing is built on an engine.
 * @param inputs shapes in place of those that InputLayers name, e.g. for another image size
 * @throws InputError that names the first node whose inputs do not fit it
 */
export function shapesOf(graph: Graph, inputs: Readonly<Record<string, readonly number[]>> = {}): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const node of graph.nodes) {
    const given = inputs[node.name];
    if (given) {
      shapes.set(node.name, [...given]);
      continue;
    }
    const read = node.inputs.map((name) => {
      const shape = shapes.get(name);
      if (!shape) throw new InputError(`${named(node)} reads "${name}", which is not a node before it`);
      return shape;
    });
    const shape = operatorOf(node.operator).shape(node, read);
    if (shape.reduce((product, size) => product * size, 1) > LARGEST) {
      throw new InputError(
        `${named(node)} gives ${shape.join('×')} values for an image; at most ${LARGEST} can be computed`,
      );
    }
    shapes.set(node.name, shape);
  }
  return shapes;
}
