import type {Fused} from '../engine/activation';
import {InputError} from '../common/errors';
import {foldedInto} from './fold';
import type {Graph, GraphNode} from './graph';
import {fusedOf, shapesOf, type Padding, type Pair} from './operators';

/** What is computed in one go: a node, perhaps with the padding before it, the batch norm and the activation after it. */
export interface Piece {
  /** The node whose value it gives: the last of those that it stands for. */
  name: string;
  /** The node that is computed, its weights and padding changed by those that it stands for. */
  node: GraphNode;
  inputs: string[];
  activation?: Fused;
}

/**
 * The nodes that `wanted` depend on, in order and in as few pieces as the engines compute: batch norm folded into the convolution or dense layer
 * before it (W ← W·s, b ← β + (b − μ)·s with s = γ/√(σ² + ε)), zero padding and activation taken together with their convolution. A node
 * that is wanted keeps its own value, so nothing after it is folded into it.
 * @throws InputError for a node that the graph lacks
 */
export function planGraph(graph: Graph, wanted: readonly string[]): Piece[] {
  const nodes = needed(graph, wanted);
  const readers = new Map<string, number>();
  for (const {inputs} of nodes) for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  const inner = (name: string) => readers.get(name) === 1 && !wanted.includes(name);
  let shapes: Map<string, number[]> | undefined;
  const rankOf = (name: string) => (shapes ??= shapesOf({...graph, nodes})).get(name)!.length;
  /** The piece that gives a node's value. */
  const giver = new Map<string, Piece>();
  const pieces = new Set<Piece>();
  for (const node of nodes) {
    const before = node.inputs.length === 1 && inner(node.inputs[0]!) ? giver.get(node.inputs[0]!) : undefined;
    const joined =
      before && (foldNorm(before, node, rankOf) ?? fuseActivation(before, node) ?? absorbPadding(before, node));
    const piece = joined ?? {name: node.name, node, inputs: node.inputs};
    if (joined) pieces.delete(before);
    pieces.add(piece);
    giver.set(node.name, piece);
  }
  return [...pieces];
}

/** The nodes that these ones depend on, in order. */
function needed(graph: Graph, wanted: readonly string[]): GraphNode[] {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const reached = new Set(wanted);
  // A set hands out what is added to it on the way.
  for (const name of reached) {
    const node = byName.get(name);
    if (!node) throw new InputError(`no node "${name}" in the network`);
    node.inputs.forEach((input) => reached.add(input));
  }
  return graph.nodes.filter(({name}) => reached.has(name));
}

function foldNorm(before: Piece, norm: GraphNode, rankOf: (name: string) => number): Piece | undefined {
  if (norm.operator !== 'BatchNormalization' || before.activation) return undefined;
  const node = foldedInto(before.node, norm, rankOf(norm.name));
  return node && {...before, name: norm.name, node};
}

const isConvolution = ({operator}: GraphNode) => operator === 'Conv2D' || operator === 'DepthwiseConv2D';

function fuseActivation(before: Piece, node: GraphNode): Piece | undefined {
  if (!isConvolution(before.node) || before.activation) return undefined;
  const activation = fusedOf(node);
  return activation && {...before, name: node.name, activation};
}

/** A convolution with the rows and columns of zeros before it as its own padding. */
function absorbPadding(before: Piece, node: GraphNode): Piece | undefined {
  if (!isConvolution(node) || before.node.operator !== 'Pad') return undefined;
  const {paddings, mode, value} = before.node.args as {paddings: Pair[]; mode: string; value: number};
  const own = node.args['padding'] as Padding;
  const zeros = mode === 'constant' && value === 0 && paddings.length === 3 && paddings[2]!.every((n) => n === 0);
  if (!zeros || own === 'same') return undefined;
  const padding = ([0, 1] as const).map((axis) => {
    const [more, after] = own === 'valid' ? [0, 0] : own[axis];
    return [paddings[axis]![0] + more, paddings[axis]![1] + after];
  });
  return {name: node.name, node: {...node, args: {...node.args, padding}}, inputs: before.inputs};
}
