import type {Graph, GraphNode} from '../network/graph';
import {node, operatorOf, type NodeDetails} from '../network/operators';

/** Collects the nodes of a network that is read: gives each a name of its own, knows its shape, and makes equal helpers once. */
export interface GraphBuilder {
  /**
   * @returns the node's name: `name`, or with a number behind it where it is taken
   * @throws InputError where the operator does not take these arguments, weights or inputs
   */
  add(operator: string, name: string, details: NodeDetails): string;
  /** A node without weights that the file does not have, made once for its operator, arguments and input. */
  once(operator: string, args: Record<string, unknown>, input: string): string;
  /** Without the batch axis. */
  shapeOf(name: string): number[];
  find(name: string): GraphNode;
  graph(output: string): Graph;
}

export function graphBuilder(): GraphBuilder {
  const nodes = new Map<string, GraphNode>();
  const shapes = new Map<string, number[]>();
  const helpers = new Map<string, string>();
  const shapeOf = (name: string) => shapes.get(name) as number[];
  const builder: GraphBuilder = {
    shapeOf,
    find: (name) => nodes.get(name) as GraphNode,
    add(operator, wanted, details) {
      let name = wanted;
      for (let n = 1; nodes.has(name); n++) name = `${wanted}_${n}`;
      const made = node(operator, name, details);
      shapes.set(name, operatorOf(operator).shape(made, made.inputs.map(shapeOf)));
      nodes.set(name, made);
      return name;
    },
    once(operator, args, input) {
      const key = JSON.stringify([operator, args, input]);
      const known = helpers.get(key);
      if (known !== undefined) return known;
      const before = nodes.get(input)?.mark;
      const of = before?.kind === 'generated' && before.of !== undefined ? before.of : input;
      const mark = {kind: 'generated' as const, of};
      const name = builder.add(operator, `${of}_${operator.toLowerCase()}`, {args, inputs: [input], mark});
      helpers.set(key, name);
      return name;
    },
    graph: (output) => ({
      nodes: [...nodes.values()],
      inputs: [...nodes.values()].filter(({operator}) => operator === 'InputLayer').map(({name}) => name),
      outputs: [output],
    }),
  };
  return builder;
}

/** The part of a graph that its outputs and inputs need. */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set([...graph.outputs, ...graph.inputs]);
  for (const node of [...graph.nodes].reverse()) {
    if (needed.has(node.name)) for (const input of node.inputs) needed.add(input);
  }
  return {...graph, nodes: graph.nodes.filter(({name}) => needed.has(name))};
}
