/**
 * A network as plain data: one node a layer, in topological order. Cutting, folding and splitting are pure functions from
 * graph to graph; a graph is never changed, and weights are shared between graphs.
 */

/** A layer's trained array, named as tfjs names it: `kernel`, `bias`, `gamma`, `beta`, `moving_mean`, `moving_variance`. */
export interface Weight {
  name: string;
  shape: number[];
  data: Float32Array;
}

export interface GraphNode {
  name: string;
  /** The tfjs layer class, e.g. `Conv2D`, `BatchNormalization`, `InputLayer`. */
  operator: string;
  /** Arguments of that class, as `layer.getConfig()` gives them (camel case). */
  args: Record<string, unknown>;
  /** Names of the nodes whose outputs it reads, in order. */
  inputs: string[];
  weights: Weight[];
  /** What was added to the network as it was read, and for which node; changes no value. */
  mark?: {kind: 'merge' | 'shortcut' | 'activation' | 'padding' | 'generated'; of?: string};
}

export interface Graph {
  nodes: GraphNode[];
  inputs: string[];
  outputs: string[];
}

export function nodeOf(graph: Graph, name: string): GraphNode {
  const node = graph.nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`no node "${name}" in the graph`);
  return node;
}

/** Nodes that read the output of `name`. */
export function consumersOf(graph: Graph, name: string): GraphNode[] {
  return graph.nodes.filter((node) => node.inputs.includes(name));
}

export function weightOf(node: GraphNode, name: string): Weight | undefined {
  return node.weights.find((weight) => weight.name === name);
}
