/**
 * A network as plain data: one node an operator, in topological order. Cutting, folding and splitting are pure functions from
 * graph to graph; a graph is never changed, and weights are shared between graphs.
 */

/** A node's trained array, named as Keras names it: `kernel`, `bias`, `gamma`, `beta`, `moving_mean`, `moving_variance`. */
export interface Weight {
  name: string;
  shape: number[];
  data: Float32Array;
}

/** What was added to the network as it was read or rewritten, and for which node; changes no value. */
export interface Mark {
  kind: 'merge' | 'shortcut' | 'activation' | 'padding' | 'generated';
  of?: string;
}

export interface GraphNode {
  name: string;
  /** In Keras' vocabulary, e.g. `Conv2D`, `BatchNormalization`, `InputLayer`; `network/operators` has them all. */
  operator: string;
  /** Arguments that change a value at inference, complete, as plain JSON values. */
  args: Record<string, unknown>;
  /** Names of the nodes whose outputs it reads, in order. */
  inputs: string[];
  weights: Weight[];
  mark?: Mark;
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

/** Whether a node was added by a split or stands for an addition with fixed weights: no layer of the network's own. */
export function isHelper({mark}: GraphNode): boolean {
  return mark?.kind === 'merge' || mark?.kind === 'shortcut' || mark?.kind === 'generated';
}

/** `wanted`, or with the first number behind it that no node has: `conv1_merge`, `conv1_merge_2`. */
export function freshName(graph: Pick<Graph, 'nodes'>, wanted: string): string {
  const taken = new Set(graph.nodes.map(({name}) => name));
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`;
  return name;
}

/** The graph with one node changed; its name stays. */
export function replaceNode(graph: Graph, changed: GraphNode): Graph {
  return {...graph, nodes: graph.nodes.map((node) => (node.name === changed.name ? changed : node))};
}

/** Everything that read `from` reads `to`, and `from` is gone. */
export function bypass(graph: Graph, from: string, to: string): Graph {
  const redirect = (name: string) => (name === from ? to : name);
  return {
    nodes: graph.nodes
      .filter((node) => node.name !== from)
      .map((node) => (node.inputs.includes(from) ? {...node, inputs: node.inputs.map(redirect)} : node)),
    inputs: graph.inputs,
    outputs: graph.outputs.map(redirect),
  };
}

/** Puts nodes behind `name`: everything that read it reads the last of them. The first is to read `name`, each next the one before. */
export function insertAfter(graph: Graph, name: string, added: readonly GraphNode[]): Graph {
  const end = added[added.length - 1].name;
  const redirect = (input: string) => (input === name ? end : input);
  return {
    inputs: graph.inputs,
    outputs: graph.outputs.map(redirect),
    nodes: graph.nodes.flatMap((node) =>
      node.name === name
        ? [node, ...added]
        : [node.inputs.includes(name) ? {...node, inputs: node.inputs.map(redirect)} : node],
    ),
  };
}

/** The graph with other outputs and only the nodes that these depend on, and its inputs. */
export function upTo(graph: Graph, outputs: readonly string[]): Graph {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const reached = new Set(outputs);
  // A set hands out what is added to it on the way.
  for (const name of reached) {
    const node = byName.get(name);
    if (!node) throw new Error(`no node "${name}" in the graph`);
    node.inputs.forEach((source) => reached.add(source));
  }
  return {
    nodes: graph.nodes.filter(({name}) => reached.has(name) || graph.inputs.includes(name)),
    inputs: graph.inputs,
    outputs: [...outputs],
  };
}
