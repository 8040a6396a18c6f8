/** Divided channels written into the ONNX file that the network was read from: everything else in the file stays as it is. */
import {InputError} from '../../common/errors';
import {weightOf, type Graph, type GraphNode, type Weight} from '../../network/graph';
import type {OnnxModel} from './file';
import {mergeOf} from './names';
import type {AttributeMessage, NodeMessage, TensorMessage} from './proto';
import {readOnnxModel} from './read';
import {transposed} from './tensors';

/** A layer with divided channels: its own kernel, what the split added, and how both are added up. */
interface Divided {
  layer: GraphNode;
  /** [kh, kw, Cin/groups, Cout]; of a dense layer [Cin, Cout]. */
  kernel: Weight;
  /** [kh, kw, Cin, N]; of a dense layer [Cin, N]. */
  added: Weight;
  bias?: Float32Array;
  addedBias?: Float32Array;
  /** [Cout + N, Cout] */
  merge: Weight;
}

/** Layers of a network that splits have divided. */
export function dividedLayers(graph: Graph): Divided[] {
  const names = new Set(
    graph.nodes.flatMap(({mark}) => (mark?.kind === 'merge' && mark.of !== undefined ? [mark.of] : [])),
  );
  return [...names].map((name) => {
    const layer = graph.nodes.find((node) => node.name === name) as GraphNode;
    const helpers = graph.nodes.filter(({mark}) => mark?.kind === 'merge' && mark.of === name);
    const merge = kernelOf(helpers[helpers.length - 1]);
    const [width, outputs] = merge.shape.slice(-2);
    const whole = kernelOf(layer);
    const bias = weightOf(layer, 'bias')?.data;
    const beside = helpers.length > 1 ? helpers[0] : undefined;
    return {
      layer,
      merge: {name: 'merge', shape: [width, outputs], data: merge.data},
      kernel: beside ? whole : columns(whole, 0, outputs),
      added: beside ? kernelOf(beside) : columns(whole, outputs, width),
      bias: bias?.slice(0, outputs),
      addedBias: beside ? weightOf(beside, 'bias')?.data : bias?.slice(outputs),
    };
  });
}

const kernelOf = (node: GraphNode) => weightOf(node, 'kernel') as Weight;

function columns({name, shape, data}: Weight, from: number, to: number): Weight {
  const width = shape[shape.length - 1];
  const rows = data.length / width;
  const part = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++) part.set(data.subarray(row * width + from, row * width + to), row * (to - from));
  return {name, shape: [...shape.slice(0, -1), to - from], data: part};
}

/**
 * The file with the network's divided layers in it: a second convolution (or matrix product) with the added kernels, Concat, and a merge under
 * the old output's name. A layer that is divided in the file already is written anew.
 * @returns undefined where the network was not read from this file
 */
export function dividedModel(
  model: OnnxModel,
  file: string,
  graph: Graph,
  size: readonly [number, number],
): OnnxModel | undefined {
  const output = model.graph.output.map(({name}) => name).find((name) => isSource(model, file, graph, size, name));
  if (output === undefined) return undefined;
  const {sources, rows} = readOnnxModel(model, file, {inputSize: openSize(model, size), output});
  const nodes = new Map<NodeMessage, NodeMessage[]>();
  const initializer = [...model.graph.initializer];
  const taken = new Set([...initializer.map(({name}) => name), ...model.graph.node.flatMap((node) => node.output)]);
  const isWeight = (name: string) => initializer.some((tensor) => tensor.name === name);
  for (const divided of dividedLayers(graph)) {
    const {name} = divided.layer;
    const origin = sources.get(name);
    if (!origin || !model.graph.node.includes(origin) || (origin.opType === 'MatMul' && isWeight(origin.input[0]))) {
      throw new InputError(
        `layer "${name}" is not a node of its own in "${file}"; save the model as a LayersModel instead`,
      );
    }
    const add = (suffix: string, shape: readonly number[], data: Float32Array): string => {
      let free = `${name}.${suffix}`;
      while (taken.has(free)) free += '_';
      taken.add(free);
      initializer.push(floatTensor(free, shape, data));
      return free;
    };
    const helpers = model.graph.node.filter((node) => mergeOf(node) === name);
    for (const node of helpers) nodes.set(node, []);
    const place = {origin, output: (helpers.at(-1) ?? origin).output[0], bias: helpers.length === 0};
    nodes.set(
      origin,
      origin.opType === 'Conv' ? convolutions(divided, place, add) : products(divided, place, add, rows.get(name)),
    );
  }
  const node = model.graph.node.flatMap((one) => nodes.get(one) ?? [one]);
  const read = new Set(
    node.flatMap(({input, attribute}) => [
      ...input,
      ...attribute.flatMap(({g}) => (g ? g.node.flatMap((inner) => inner.input) : [])),
    ]),
  );
  const kept = initializer.filter(
    ({name}) => read.has(name) || !model.graph.node.some(({input}) => input.includes(name)),
  );
  return {...model, irVersion: Math.max(Number(model.irVersion), 4), graph: {...model.graph, node, initializer: kept}};
}

/** The image's size, where the file leaves it open. */
function openSize(model: OnnxModel, size: readonly [number, number]): readonly [number, number] | undefined {
  const weights = new Set(model.graph.initializer.map(({name}) => name));
  const dims = model.graph.input.find(({name}) => !weights.has(name))?.type?.tensorType?.shape?.dim ?? [];
  return dims.slice(1).some(({dimValue, dimParam}) => dimParam || dimValue === undefined) ? size : undefined;
}

/** Whether the network, but for what splits changed, is what this output of the file computes. */
function isSource(
  model: OnnxModel,
  file: string,
  graph: Graph,
  size: readonly [number, number],
  output: string,
): boolean {
  let read: Graph;
  try {
    read = readOnnxModel(model, file, {inputSize: openSize(model, size), output}).graph;
  } catch {
    return false;
  }
  const changed = new Set(dividedLayers(graph).map(({layer}) => layer.name));
  const own = graph.nodes.filter(({mark}) => mark?.kind !== 'merge');
  const others = read.nodes.filter(({mark}) => mark?.kind !== 'merge');
  return (
    own.length === others.length &&
    own.every((node, at) => {
      const other = others[at];
      if (node.name !== other.name || node.operator !== other.operator) return false;
      return (
        changed.has(node.name) || node.weights.every((weight, n) => sameNumbers(weight.data, other.weights[n]?.data))
      );
    })
  );
}

function sameNumbers(a: Float32Array, b: Float32Array | undefined): boolean {
  const bytes = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return b !== undefined && a.length === b.length && bytes(a).equals(bytes(b));
}

export function floatTensor(name: string, shape: readonly number[], data: Float32Array): TensorMessage {
  const rawData = new Uint8Array(data.slice().buffer);
  return {name, dims: [...shape], dataType: 1, rawData} as unknown as TensorMessage;
}

/** A node that splits made: how it is called in the network, and for which layer it is. */
function helper(opType: string, layer: string, suffix: string, rest: Partial<NodeMessage>): NodeMessage {
  const name = `${layer}_${suffix}`;
  const metadataProps = [
    {key: 'unweave.name', value: name},
    {key: 'unweave.merge', value: layer},
  ];
  return {name, opType, domain: '', metadataProps, attribute: [], input: [], output: [], ...rest};
}

/** What a node carries, and how it is called in the network. */
const named = ({metadataProps}: NodeMessage, name: string) => [
  ...metadataProps.filter(({key}) => key !== 'unweave.name'),
  {key: 'unweave.name', value: name},
];

export const integersAttribute = (name: string, ints: readonly number[]) =>
  ({name, type: 7, ints: [...ints]}) as unknown as AttributeMessage;
export const integerAttribute = (name: string, i: number) => ({name, type: 2, i}) as unknown as AttributeMessage;

/** A layer's node in the file, the output that the layer is read by, and whether the file's bias is the layer's alone. */
interface Place {
  origin: NodeMessage;
  output: string;
  bias: boolean;
}

type AddWeight = (suffix: string, shape: readonly number[], data: Float32Array) => string;

/** Conv → Conv, Conv, Concat, Conv. */
function convolutions(
  {layer, kernel, added, bias, addedBias, merge}: Divided,
  {origin, output, bias: ownBias}: Place,
  add: AddWeight,
): NodeMessage[] {
  const channelsFirst = ({shape, data}: Weight): [number[], Float32Array] => {
    const turned = transposed(data, shape, [3, 2, 0, 1]);
    return [turned.shape, turned.data as Float32Array];
  };
  const hasBias = (origin.input[2] ?? '') !== '' && bias && addedBias;
  const [own, beside, joined] = ['own', 'parts', 'joined'].map((suffix) => `${output}_${suffix}`);
  const [, outputs] = merge.shape;
  const turned = transposed(merge.data, merge.shape, [1, 0]);
  return [
    {
      ...origin,
      input: [
        origin.input[0],
        add('weight.divided', ...channelsFirst(kernel)),
        ...(hasBias ? [ownBias ? origin.input[2] : add('bias.divided', [bias.length], bias)] : []),
      ],
      output: [own],
      metadataProps: named(origin, layer.name),
    },
    helper('Conv', layer.name, 'parts', {
      // The parts see all channels: of a grouped convolution, weights outside the group are zero.
      attribute: origin.attribute.filter(({name}) => name !== 'group'),
      input: [
        origin.input[0],
        add('weight.parts', ...channelsFirst(added)),
        ...(hasBias ? [add('bias.parts', [addedBias.length], addedBias)] : []),
      ],
      output: [beside],
    }),
    helper('Concat', layer.name, 'joined', {
      attribute: [integerAttribute('axis', 1)],
      input: [own, beside],
      output: [joined],
    }),
    helper('Conv', layer.name, 'merge', {
      attribute: [integersAttribute('kernel_shape', [1, 1])],
      input: [joined, add('weight.merge', [outputs, turned.shape[1], 1, 1], turned.data as Float32Array)],
      output: [output],
    }),
  ];
}

/** Gemm or MatMul → two of them, Concat, MatMul. A bias that the file adds afterwards stays where it is. */
function products(
  {layer, kernel, added, bias, addedBias, merge}: Divided,
  {origin, output}: Place,
  add: AddWeight,
  order: readonly number[] | undefined,
): NodeMessage[] {
  const isGemm = origin.opType === 'Gemm';
  const hasBias = isGemm && (origin.input[2] ?? '') !== '' && bias && addedBias;
  const [own, beside, joined] = ['own', 'parts', 'joined'].map((suffix) => `${output}_${suffix}`);
  const operand = (suffix: string, weight: Weight, b: Float32Array | undefined) => {
    const width = weight.shape[1];
    const data = order ? new Float32Array(weight.data.length) : weight.data;
    order?.forEach((row, at) => data.set(weight.data.subarray(at * width, (at + 1) * width), row * width));
    return [
      origin.input[0],
      add(`weight.${suffix}`, weight.shape, data),
      ...(hasBias && b ? [add(`bias.${suffix}`, [width], b)] : []),
    ];
  };
  return [
    {
      ...origin,
      attribute: [],
      input: operand('divided', kernel, bias),
      output: [own],
      metadataProps: named(origin, layer.name),
    },
    helper(origin.opType, layer.name, 'parts', {input: operand('parts', added, addedBias), output: [beside]}),
    helper('Concat', layer.name, 'joined', {
      attribute: [integerAttribute('axis', -1)],
      input: [own, beside],
      output: [joined],
    }),
    helper('MatMul', layer.name, 'merge', {
      input: [joined, add('weight.merge', merge.shape, merge.data)],
      output: [output],
    }),
  ];
}
