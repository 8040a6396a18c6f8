import type {Graph, GraphNode, Weight} from '../../src/network/graph';
import {node, weight} from '../../src/network/operators';
import {between} from './seededWeights';

/** Small graphs put together by hand. */

/** A graph of one image input called `image` and these nodes, each with seeded weights; the last is the output. */
export function graphOf(shape: readonly number[], nodes: readonly GraphNode[]): Graph {
  const image = node('InputLayer', 'image', {args: {shape: [...shape]}});
  return {nodes: [image, ...nodes], inputs: ['image'], outputs: [nodes[nodes.length - 1].name]};
}

/** An array of seeded numbers, for a kernel small ones; the same for the same name and shape. */
export function seeded(name: string, shape: readonly number[], seed = ''): Weight {
  const size = shape.reduce((product, length) => product * length, 1);
  if (name === 'moving_variance') return weight(name, between(seed + name, size, 0.5, 1.5), shape);
  if (name !== 'kernel') return weight(name, between(seed + name, size, -0.5, 0.5), shape);
  const bound = Math.sqrt((6 * shape[shape.length - 1]) / size);
  return weight(name, between(seed + name, size, -bound, bound), shape);
}

export function convolution(
  name: string,
  input: string,
  kernel: readonly number[],
  {bias = false, ...args}: Record<string, unknown> & {bias?: boolean} = {},
): GraphNode {
  const weights = [seeded('kernel', kernel, name), ...(bias ? [seeded('bias', [kernel[3]], name)] : [])];
  return node('Conv2D', name, {inputs: [input], args, weights});
}

export function dense(name: string, input: string, kernel: readonly [number, number], bias = true): GraphNode {
  const weights = [seeded('kernel', kernel, name), ...(bias ? [seeded('bias', [kernel[1]], name)] : [])];
  return node('Dense', name, {inputs: [input], weights});
}

export function batchNorm(name: string, input: string, size: number, axis = 3): GraphNode {
  const weights = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((array) => seeded(array, [size], name));
  return node('BatchNormalization', name, {inputs: [input], args: {axis, epsilon: 1e-3}, weights});
}

/** A node without weights. */
export function plain(
  operator: string,
  name: string,
  inputs: string | readonly string[],
  args: Record<string, unknown> = {},
): GraphNode {
  return node(operator, name, {inputs: typeof inputs === 'string' ? [inputs] : inputs, args});
}
