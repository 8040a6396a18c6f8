import {InputError} from '../common/errors';
import {consumersOf, nodeOf, upTo, type Graph, type GraphNode} from './graph';
import {shapesOf} from './operators';

/**
 * A network cut at a layer: image → trunk → (X, crossing) → layer → Z → head → output. The head reads every tensor that
 * passes the layer by (residual connections).
 */
export interface Cut {
  /** Outputs: the layer's input X, then each crossing tensor that is not X itself. */
  trunk: Graph;
  layer: GraphNode;
  /** Inputs: the layer's output Z, then each crossing tensor. */
  head: Graph;
  crossing: string[];
}

/**
 * Cuts at a layer's output.
 * @throws InputError where the output does not depend on the layer
 */
export function cutAt(graph: Graph, layerName: string): Cut {
  const layer = nodeOf(graph, layerName);
  const after = downstreamOf(graph, layerName);
  if (!graph.outputs.every((output) => output === layerName || after.has(output))) {
    throw new InputError(`the network's output does not depend on layer "${layerName}"; choose another layer`);
  }
  const needed = new Set(upTo(graph, graph.outputs).nodes.map(({name}) => name));
  const headNodes = graph.nodes.filter(({name}) => after.has(name) && needed.has(name));
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const read = [...new Set(headNodes.flatMap((node) => node.inputs))].filter(
    (name) => name !== layerName && !after.has(name),
  );
  // A constant has no batch axis to travel with, and costs nothing: the head has its own.
  const constants = graph.nodes.filter(({name, operator}) => operator === 'Constant' && read.includes(name));
  const crossing = read.filter((name) => byName.get(name)?.operator !== 'Constant');
  const shapes = shapesOf(graph);
  const placeholder = (name: string): GraphNode => ({
    name,
    operator: 'InputLayer',
    args: {shape: shapes.get(name)},
    inputs: [],
    weights: [],
  });
  const head: Graph = {
    nodes: [placeholder(layerName), ...crossing.map(placeholder), ...constants, ...headNodes],
    inputs: [layerName, ...crossing],
    outputs: graph.outputs,
  };
  return {trunk: upTo(graph, [...new Set([layer.inputs[0], ...crossing])]), layer, head, crossing};
}

function downstreamOf(graph: Graph, name: string): Set<string> {
  const reached = new Set<string>();
  const queue = [name];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const node of consumersOf(graph, next)) {
      if (!reached.has(node.name)) queue.push(node.name);
      reached.add(node.name);
    }
  }
  return reached;
}
