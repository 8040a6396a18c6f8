import {InputError} from '../../common/errors';
import {isRecord} from '../../common/isRecord';

/**
 * Keras' description of a network (`config.json`, `model_config`, a tfjs `modelTopology`) as plain, checked data: both spellings, of
 * Keras 1 and 2 (`inbound_nodes: [[["conv1", 0, 0, {}]]]`) and of Keras 3 (`args` and `kwargs` with `__keras_tensor__`).
 */

/** Output `tensor` of call number `node` of a layer. */
export interface TensorReference {
  layer: string;
  node: number;
  tensor: number;
}

/** One use of a layer. Constants occur with operators (`x + 3`) only. */
export interface LayerUse {
  tensors: TensorReference[];
  /** Every positional argument in order: a tensor, or a constant. */
  positional: (TensorReference | {constant: unknown})[];
  named: Record<string, TensorReference | {constant: unknown}>;
}

export interface LayerRecord {
  name: string;
  className: string;
  /** Where the class is from, e.g. `keras.src.ops.numpy`: operators share names with layers. */
  module: string;
  config: Record<string, unknown>;
  uses: LayerUse[];
  /** The network inside, for a model that is used as a layer. */
  inner?: Topology;
}

export interface Topology {
  name: string;
  layers: LayerRecord[];
  inputs: TensorReference[];
  /** By name: the layer's, or the key where Keras 3 has one. */
  outputs: {name: string; tensor: TensorReference}[];
}

const CONTAINERS = new Set(['Model', 'Functional', 'Sequential']);
const MAX_DEPTH = 16;

export const isTensor = (value: TensorReference | {constant: unknown}): value is TensorReference => 'layer' in value;

/** A value from a file, short enough for a sentence. */
export const shown = (value: unknown) => (value === undefined ? 'missing' : JSON.stringify(value)).slice(0, 60);

function damaged(what: string): InputError {
  return new InputError(`the network's description is damaged: ${what}; export the model again`);
}

/**
 * @param json the record with `class_name` and `config`
 * @throws InputError for what is missing, doubled, cyclic or no Keras model
 */
export function readTopology(json: unknown, depth = 0): Topology {
  if (!isRecord(json) || typeof json.class_name !== 'string') {
    throw damaged(`class_name is ${shown(isRecord(json) ? json.class_name : json)}`);
  }
  if (!CONTAINERS.has(json.class_name)) {
    throw new InputError(
      `the model is of class "${json.class_name.slice(0, 80)}", whose computation is Python code; build it with the Functional or Sequential API, or export it as ONNX`,
    );
  }
  if (depth > MAX_DEPTH) throw damaged(`models are nested more than ${MAX_DEPTH} deep`);
  // Keras 1 gives a sequential model's configuration as the bare list of its layers.
  const config = Array.isArray(json.config) ? {layers: json.config} : json.config;
  if (!isRecord(config)) throw damaged(`config is ${shown(config)}`);
  if (!Array.isArray(config.layers)) throw damaged(`layers is ${shown(config.layers)}, and must be a list`);
  if (config.layers.length === 0) throw damaged('it has no layers');
  const sequential = json.class_name === 'Sequential';
  const layers = config.layers.map((layer, at) => readLayer(layer, at, sequential, depth));
  const seen = new Set<string>();
  for (const {name} of layers) {
    if (seen.has(name)) throw damaged(`two layers are called ${shown(name)}`);
    seen.add(name);
  }
  const name = typeof config.name === 'string' ? config.name : 'model';
  if (sequential) return chain(name, layers, config);
  const inputs = references(config.input_layers, 'input_layers');
  const outputs = references(config.output_layers, 'output_layers');
  if (inputs.length === 0) throw damaged('it has no input layers');
  if (outputs.length === 0) throw damaged('it has no output layers');
  const topology = {
    name,
    layers,
    inputs: inputs.map(({tensor}) => tensor),
    outputs: outputs.map(({key, tensor}) => ({name: key ?? tensor.layer, tensor})),
  };
  checkReferences(topology);
  return topology;
}

function readLayer(json: unknown, at: number, sequential: boolean, depth: number): LayerRecord {
  if (!isRecord(json)) throw damaged(`layer ${at} is ${shown(json)}`);
  const className = json.class_name;
  if (typeof className !== 'string') throw damaged(`class_name of layer ${at} is ${shown(className)}`);
  // A nested sequential model of Keras 1 has a list here.
  const config = Array.isArray(json.config) ? {layers: json.config} : (json.config ?? {});
  if (!isRecord(config)) throw damaged(`config of layer ${at} is ${shown(config)}`);
  const name = json.name ?? config.name ?? (sequential ? `${className.toLowerCase()}_${at}` : undefined);
  if (typeof name !== 'string' || name === '') throw damaged(`name of layer ${at} is ${shown(name)}`);
  const calls = json.inbound_nodes ?? [];
  if (!Array.isArray(calls)) throw damaged(`inbound_nodes of layer ${shown(name)} is ${shown(calls)}`);
  return {
    name,
    className,
    module: typeof json.module === 'string' ? json.module : '',
    config,
    uses: sequential ? [] : calls.map((call) => readUse(call, name)),
    inner: CONTAINERS.has(className) ? readTopology({...json, config: json.config}, depth + 1) : undefined,
  };
}

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** `["conv1", 0, 0]` or `["conv1", 0, 0, {…}]`. */
function listedReference(value: unknown): TensorReference | undefined {
  if (!Array.isArray(value) || value.length < 1 || value.length > 4 || typeof value[0] !== 'string') return undefined;
  const [layer, node = 0, tensor = 0] = value;
  return isIndex(node) && isIndex(tensor) ? {layer, node, tensor} : undefined;
}

/** Keras 3: `{class_name: '__keras_tensor__', config: {keras_history: ["conv1", 0, 0]}}`. */
function objectReference(value: unknown): TensorReference | undefined {
  if (!isRecord(value) || value.class_name !== '__keras_tensor__' || !isRecord(value.config)) return undefined;
  return listedReference(value.config.keras_history);
}

function readUse(call: unknown, name: string): LayerUse {
  const use: LayerUse = {tensors: [], positional: [], named: {}};
  const addTensor = (tensor: TensorReference) => {
    use.tensors.push(tensor);
    use.positional.push(tensor);
  };
  if (isRecord(call)) {
    const addArgument = (value: unknown): void => {
      const tensor = objectReference(value);
      if (tensor) addTensor(tensor);
      else if (Array.isArray(value) && value.some((item) => objectReference(item) || Array.isArray(item))) {
        value.forEach(addArgument);
      } else use.positional.push({constant: value});
    };
    if (!Array.isArray(call.args ?? [])) throw damaged(`args of layer ${shown(name)} are ${shown(call.args)}`);
    for (const value of (call.args as unknown[] | undefined) ?? []) addArgument(value);
    for (const [key, value] of Object.entries(isRecord(call.kwargs) ? call.kwargs : {})) {
      const tensor = objectReference(value);
      use.named[key] = tensor ?? {constant: value};
      if (tensor) use.tensors.push(tensor);
    }
    return use;
  }
  if (!Array.isArray(call)) throw damaged(`inbound_nodes of layer ${shown(name)} hold ${shown(call)}`);
  // An operator with one tensor is written without the outer list.
  for (const item of typeof call[0] === 'string' ? [call] : call) {
    const constant = Array.isArray(item) && item[0] === '_CONSTANT_VALUE';
    if (constant) use.positional.push({constant: (item as unknown[])[2]});
    else {
      const tensor = listedReference(item);
      if (!tensor) throw damaged(`layer ${shown(name)} reads ${shown(item)}`);
      addTensor(tensor);
    }
    const named = (item as unknown[])[3];
    for (const [key, value] of Object.entries(isRecord(named) ? named : {})) {
      const tensor = Array.isArray(value) && value.length === 3 ? listedReference(value) : undefined;
      use.named[key] = tensor ?? {constant: value};
      if (tensor) use.tensors.push(tensor);
    }
  }
  return use;
}

/** Input or output layers: one reference, a list of them, or (Keras 3) a record of them by key. */
function references(value: unknown, field: string): {key?: string; tensor: TensorReference}[] {
  const single = listedReference(value);
  if (single) return [{tensor: single}];
  if (!Array.isArray(value) && !isRecord(value)) throw damaged(`${field} is ${shown(value)}`);
  const entries: [string | undefined, unknown][] = Array.isArray(value)
    ? value.map((item) => [undefined, item])
    : Object.entries(value);
  return entries.flatMap(([key, item]) => {
    const tensor = listedReference(item);
    if (tensor) return [{key, tensor}];
    if (Array.isArray(item) && item.length > 0 && item.every((inner) => listedReference(inner))) {
      return item.map((inner) => ({key: undefined, tensor: listedReference(inner) as TensorReference}));
    }
    throw damaged(`${field} holds ${shown(item)}`);
  });
}

/** A sequential model as a functional one, with an input layer of its own where it has none. */
function chain(name: string, layers: LayerRecord[], config: Record<string, unknown>): Topology {
  const [first] = layers;
  const all = [...layers];
  if (first.className !== 'InputLayer') {
    const shape = shapeField(first.config) ?? config.build_input_shape ?? innerShape(first.inner);
    let inputName = `${first.name}_input`;
    while (layers.some((layer) => layer.name === inputName)) inputName += '_';
    const input = {name: inputName, className: 'InputLayer', module: '', config: {batch_input_shape: shape}, uses: []};
    all.unshift(input);
  }
  const chained = all.map((layer, at): LayerRecord => {
    if (at === 0) return {...layer, uses: []};
    const tensor = {layer: all[at - 1].name, node: 0, tensor: 0};
    return {...layer, uses: [{tensors: [tensor], positional: [tensor], named: {}}]};
  });
  const last = {layer: all[all.length - 1].name, node: 0, tensor: 0};
  return {
    name,
    layers: chained,
    inputs: [{layer: all[0].name, node: 0, tensor: 0}],
    outputs: [{name: last.layer, tensor: last}],
  };
}

/** Shape with the batch axis, under any of its names. */
export function shapeField(config: Record<string, unknown>): unknown {
  const batch = config.batch_input_shape ?? config.batch_shape;
  if (batch !== undefined && batch !== null) return batch;
  return Array.isArray(config.input_shape) ? [null, ...config.input_shape] : undefined;
}

function innerShape(inner: Topology | undefined): unknown {
  const input = inner?.layers.find(({name}) => name === inner.inputs[0]?.layer);
  return input && shapeField(input.config);
}

function checkReferences({layers, inputs, outputs}: Topology): void {
  const known = new Set(layers.map(({name}) => name));
  const check = (reader: string, {layer}: TensorReference) => {
    if (!known.has(layer)) throw damaged(`${reader} reads layer ${shown(layer)}, which does not exist`);
  };
  for (const tensor of inputs) check('the input', tensor);
  for (const {tensor} of outputs) check('the output', tensor);
  for (const layer of layers) {
    for (const use of layer.uses) use.tensors.forEach((tensor) => check(`layer ${shown(layer.name)}`, tensor));
  }
}

/** Names of all layers, those of nested models too. */
export function layerNames(topology: Topology, names = new Set<string>()): Set<string> {
  for (const {name, inner} of topology.layers) {
    names.add(name);
    if (inner) layerNames(inner, names);
  }
  return names;
}
