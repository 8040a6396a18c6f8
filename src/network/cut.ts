import {InputError} from '../common/errors';
import {consumersOf, nodeOf, type Graph, type GraphNode} from './graph';
import {outputShapes} from './layersModel';

/**
 * A network cut at a layer: image → trunk → (X, crossing) → layer → Z → head → output. The head reads every tensor that
 * passes the layer by (residual connections).
 */
export interface Cut {
  /** Outputs: the layer's input X, then each crossing tensor that is not X itself. */
  trunk: Graph;
  layer: GraphNode;
  /** Inputs: the layer's linear output Z, before any activation of its own, then each crossing tensor. */
  head: Graph;
  crossing: string[];
}

/**
 * Cuts at a layer's linear output.
 * @throws InputError where the output does not depend on the layer
 */
export function cutAt(graph: Graph, layerName: string): Cut {
  const layer = nodeOf(graph, layerName);
  const after = downstreamOf(graph, layerName);
  if (!graph.outputs.every((output) => output === layerName || after.has(output))) {
    throw new InputError(`the network's output does not depend on layer "${layerName}"; choose another layer`);
  }
  const headNodes = graph.nodes.filter((node) => after.has(node.name));
  const crossing = [...new Set(headNodes.flatMap((node) => node.inputs))].filter(
    (name) => name !== layerName && !after.has(name),
  );
  const shapes = outputShapes(graph);
  const placeholder = (name: string): GraphNode => ({
    name,
    operator: 'InputLayer',
    args: {batchInputShape: shapes.get(name), dtype: 'float32', sparse: false, name},
    inputs: [],
    weights: [],
  });
  const activation = splitActivation(layer);
  const throughActivation = (name: string) => (activation && name === layerName ? activation.name : name);
  const head: Graph = {
    nodes: [
      placeholder(layerName),
      ...crossing.map(placeholder),
      ...(activation ? [activation] : []),
      ...headNodes.map((node) => ({...node, inputs: node.inputs.map(throughActivation)})),
    ],
    inputs: [layerName, ...crossing],
    outputs: graph.outputs.map(throughActivation),
  };
  const ends = [...new Set([layer.inputs[0], ...crossing])];
  const before = upstreamOf(graph, ends);
  const trunk = {nodes: graph.nodes.filter((node) => before.has(node.name)), inputs: graph.inputs, outputs: ends};
  return {trunk, layer, head, crossing};
}

/** A built-in activation of the layer, as a layer of its own; undefined for a linear one. */
export function splitActivation(layer: GraphNode): GraphNode | undefined {
  const activation = layer.args.activation ?? 'linear';
  if (activation === 'linear') return undefined;
  const name = `${layer.name}_activation`;
  return {name, operator: 'Activation', args: {activation, name}, inputs: [layer.name], weights: []};
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

function upstreamOf(graph: Graph, names: readonly string[]): Set<string> {
  const reached = new Set(names);
  const queue = [...names];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const input of nodeOf(graph, next).inputs) {
      if (!reached.has(input)) queue.push(input);
      reached.add(input);
    }
  }
  return reached;
}
