import {InputError} from '../../common/errors';
import {option} from '../../common/options';
import type {Graph, GraphNode, Weight} from '../../network/graph';
import {operatorOf} from '../../network/operators';
import {LayerArguments, isWhole} from './arguments';
import {knowsActivation} from './layers/activations';
import type {Dialect, LayerContext} from './layers/layer';
import {passesOn, readerOf} from './layers/table';
import {inputShapeOf} from './inputShape';
import {orderedUses, usesOf, type OrderedUse} from './order';
import {shown, type LayerRecord, type TensorReference, type Topology} from './topology';
import type {LayerPlace, WantedWeight, WeightSource} from './weights';

export interface BuildOptions {
  dialect: Dialect;
  /** [height, width] for a network that takes any size. */
  inputSize?: readonly [number, number];
  /** Which output, where the network has several. */
  output?: string;
}

/** A model's layers inside the models around them. */
interface Scope {
  topology: Topology;
  /** `outer/` */
  prefix: string;
  path: readonly string[];
  counters: readonly string[];
  /** Nodes that its inputs read; none for the outermost. */
  feeds?: readonly string[];
}

/**
 * The graph of a Keras network. Nested models are spelt out (`outer/inner`), a layer that is used again is a node of its own
 * (`name_1`) with the same weights, and what changes nothing at inference is left out.
 * @throws InputError that lists every layer that cannot be read, or names what does not fit
 */
export function buildGraph(topology: Topology, weights: WeightSource, options: BuildOptions): Graph {
  const output = chooseOutput(topology, options.output);
  const chosen = {...topology, outputs: [output]};
  if (topology.inputs.length !== 1) {
    const names = topology.inputs.map(({layer}) => layer).join(', ');
    throw new InputError(
      `the network has ${topology.inputs.length} inputs (${names}); a network of one image input is needed`,
    );
  }
  refuseUnknown(chosen);
  const builder = new Builder(chosen, weights, options);
  const [end] = builder.add({topology: chosen, prefix: '', path: [], counters: []});
  return {nodes: builder.nodes, inputs: builder.inputs, outputs: [end]};
}

function chooseOutput({outputs}: Topology, wanted: string | undefined): Topology['outputs'][number] {
  const names = outputs.map(({name}) => name);
  if (wanted !== undefined) {
    const found = outputs.find(({name}) => name === wanted);
    if (!found) throw new InputError(`no output "${wanted}"; the network’s outputs: ${names.join(', ')}`);
    return found;
  }
  if (outputs.length > 1) {
    throw new InputError(
      `the network has ${outputs.length} outputs: ${names.slice(0, 20).join(', ')}; choose the one with the classes (${option('output')})`,
    );
  }
  return outputs[0];
}

/** `Conv2D "conv1"` */
const called = ({className, name}: LayerRecord, prefix = '') =>
  `${className.slice(0, 60)} "${(prefix + name).slice(0, 120)}"`;

/** @throws InputError that lists all layers and activations that are not known */
function refuseUnknown(topology: Topology): void {
  const unknown: string[] = [];
  const first: string[] = [];
  const visit = (inner: Topology, prefix: string, outermost: boolean) => {
    const inputs = new Set(inner.inputs.map(({layer}) => layer));
    for (const layer of new Set(orderedUses(inner).map(({record}) => record))) {
      const reader = readerOf(layer);
      if (layer.inner) visit(layer.inner, `${prefix}${layer.name}/`, false);
      else if (layer.className === 'InputLayer' || passesOn(layer.className)) continue;
      else if (!reader) {
        unknown.push(called(layer, prefix) + functionName(layer));
        if (outermost && layer.uses.some(({tensors}) => tensors.some((tensor) => inputs.has(tensor.layer)))) {
          first.push(layer.name.slice(0, 120));
        }
      } else if (!knowsActivation(layer.config.activation)) {
        unknown.push(`activation ${shown(layer.config.activation)} of ${called(layer, prefix)}`);
      }
    }
  };
  visit(topology, '', true);
  if (unknown.length === 0) return;
  const list = unknown.slice(0, 30).join(', ') + (unknown.length > 30 ? ` and ${unknown.length - 30} more` : '');
  const advice =
    first.length > 0
      ? `"${first[0]}" works on the image before any other layer does, so it is likely preprocessing: strip it from the network, save that, and give the preset that does the same (${option('preset')})`
      : 'replace them by Keras’ own layers, or export the model as ONNX';
  throw new InputError(`the network has layers that cannot be read: ${list}; ${advice}`);
}

const functionName = ({config}: LayerRecord) =>
  typeof config.function === 'string' ? ` (${config.function.slice(0, 60)})` : '';

/** Keras names weights in archives by `to_snake_case` of the class. */
const classSnake = (className: string) =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

class Builder {
  readonly nodes: GraphNode[] = [];
  readonly inputs: string[] = [];
  private readonly shapes = new Map<string, number[]>();
  /** Names of layers: generated names avoid them. */
  private readonly reserved = new Set<string>();
  /** A layer's arrays, read once for all its uses. */
  private readonly arrays = new Map<LayerRecord, Weight[]>();

  constructor(
    topology: Topology,
    private readonly source: WeightSource,
    private readonly options: BuildOptions,
  ) {
    const reserve = ({layers}: Topology, prefix: string) => {
      for (const {name, inner} of layers) {
        this.reserved.add(prefix + name);
        if (inner) reserve(inner, `${prefix}${name}/`);
      }
    };
    reserve(topology, '');
  }

  /** Adds a model's nodes and returns those that carry its outputs. */
  add(scope: Scope): string[] {
    const {topology} = scope;
    const uses = usesOf(topology);
    /** Layer and use → the nodes of its outputs. */
    const outputs = new Map<string, string[]>();
    const nodeOf = (tensor: TensorReference): string => {
      const {record, use} = uses(tensor);
      const node = outputs.get(`${use} ${record.name}`)?.[tensor.tensor];
      if (node !== undefined) return node;
      throw new InputError(
        `output ${tensor.tensor} of ${called(record, scope.prefix)} is read; only layers with one output can be analysed`,
      );
    };
    const counters = countersOf(topology);
    for (const ordered of orderedUses(topology)) {
      const {record, use} = ordered;
      outputs.set(`${use} ${record.name}`, this.addUse(scope, ordered, nodeOf, counters.get(record) as string));
    }
    return topology.outputs.map(({tensor}) => nodeOf(tensor));
  }

  private addUse(
    scope: Scope,
    {record, use}: OrderedUse,
    nodeOf: (tensor: TensorReference) => string,
    counter: string,
  ): string[] {
    const full = scope.prefix + record.name;
    if (record.className === 'InputLayer') return [this.addInput(scope, record, full)];
    const reads = record.uses[use].tensors.map(nodeOf);
    if (reads.length === 0) throw new InputError(`${called(record, scope.prefix)} reads no other layer`);
    if (record.inner) {
      const prefix = `${use === 0 ? full : this.fresh(`${full}_${use}`)}/`;
      if (reads.length !== record.inner.inputs.length) {
        throw new InputError(
          `${called(record, scope.prefix)} has ${record.inner.inputs.length} inputs, and reads ${reads.length}`,
        );
      }
      return this.add({
        topology: record.inner,
        prefix,
        path: [...scope.path, record.name],
        counters: [...scope.counters, counter],
        feeds: reads,
      });
    }
    if (passesOn(record.className)) return [reads[0]];
    const name = use === 0 && !this.shapes.has(full) ? full : this.fresh(use === 0 ? full : `${full}_${use}`);
    const layer = this.context(scope, record, use, name, reads, nodeOf, counter);
    const reader = readerOf(record);
    if (!reader) throw new InputError(`${layer.owner} cannot be read`);
    const output = reader(layer);
    layer.args.finish();
    return [output];
  }

  private addInput({feeds, topology}: Scope, record: LayerRecord, name: string): string {
    if (feeds) {
      const position = topology.inputs.findIndex(({layer}) => layer === record.name);
      if (feeds[position] === undefined) throw new InputError(`input layer "${name}" is none of its model’s inputs`);
      return feeds[position];
    }
    if (topology.inputs[0].layer !== record.name) {
      throw new InputError(`input layer "${name}" is none of the network’s inputs`);
    }
    const shape = inputShapeOf(record, this.options.inputSize);
    this.inputs.push(name);
    return this.push({name, operator: 'InputLayer', args: {shape}, inputs: [], weights: []});
  }

  private context(
    scope: Scope,
    record: LayerRecord,
    use: number,
    name: string,
    inputs: string[],
    nodeOf: (tensor: TensorReference) => string,
    counter: string,
  ): LayerContext {
    const owner = called(record, scope.prefix);
    const place: LayerPlace = {
      owner,
      path: [...scope.path, record.name],
      counters: [...scope.counters, counter],
    };
    const arrays = (wanted: readonly WantedWeight[]) => {
      const known = this.arrays.get(record);
      const fits = known?.every(({shape}, at) => shape.join() === wanted[at]?.shape.join());
      if (known && fits) return known;
      const taken = this.source.take(place, wanted);
      this.arrays.set(record, taken);
      return taken;
    };
    return {
      name,
      owner,
      className: record.className,
      args: new LayerArguments(owner, record.config),
      inputs,
      shapes: inputs.map((input) => this.shapeOf(input)),
      use: record.uses[use],
      dialect: this.options.dialect,
      weights: arrays,
      hasWeight: (wanted) => this.source.has(place, wanted),
      add: (operator, args, more = {}) =>
        this.push({
          name: more.name ?? name,
          operator,
          args,
          inputs: [...(more.inputs ?? inputs)],
          weights: more.weights ?? [],
          ...(more.mark ? {mark: more.mark} : {}),
        }),
      fresh: (wanted) => this.fresh(wanted),
      shapeOf: (node) => this.shapeOf(node),
      nodeOf,
    };
  }

  private push(node: GraphNode): string {
    const shape = operatorOf(node.operator).shape(
      node,
      node.inputs.map((input) => this.shapeOf(input)),
    );
    if (!shape.every((size) => isWhole(size, 1))) {
      throw new InputError(
        `${node.operator} "${node.name}" would give an output of shape [${shape.join(', ')}]; the images are too small for this network`,
      );
    }
    this.nodes.push(node);
    this.shapes.set(node.name, shape);
    return node.name;
  }

  private shapeOf(node: string): number[] {
    const shape = this.shapes.get(node);
    if (!shape) throw new Error(`node "${node}" has no shape yet`);
    return shape;
  }

  private fresh(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.shapes.has(name) || this.reserved.has(name); count++) name = `${wanted}_${count}`;
    // Taken at once: a prefix of a nested model has no node of its own.
    this.reserved.add(name);
    return name;
  }
}

/** Each layer's class with a count, as Keras' archives number them: `conv2d`, `conv2d_1`. */
function countersOf({layers}: Topology): Map<LayerRecord, string> {
  const counts = new Map<string, number>();
  return new Map(
    layers.map((record) => {
      const base = classSnake(record.className);
      const count = counts.get(base) ?? 0;
      counts.set(base, count + 1);
      return [record, count === 0 ? base : `${base}_${count}`];
    }),
  );
}
