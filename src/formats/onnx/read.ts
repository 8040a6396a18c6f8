import {InputError} from '../../common/errors';
import type {Graph} from '../../network/graph';
import {graphBuilder, withoutUnused, type GraphBuilder} from '../builder';
import {simplified} from '../simplify';
import {knownInput, refuse, type Call} from './call';
import {FOLDS} from './constants';
import {readOnnxFile, type OnnxModel} from './file';
import {mergeOf, namesOf} from './names';
import {classNamesIn, notesOn, savedIn, type Saved} from './notes';
import {READERS} from './operators';
import {dependingOn, inlined, ordered, refuseUnknown} from './order';
import {toNumber, type GraphMessage, type NodeMessage, type ValueInfoMessage} from './proto';
import {constant, readTensor, type Constant} from './tensors';
import {activation, CHANNELS_LAST, settled, sizeOf, type Activation, type Value} from './values';

export interface ReadOnnxOptions {
  /** Height and width of the image, or one number for both, where the file leaves them open. */
  inputSize?: number | readonly [height: number, width: number];
  /** Name of the output that is the class scores, where there are several. */
  output?: string;
}

/** A network as it is read, and what its user should know. */
export interface OnnxNetwork extends Saved {
  graph: Graph;
  notes: string[];
  /** Whether its images are [batch, height, width, channels]. */
  channelsLast: boolean;
  /** The node of the file that each layer of the graph was. */
  sources: Map<string, NodeMessage>;
  /** Of dense layers behind a flattening: which of the file's rows each row of ours is. */
  rows: Map<string, number[]>;
}

/**
 * Reads a classifier from an ONNX file: PyTorch's exporters, timm, tf2onnx, operator sets 7 and later. The graph is channels last; layers
 * carry the names of their modules (`layer4.2.conv3`) where the exporter wrote them down.
 * @throws InputError for a file that is no ONNX file, damaged, or of a network that is not supported: says what, and what to do
 */
export async function readOnnx(file: string, options: ReadOnnxOptions = {}): Promise<OnnxNetwork> {
  return readOnnxModel(await readOnnxFile(file), file, options);
}

/** The same of a file that is read already. */
export function readOnnxModel(model: OnnxModel, file: string, {inputSize, output}: ReadOnnxOptions = {}): OnnxNetwork {
  const opset = model.opsetImport.find(({domain}) => domain === '' || domain === 'ai.onnx');
  const version = opset ? toNumber(opset.version) : 1;
  if (version < 7) {
    throw new InputError(
      `"${file}" uses ONNX's operator set ${version}; 7 and later are read; export it again, e.g. with opset_version=17`,
    );
  }
  const {graph} = model;
  const saved = savedIn(model, file);
  const weights = new Map<string, () => Constant>(
    graph.initializer.map((tensor) => [tensor.name, once(() => readTensor(tensor))]),
  );
  const input = imageInput(graph, weights, file);
  const wanted = chosenOutput(graph, output, file);
  const nodes = ordered(inlined(graph.node, model.functions), new Set([input.name, ...weights.keys()]), wanted);
  const depending = dependingOn(input.name, nodes);
  refuseUnknown(nodes, depending);
  const builder = graphBuilder();
  const reading: Reading = {
    builder,
    opset: version,
    names: namesOf([...depending].filter(({opType}) => !PASSED.includes(opType))),
    values: new Map([[input.name, inputNode(builder, input, inputSize, nodes, file)]]),
    weights,
    sources: new Map(),
  };
  for (const node of nodes) readNode(reading, node);
  const result = reading.values.get(wanted);
  if (result?.kind !== 'activation')
    throw new InputError(`the output "${wanted}" of "${file}" does not depend on the image`);
  const classes = checkScores(result, wanted, file);
  const rows = new Map<string, number[]>();
  const whole = withoutUnused(builder.graph(settled(builder, result).node));
  const read = simplified(whole, (layer, order) => rows.set(layer, order));
  const classNames = saved.classNames ?? classNamesIn(model.metadataProps, classes);
  return {
    graph: read,
    notes: notesOn([...depending]),
    ...saved,
    ...(classNames ? {classNames} : {}),
    channelsLast: (reading.values.get(input.name) as Activation).axes[1] === 1,
    sources: reading.sources,
    rows,
  };
}

/** Operators that leave no node behind. */
const PASSED = ['Identity', 'Dropout', 'Cast', 'CastLike', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose'];

interface Reading {
  builder: GraphBuilder;
  opset: number;
  names: Map<NodeMessage, string>;
  values: Map<string, Value>;
  weights: Map<string, () => Constant>;
  sources: Map<string, NodeMessage>;
}

function once<T>(make: () => T): () => T {
  let made: {value: T} | undefined;
  return () => (made ??= {value: make()}).value;
}

function valueOf({values, weights}: Reading, name: string): Value | undefined {
  return name === '' ? undefined : (values.get(name) ?? weights.get(name)?.());
}

function readNode(reading: Reading, node: NodeMessage): void {
  const name = reading.names.get(node) ?? (node.name || `${node.opType.toLowerCase()}_${node.output[0]}`);
  const inputs = node.input.map((one) => valueOf(reading, one));
  const call: Call = {
    graph: reading.builder,
    node,
    name,
    opset: reading.opset,
    inputs,
    run: (opType, given, attribute = []) =>
      computed({...call, inputs: given, node: {...node, opType, attribute, name: node.name, output: [node.output[0]]}}),
  };
  if (node.opType === 'If') {
    readBranch(reading, call);
    return;
  }
  const results = computed(call);
  node.output.forEach((output, at) => {
    const result = results[at] as Value | undefined;
    if (output === '' || !result) return;
    reading.values.set(output, result);
    const merged = mergeOf(node);
    if (merged !== undefined && result.kind === 'activation')
      reading.builder.find(result.node).mark = {kind: 'merge', of: merged};
    if (result.kind === 'activation' && !result.base && !reading.sources.has(result.node))
      reading.sources.set(result.node, node);
  });
}

function computed(call: Call): Value[] {
  const {opType} = call.node;
  const [first] = call.inputs;
  if (opType === 'Shape' && first) return [shapeValue(call, first)];
  if (opType === 'Size' && first) return [constant([], [sizeOf(first.shape)], 'integer')];
  const known = call.inputs.every((value) => value?.kind !== 'activation');
  const result = known ? FOLDS[opType]?.(call) : READERS[opType]?.(call);
  if (!result) throw refuse(call, known ? 'it is not read on known values' : 'it is not read');
  return Array.isArray(result) ? result : [result];
}

function shapeValue(call: Call, {shape}: Value): Constant {
  const [start, end] = ['start', 'end'].map((name) => call.node.attribute.find((one) => one.name === name));
  const sizes = shape.slice(start ? toNumber(start.i) : 0, end ? toNumber(end.i) : undefined);
  return constant([sizes.length], sizes, 'integer');
}

/** The branch that a known condition chooses, in place of the If. */
function readBranch(reading: Reading, call: Call): void {
  const condition = knownInput(call, 0)?.data[0];
  const branch = call.node.attribute.find(({name}) => name === (condition ? 'then_branch' : 'else_branch'))?.g;
  if (!branch) throw refuse(call, 'it has no such branch');
  for (const tensor of branch.initializer)
    reading.weights.set(
      tensor.name,
      once(() => readTensor(tensor)),
    );
  for (const node of branch.node) readNode(reading, node);
  call.node.output.forEach((output, at) => {
    const value = valueOf(reading, branch.output[at]?.name ?? '');
    if (value) reading.values.set(output, value);
  });
}

/** @throws InputError where not exactly one input is no weight */
function imageInput(graph: GraphMessage, weights: ReadonlyMap<string, unknown>, file: string): ValueInfoMessage {
  const inputs = graph.input.filter(({name}) => !weights.has(name));
  if (inputs.length === 1) return inputs[0];
  throw new InputError(
    `"${file}" has ${inputs.length} inputs${inputs.length > 0 ? ` (${inputs.map(({name}) => name).join(', ')})` : ''}; a network with one image input is needed`,
  );
}

function chosenOutput(graph: GraphMessage, output: string | undefined, file: string): string {
  const names = graph.output.map(({name}) => name);
  if (output !== undefined) {
    if (names.includes(output)) return output;
    throw new InputError(`"${file}" has no output "${output}"; its outputs: ${names.join(', ')}`);
  }
  if (names.length === 1) return names[0];
  throw new InputError(
    `"${file}" has ${names.length} outputs: ${names.join(', ')}; choose the one with the class scores (output)`,
  );
}

/** Image channels that tell which axis they are on. */
const isChannels = (size: number | undefined) => size === 1 || size === 3 || size === 4;

function inputNode(
  builder: GraphBuilder,
  {name, type}: ValueInfoMessage,
  inputSize: ReadOnnxOptions['inputSize'],
  nodes: readonly NodeMessage[],
  file: string,
): Activation {
  const dims = type?.tensorType?.shape?.dim.map(({dimValue, dimParam}) =>
    dimParam || dimValue === undefined || toNumber(dimValue) === 0 ? undefined : toNumber(dimValue),
  );
  if (dims?.length !== 4) {
    throw new InputError(
      `input "${name}" of "${file}" has ${dims ? `${dims.length} axes` : 'no shape'}; images [batch, channels, height, width] are needed`,
    );
  }
  const bad = dims.find((size) => size !== undefined && !(Number.isSafeInteger(size) && size > 0 && size < 2 ** 20));
  if (bad !== undefined)
    throw new InputError(`input "${name}" of "${file}" has a size of ${bad}; sizes from 1 to 1,048,575 are valid`);
  const turnsFirst = nodes.some((node) => node.opType === 'Transpose' && node.input[0] === name);
  const channelsLast = isChannels(dims[3]) && (!isChannels(dims[1]) || turnsFirst);
  const [heightAt, widthAt, channelsAt] = channelsLast ? [1, 2, 3] : [2, 3, 1];
  const given = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize;
  const sizes = [heightAt, widthAt].map((axis, at) => {
    const fixed = dims[axis];
    const asked = given?.[at];
    if (fixed === undefined && asked === undefined) {
      throw new InputError(
        `"${file}" leaves the image's size open; give the height and width of the images that the network is for (inputSize)`,
      );
    }
    if (fixed !== undefined && asked !== undefined && fixed !== asked) {
      throw new InputError(
        `the size ${(given as number[]).join('×')} was given, but "${file}" fixes it at ${dims[heightAt]}×${dims[widthAt]}; leave it out`,
      );
    }
    return (asked ?? fixed) as number;
  });
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new InputError(`invalid image size ${sizes.join('×')}; height and width must be whole numbers from 1`);
  }
  const channels = dims[channelsAt] ?? 3;
  const node = builder.add('InputLayer', name, {args: {shape: [...sizes, channels]}});
  const shape = channelsLast ? [dims[0] ?? 1, ...sizes, channels] : [dims[0] ?? 1, channels, ...sizes];
  return activation(node, shape, channelsLast ? [0, 1, 2, 3] : CHANNELS_LAST);
}

/** @returns the number of classes @throws InputError for an output that is a map */
function checkScores({shape}: Activation, name: string, file: string): number {
  const long = shape.slice(1).filter((size) => size !== 1);
  if (long.length <= 1) return long[0] ?? 1;
  throw new InputError(
    `output "${name}" of "${file}" has shape [${['batch', ...shape.slice(1)].join(', ')}]: a map, not one score for each class; a classifier is needed, or choose another output`,
  );
}
