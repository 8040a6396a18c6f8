import {InputError} from '../../common/errors';
import type {Graph, GraphNode, Weight} from '../../network/graph';
import {shapesOf} from '../../network/operators';
import {activationWriters} from './layers/activations';
import {convolutionWriters} from './layers/convolutions';
import {Inexpressible, type NodeWriter, type StoredWeight, type WriterContext, type WrittenLayer} from './layers/layer';
import {otherWriters} from './layers/others';
import {nonNegativeNodes} from './nonNegative';

/** A node that is several layers, or another one, in the file; reading puts it back. */
export interface Expressed {
  node: string;
  operator: string;
  args: Record<string, unknown>;
  inputs: string[];
  /** The layers that stand for it; the last carries its output. */
  layers: string[];
  weights: StoredWeight[];
}

/** A network as the parts of a tfjs LayersModel. */
export interface WrittenModel {
  modelTopology: Record<string, unknown>;
  /** In the order of the weight file. */
  weights: {name: string; shape: number[]; dtype: 'float32'; data: Float32Array}[];
  expressed: Expressed[];
  /** Layer → node, where tfjs does not take the node's name. */
  names: Record<string, string>;
  marks: Record<string, NonNullable<GraphNode['mark']>>;
  notes: string[];
}

const WRITERS: Readonly<Record<string, NodeWriter>> = {...convolutionWriters, ...activationWriters, ...otherWriters};
/** What tfjs takes as the name of a layer with weights. */
const TFJS_NAME = /^[A-Za-z0-9][-A-Za-z0-9_./]*$/;

/**
 * Writes a graph as an ordinary tfjs LayersModel, which any tfjs program loads and which computes the same. Activations are layers of
 * their own; what tfjs has no layer for is composed of those that it has.
 * @throws InputError that lists the nodes that cannot be expressed
 */
export function writeLayersModel(graph: Graph, name: string): WrittenModel {
  const writer = new ModelWriter(graph);
  for (const node of graph.nodes) writer.add(node);
  return writer.finish(name);
}

class ModelWriter {
  private readonly layers: WrittenLayer[] = [];
  private readonly taken = new Set<string>();
  /** Node → the layer that carries its output. */
  private readonly layerOf = new Map<string, string>();
  private readonly shapes: Map<string, number[]>;
  private readonly nonNegative: ReadonlySet<string>;
  private readonly expressed: Expressed[] = [];
  private readonly refused: string[] = [];
  private readonly notes: string[] = [];

  constructor(private readonly graph: Graph) {
    this.shapes = shapesOf(graph);
    this.nonNegative = nonNegativeNodes(graph);
    // All nodes' own names first, so that a part's name never takes one of them.
    for (const {name} of graph.nodes) this.layerOf.set(name, this.fresh(safeName(name)));
  }

  add(node: GraphNode): void {
    const write = Object.hasOwn(WRITERS, node.operator) ? WRITERS[node.operator] : undefined;
    try {
      if (!write) throw new Inexpressible('it has no such layer');
      const first = this.layers.length;
      let rewritten = false;
      const stored: StoredWeight[] = [];
      write(this.contextOf(node, stored, () => (rewritten = true)));
      const layers = this.layers.slice(first).map(({name}) => name);
      if (!rewritten && layers.length === 1) return;
      this.expressed.push({
        node: node.name,
        operator: node.operator,
        args: node.args,
        inputs: node.inputs,
        layers,
        weights: stored,
      });
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error;
      this.refused.push(`${node.operator} "${node.name}" (${error.message})`);
    }
  }

  finish(name: string): WrittenModel {
    if (this.refused.length > 0) {
      const more = this.refused.length > 10 ? ` and ${this.refused.length - 10} more` : '';
      throw new InputError(
        `a tfjs LayersModel cannot express ${this.refused.slice(0, 10).join(', ')}${more}; save the network as ONNX instead`,
      );
    }
    const {inputs, outputs, nodes} = this.graph;
    const endpoint = (node: string) => [this.layerOf.get(node), 0, 0];
    return {
      modelTopology: {
        class_name: 'Model',
        config: {
          name: safeName(name),
          layers: this.layers.map(layerJson),
          input_layers: inputs.map(endpoint),
          output_layers: outputs.map(endpoint),
        },
        keras_version: 'tfjs-layers 4.22.0',
        backend: 'tensor_flow.js',
      },
      weights: this.layers.flatMap(({name: layer, weights}) =>
        weights.map(({name: weight, shape, data}) => ({
          name: `${layer}/${weight}`,
          shape,
          dtype: 'float32' as const,
          data,
        })),
      ),
      expressed: this.expressed,
      names: Object.fromEntries([...this.layerOf].filter(([node, layer]) => node !== layer).map(([a, b]) => [b, a])),
      marks: Object.fromEntries(nodes.flatMap((node) => (node.mark ? [[node.name, node.mark]] : []))),
      notes: this.notes,
    };
  }

  private contextOf(node: GraphNode, stored: StoredWeight[], rewritten: () => void): WriterContext {
    const layerName = this.layerOf.get(node.name) as string;
    const inputs = node.inputs.map((input) => this.layerOf.get(input) as string);
    const push = (name: string, className: string, config: Record<string, unknown>, fields: Fields) => {
      this.layers.push({
        name,
        className,
        config,
        inputs: [...(fields.inputs ?? inputs)],
        weights: [...(fields.weights ?? [])] as Weight[],
      });
      return name;
    };
    return {
      node,
      inputs,
      layerName,
      shapes: node.inputs.map((input) => this.shapes.get(input) as number[]),
      shape: this.shapes.get(node.name) as number[],
      nonNegative: node.inputs.length > 0 && this.nonNegative.has(node.inputs[0]),
      part: (className, config, fields = {}) =>
        push(this.fresh(`${layerName}_${fields.suffix ?? 'part'}`), className, config, fields),
      whole: (className, config, fields = {}) => push(layerName, className, config, fields),
      store: (weight) => void stored.push(weight),
      rewritten,
      note: (what) => void this.notes.push(what),
      refuse: (why) => {
        throw new Inexpressible(why);
      },
    };
  }

  private fresh(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.taken.has(name); count++) name = `${wanted}_${count}`;
    this.taken.add(name);
    return name;
  }
}

type Fields = {inputs?: readonly string[]; weights?: readonly Weight[]};

function safeName(name: string): string {
  if (TFJS_NAME.test(name)) return name;
  const safe = name.replace(/[^-A-Za-z0-9_./]/g, '_');
  return /^[A-Za-z0-9]/.test(safe) ? safe : `n${safe}`;
}

function layerJson({name, className, config, inputs}: WrittenLayer): Record<string, unknown> {
  return {
    name,
    class_name: className,
    config: {...config, name, trainable: true, dtype: 'float32'},
    inbound_nodes: inputs.length > 0 ? [inputs.map((input) => [input, 0, 0, {}])] : [],
  };
}
