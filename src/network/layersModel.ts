import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {InputError} from '../common/errors';
import type {Graph, GraphNode, Weight} from './graph';

/**
 * Between tfjs's LayersModel, which computes, and {@link Graph}, which can be rewritten. tfjs cannot cut a model that is
 * already built (its layers remember where they were applied), so every rewritten network is a fresh one.
 */

interface LayerConfig {
  name: string;
  className: string;
  config: Record<string, unknown>;
  inboundNodes: [string, number, number, Record<string, unknown>][][];
}

interface ContainerConfig {
  layers: LayerConfig[];
  inputLayers: [string, number, number][];
  outputLayers: [string, number, number][];
}

const CONTAINERS = new Set(['Model', 'Functional', 'Sequential']);

/**
 * The graph of a LayersModel; nested models are spelt out, their layers named `outer/inner`.
 * @throws InputError for a layer that is used twice or has several outputs
 */
export function fromLayersModel(model: tfl.LayersModel): Graph {
  const nodes: GraphNode[] = [];
  const {inputs, outputs} = addContainer(model, '', undefined, nodes);
  return {nodes, inputs, outputs};
}

/** Adds a container's layers to `nodes`; `feeds` are the nodes that its inputs read, none for the outermost. */
function addContainer(
  container: tfl.LayersModel,
  prefix: string,
  feeds: string[] | undefined,
  nodes: GraphNode[],
): {inputs: string[]; outputs: string[]} {
  const config = containerConfig(container);
  /** Layer name in this container → the node that carries its output. */
  const outputOf = new Map<string, string>();
  const inputs: string[] = [];
  for (const layer of config.layers) {
    if (layer.inboundNodes.length > 1) {
      throw new InputError(
        `layer "${prefix}${layer.name}" is used ${layer.inboundNodes.length} times; only networks that use each layer once can be analysed`,
      );
    }
    const calls = layer.inboundNodes[0] ?? [];
    if (calls.some(([, , tensorIndex]) => tensorIndex !== 0)) {
      throw new InputError(
        `layer "${prefix}${layer.name}" reads a second output of another layer; only layers with one output can be analysed`,
      );
    }
    const reads = calls.map(([source]) => outputOf.get(source) as string);
    // A sequential model's input layer may be of our own making, without an object.
    const object = container.layers.find((candidate) => candidate.name === layer.name);
    if (layer.className === 'InputLayer') {
      const position = config.inputLayers.findIndex(([name]) => name === layer.name);
      if (feeds) {
        outputOf.set(layer.name, feeds[position]);
        continue;
      }
      inputs.push(layer.name);
    } else if (CONTAINERS.has(layer.className)) {
      const inner = addContainer(object as unknown as tfl.LayersModel, `${prefix}${layer.name}/`, reads, nodes);
      outputOf.set(layer.name, inner.outputs[0]);
      continue;
    }
    const name = prefix + layer.name;
    nodes.push({
      name,
      operator: layer.className,
      args: {...layer.config, name},
      inputs: reads,
      weights: object ? weightsOf(object) : [],
    });
    outputOf.set(layer.name, name);
  }
  return {inputs, outputs: config.outputLayers.map(([name]) => outputOf.get(name) as string)};
}

/** A sequential model's configuration as that of a functional one. */
function containerConfig(container: tfl.LayersModel): ContainerConfig {
  if (container.getClassName() !== 'Sequential') return container.getConfig() as unknown as ContainerConfig;
  const layers: LayerConfig[] = [];
  let previous: string | undefined;
  for (const layer of container.layers) {
    const className = layer.getClassName();
    const config = className === 'Sequential' ? {} : (layer.getConfig() as Record<string, unknown>);
    if (previous === undefined && className !== 'InputLayer') {
      previous = `${layer.name}_input`;
      const batchInputShape = container.inputs[0].shape;
      layers.push({
        name: previous,
        className: 'InputLayer',
        config: {batchInputShape, dtype: 'float32', sparse: false, name: previous},
        inboundNodes: [],
      });
    }
    layers.push({name: layer.name, className, config, inboundNodes: previous ? [[[previous, 0, 0, {}]]] : []});
    previous = layer.name;
  }
  return {
    layers,
    inputLayers: [[layers[0].name, 0, 0]],
    outputLayers: [[layers[layers.length - 1].name, 0, 0]],
  };
}

function weightsOf(layer: tfl.layers.Layer): Weight[] {
  const tensors = layer.getWeights();
  return layer.weights.map((variable, i) => ({
    name: variable.originalName.split('/').pop() as string,
    shape: tensors[i].shape.slice(),
    data: Float32Array.from(tensors[i].dataSync()),
  }));
}

/**
 * A fresh LayersModel that computes the graph. The caller disposes of it.
 * @throws InputError for a layer class that tfjs does not know
 */
export function toLayersModel(graph: Graph, name?: string): tfl.LayersModel {
  const symbols = new Map<string, tfl.SymbolicTensor>();
  for (const node of graph.nodes) {
    if (node.operator === 'InputLayer') {
      const {batchInputShape, dtype} = node.args as {batchInputShape: (number | null)[]; dtype?: tf.DataType};
      symbols.set(node.name, tfl.input({batchShape: batchInputShape, name: node.name, dtype}));
      continue;
    }
    const layer = layerOf(node);
    const reads = node.inputs.map((input) => symbols.get(input) as tfl.SymbolicTensor);
    symbols.set(node.name, layer.apply(reads.length === 1 ? reads[0] : reads) as tfl.SymbolicTensor);
    if (node.weights.length > 0) {
      tf.tidy(() => layer.setWeights(node.weights.map(({data, shape}) => tf.tensor(data, shape))));
    }
  }
  return tfl.model({
    inputs: graph.inputs.map((input) => symbols.get(input) as tfl.SymbolicTensor),
    outputs: graph.outputs.map((output) => symbols.get(output) as tfl.SymbolicTensor),
    name,
  });
}

type LayerClass = {fromConfig: (cls: unknown, config: Record<string, unknown>) => tfl.layers.Layer};

function layerOf(node: GraphNode): tfl.layers.Layer {
  const known = tf.serialization.SerializationMap.getMap().classNameMap[node.operator];
  if (!known) throw new InputError(`layer "${node.name}" is a ${node.operator}, which tfjs does not know`);
  const config = {...node.args, name: node.name};
  // Weights are set below: drawing random ones first takes seconds in a large network.
  for (const key of Object.keys(config)) {
    if (key.endsWith('Initializer')) (config as Record<string, unknown>)[key] = {className: 'Zeros', config: {}};
  }
  const [layerClass, fromConfig] = known as unknown as [LayerClass, LayerClass['fromConfig']];
  return fromConfig(layerClass, config);
}

/** Output shape of each node, with the batch axis as null. */
export function outputShapes(graph: Graph): Map<string, (number | null)[]> {
  const model = toLayersModel({...graph, nodes: graph.nodes});
  try {
    return new Map(model.layers.map((layer) => [layer.name, layer.outputShape as (number | null)[]]));
  } finally {
    model.dispose();
  }
}
