import {InputError} from '../../common/errors';
import {isRecord} from '../../common/isRecord';
import {readManifest, readWeightFiles} from '../layersModel/weightFiles';
import {attributeMessage} from '../onnx/exportGraph';
import type {OnnxModel} from '../onnx/file';
import type {NodeMessage, TensorMessage, ValueInfoMessage} from '../onnx/proto';
import {readOnnxModel} from '../onnx/read';
import {constant, transposed, type Constant} from '../onnx/tensors';
import type {ReadNetwork, ReadOptions} from '../types';
import {TRANSLATIONS} from './translate';
import type {TfAttribute, TfNode} from './translation';

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a tfjs graph model (a TensorFlow SavedModel or hub module that was converted): its operators are frozen, its layers gone, but the
 * convolutions are there, named by their weights.
 * @param json the model.json, with format `graph-model`
 * @param file its path; the weight files lie beside it
 * @throws InputError for what is missing, damaged or not known
 */
export async function readGraphModelJson(json: Json, file: string, options: ReadOptions = {}): Promise<ReadNetwork> {
  const nodes = nodesIn(json, file);
  const stored = await readWeightFiles(readManifest(json.weightsManifest, file), file);
  const weights = new Map<string, Constant>(
    stored.map(({name, shape, data}) => [name, constant(shape, data(), isWhole(nodes, name) ? 'integer' : 'float')]),
  );
  for (const {name, op} of nodes) {
    if (op === 'Const' && !weights.has(name)) {
      throw new InputError(
        `"${file}" has no weight "${name}", which its graph names; the model is damaged, export it again`,
      );
    }
  }
  const model = translated(nodes, weights, outputsOf(json, nodes), file);
  const {graph, notes} = readOnnxModel(model, file, options);
  return {graph, notes};
}

/** Whole numbers (shapes, axes) divide without remainder. */
function isWhole(nodes: readonly TfNode[], name: string): boolean {
  const type = nodes.find((node) => node.name === name)?.attr.dtype?.type;
  return type === 'DT_INT32' || type === 'DT_INT64' || type === 3 || type === 9;
}

function nodesIn({modelTopology}: Json, file: string): TfNode[] {
  const list = isRecord(modelTopology) ? modelTopology.node : undefined;
  if (!Array.isArray(list)) throw new InputError(`"${file}" is not a tfjs graph model: modelTopology.node is missing`);
  return list.map((node: unknown) => {
    if (!isRecord(node) || typeof node.name !== 'string' || typeof node.op !== 'string') {
      throw new InputError(
        `"${file}" is damaged: a node of its graph has no name or no operator; export the model again`,
      );
    }
    const input = Array.isArray(node.input) ? node.input.map(String) : [];
    return {
      name: node.name,
      op: node.op,
      // `^name` orders the computation only, `:0` is the first output.
      input: input.filter((name) => !name.startsWith('^')).map((name) => name.replace(/:0$/, '')),
      attr: (isRecord(node.attr) ? node.attr : {}) as Readonly<Record<string, TfAttribute>>,
    };
  });
}

/** Names of the outputs: the signature's, else of nodes that nothing reads. */
function outputsOf(json: Json, nodes: readonly TfNode[]): string[] {
  const metadata = isRecord(json.userDefinedMetadata) ? json.userDefinedMetadata : {};
  const signature = [json.signature, metadata.signature].find(isRecord);
  const signed = isRecord(signature?.outputs) ? Object.values(signature.outputs) : [];
  const names = signed.flatMap((output) =>
    isRecord(output) && typeof output.name === 'string' ? [output.name.replace(/:0$/, '')] : [],
  );
  if (names.length > 0) return names;
  const read = new Set(nodes.flatMap(({input}) => input));
  return nodes
    .filter(({name, op}) => !read.has(name) && !['Const', 'Placeholder', 'NoOp'].includes(op))
    .map(({name}) => name);
}

function translated(
  nodes: readonly TfNode[],
  weights: ReadonlyMap<string, Constant>,
  outputs: string[],
  file: string,
): OnnxModel {
  const result: NodeMessage[] = [];
  const initializer = new Map<string, TensorMessage>();
  const held = (name: string, {shape, data, type}: Constant): string => {
    // Whole numbers as int32, all else as float32.
    const whole = type === 'integer';
    const bytes = whole ? Int32Array.from(data) : Float32Array.from(data);
    initializer.set(name, {
      name,
      dims: shape,
      dataType: whole ? 6 : 1,
      rawData: new Uint8Array(bytes.buffer),
    } as unknown as TensorMessage);
    return name;
  };
  for (const [name, array] of weights) held(name, array);
  const constants = new Map<string, Constant>(weights);
  for (const node of nodes) {
    // Constants are also read through Identity.
    const through = node.op === 'Identity' ? constants.get(node.input[0]) : undefined;
    if (through) constants.set(node.name, through);
  }
  const unknown = new Map<string, string[]>();
  const inputs: ValueInfoMessage[] = [];
  for (const node of nodes) {
    if (node.op === 'Const' || node.op === 'NoOp') continue;
    if (node.op === 'Placeholder') {
      inputs.push(placeholder(node));
      continue;
    }
    const translate = TRANSLATIONS[node.op];
    if (!translate) {
      unknown.set(node.op, [...(unknown.get(node.op) ?? []), node.name]);
      continue;
    }
    let helpers = 0;
    const title = titleOf(node);
    translate({
      node,
      isKnown: (at) => constants.has(node.input[at]),
      known(at) {
        const found = constants.get(node.input[at]);
        if (found) return found;
        throw new InputError(
          `node ${node.op} (${node.name}): input ${at} must be a constant, and it is computed; this is not supported`,
        );
      },
      emit(opType, from, attributes = {}, output = `${node.name}:${opType}_${(helpers += 1)}`) {
        const attribute = Object.entries(attributes).map(([key, value]) => attributeMessage(key, value));
        const metadataProps: NodeMessage['metadataProps'] = [];
        result.push({
          name: `${title}/${opType}`,
          opType,
          domain: '',
          input: from,
          output: [output],
          attribute,
          metadataProps,
        });
        return output;
      },
      whole: (values, shape = [values.length]) =>
        held(`${node.name}:numbers_${(helpers += 1)}`, constant(shape, [...values], 'integer')),
      weight(at, order, reshape = (shape) => shape) {
        const {shape, data} = constants.get(node.input[at]) ?? this.known(at);
        const moved = transposed(data, shape, order);
        return held(`${node.input[at]}:turned`, constant(reshape(moved.shape), moved.data, 'float'));
      },
    });
  }
  if (unknown.size > 0) {
    const list = [...unknown].map(
      ([op, names]) =>
        `${op} (${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''})`,
    );
    throw new InputError(
      `"${file}" uses operators that are not read: ${list.join('; ')}; convolutional classifiers are supported`,
    );
  }
  return {
    irVersion: 8,
    producerName: 'tfjs graph model',
    opsetImport: [{domain: '', version: 18}],
    functions: [],
    metadataProps: [],
    graph: {
      name: 'graph',
      node: result,
      initializer: [...initializer.values()],
      sparseInitializer: [],
      input: inputs,
      output: outputs.map((name) => ({name, type: null})),
    },
  };
}

/** What layers are called after: the folder of their weights, else the folder of the node. */
function titleOf({name, input}: TfNode): string {
  const weight = input.slice(1).find((one) => /weights|kernel|ReadVariableOp/i.test(one));
  const path = (weight ?? name)
    .replace(/\/ReadVariableOp(_\d+)?$/, '')
    // Calls that the converter has put in place.
    .replace(/\b(Stateful)?PartitionedCall\//g, '');
  const end = path.lastIndexOf('/');
  return end < 0 ? path : path.slice(0, end);
}

function placeholder({name, attr}: TfNode): ValueInfoMessage {
  const shape = (attr.shape as {shape?: {dim?: {size?: string | number}[]}} | undefined)?.shape;
  const dim = (shape?.dim ?? []).map(({size}) => (Number(size) > 0 ? {dimValue: Number(size)} : {dimParam: 'open'}));
  return {name, type: {tensorType: {elemType: 1, shape: shape?.dim ? {dim} : null}}};
}
