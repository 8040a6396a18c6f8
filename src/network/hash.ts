import {createHash} from 'node:crypto';
import {canonicalNode, isIdentity, withoutKeptAxes, type CanonicalNode} from './canonical';
import type {Graph, GraphNode} from './graph';
import {fullKernel} from './linearLayer';
import {shapesOf} from './operators';

/**
 * Version of what a model's hash is made of. 1, of unweave 0.1, was the order and the names of the nodes and the weights, without any
 * option.
 */
export const HASH_VERSION = 2;

/** What is known of a node's output: its digest, and that of the values before they were given another shape. */
interface Hashed {
  digest: string;
  values: {digest: string; shape: readonly number[]};
}

/**
 * SHA-256 of the function that a graph computes, hexadecimal: a Merkle tree over operators, the arguments that change a value, weights
 * and inputs. Names, marks and the order of nodes do not count, nor how the same thing is written: `same` padding or its zeros
 * by number, zeros padded by the convolution or before it, a batch norm without scale or with one of ones, a grouped kernel
 * or the block-diagonal one, the order of summands.
 */
export function graphHash(graph: Graph): string {
  const shapes = shapesOf(graph);
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const lookup = (name: string) => byName.get(name) as GraphNode;
  const hashed = new Map<string, Hashed>();
  const read = (name: string) => hashed.get(name) as Hashed;
  for (const node of graph.nodes) {
    const shape = shapes.get(node.name) as number[];
    if (isIdentity(node, shapes)) hashed.set(node.name, read(node.inputs[0]));
    else if (node.operator === 'Reshape') hashed.set(node.name, reshaped(read(node.inputs[0]).values, shape));
    else {
      const {operator, args, inputs, weights, commutative} = canonicalNode(node, shapes, lookup);
      const position = graph.inputs.indexOf(node.name);
      const digests = inputs.map((name) => read(name).digest);
      const digest = digestOf([
        operator,
        position < 0 ? args : {...args, position},
        weights.map((weight) => [weight.name, weight.shape, weightDigest(weight)]),
        commutative ? digests.sort() : digests,
      ]);
      hashed.set(node.name, reshaped({digest, shape: withoutKeptAxes(node, shape) ?? shape}, shape));
    }
  }
  return digestOf(['graph', HASH_VERSION, graph.outputs.map((name) => read(name).digest)]);
}

function reshaped(values: Hashed['values'], shape: readonly number[]): Hashed {
  const same = String(values.shape) === String(shape);
  return {digest: same ? values.digest : digestOf(['Reshape', shape, values.digest]), values};
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortedKeys)).digest('hex');
}

/**
 * Objects with their keys in order, so that how a reader put them together does not count; and numbers in single precision, as engines compute
 * and some formats store them: an epsilon of 1e-5 is the same written either way.
 */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value === 'number') return Math.fround(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Weights never change and are shared between graphs, so each is read once, by the number of groups that it is read for. */
const known = new WeakMap<Float32Array, Map<number, string>>();

function weightDigest({data, shape, groups = 1}: CanonicalNode['weights'][number]): string {
  const digests = known.get(data) ?? new Map<number, string>();
  known.set(data, digests);
  const digest = digests.get(groups) ?? bytesDigest(groups === 1 ? data : fullKernel(data, shape, groups));
  digests.set(groups, digest);
  return digest;
}

/** The bits of −0, which computes what 0 does and which text formats write as 0. */
const MINUS_ZERO = -(2 ** 31);

function bytesDigest(data: Float32Array): string {
  const {buffer, byteOffset, byteLength, length} = data;
  const signed = new Int32Array(buffer, byteOffset, length).includes(MINUS_ZERO);
  const bytes = signed ? data.map((value) => value + 0) : data;
  return createHash('sha256')
    .update(new Uint8Array(bytes.buffer, signed ? 0 : byteOffset, byteLength))
    .digest('hex');
}
