import {InputError} from '../common/errors';
import {
  bypass,
  freshName,
  insertAfter,
  nodeOf,
  replaceNode,
  weightOf,
  type Graph,
  type GraphNode,
  type Weight,
} from '../network/graph';
import {describeLayer} from '../network/linearLayer';
import type {PartKernels} from './kernels';

/**
 * The network with one channel divided: the layer gets a channel for each part and for the residue, and a merge behind it (a 1×1
 * convolution, or a dense layer, without bias) adds them up again: Z_c = Σ_j d_j − (k − 1)·r. Part 1 takes the channel's place, the other
 * parts and the residue come last. A second split of the layer widens the same two.
 *
 * A grouped convolution cannot grow by a few channels, so its further channels are a convolution of their own beside it, whose kernels
 * are zero outside the channel's group; a concatenation puts both before the merge.
 *
 * What is added carries the mark `merge`, of the layer; names that the network has already are avoided.
 * @throws InputError where the channel is already divided
 */
export function divideChannel(graph: Graph, layerName: string, channel: number, {parts, residue}: PartKernels): Graph {
  refuseDivided(graph, layerName, channel);
  const prepared = withMerge(graph, layerName);
  const {layer, beside, merge} = partsOf(prepared, layerName);
  const added = [...parts.slice(1), residue];
  const [width, outputs] = kernelOf(merge).shape.slice(-2);
  const rows = new Float32Array((width + added.length) * outputs);
  rows.set(kernelOf(merge).data);
  added.forEach((part, n) => (rows[(width + n) * outputs + channel] = part === residue ? -(parts.length - 1) : 1));
  const bias = weightOf(layer, 'bias')?.data[channel];
  const divided = replaceNode(prepared, withColumn(layer, channel, parts[0]));
  const wider = withColumns(nodeOf(divided, (beside ?? layer).name), added, bias);
  return replaceNode(replaceNode(divided, wider), withKernel(merge, [width + added.length, outputs], rows));
}

/**
 * The network before its latest split, which divided this channel.
 * @param original the channel's kernel, [taps, Cin]
 * @param added the channels that the split added: its concepts without the first, and the residue
 */
export function undivideChannel(
  graph: Graph,
  layerName: string,
  channel: number,
  {original, added}: {original: Float32Array; added: number},
): Graph {
  const {layer, beside, merge} = partsOf(graph, layerName);
  const [width, outputs] = kernelOf(merge).shape.slice(-2);
  const left = width - added;
  const whole = replaceNode(graph, withColumn(layer, channel, original));
  if (left === outputs) {
    const single = beside ? whole : replaceNode(whole, withoutColumns(nodeOf(whole, layerName), added));
    return helpersOf(single, layerName).reduceRight((rest, {name}) => bypass(rest, name, layerName), single);
  }
  const narrower = withoutColumns(nodeOf(whole, (beside ?? layer).name), added);
  const rows = kernelOf(merge).data.slice(0, left * outputs);
  return replaceNode(replaceNode(whole, narrower), withKernel(merge, [left, outputs], rows));
}

/**
 * What a split network holds of a channel's latest split: its parts and the residue, [taps, Cin] each, and the bias that each carries.
 * @param count parts
 * @returns undefined where the layer is not divided, or into fewer
 */
export function dividedKernels(
  graph: Graph,
  layerName: string,
  channel: number,
  count: number,
): (PartKernels & {biases: number[]}) | undefined {
  if (!mergeOf(graph, layerName)) return undefined;
  const {layer, beside, merge} = partsOf(graph, layerName);
  const [width, outputs] = kernelOf(merge).shape.slice(-2);
  const first = linearOf(layer);
  const others = beside ? linearOf(beside) : first;
  const start = others.outputs - count;
  if (width - outputs < count || start < (beside ? 0 : outputs)) return undefined;
  const rows = kernelOf(merge).data;
  // Each part counts once in its channel, the residue −(k − 1) times, and none elsewhere.
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < outputs; c++) {
      const wanted = c !== channel ? 0 : n === count - 1 ? -(count - 1) : 1;
      if (rows[(width - count + n) * outputs + c] !== wanted) return undefined;
    }
  }
  const added = Array.from({length: count}, (_, n) => others.column(start + n));
  const biases = [first.bias(channel), ...added.map((_, n) => others.bias(start + n))];
  return {parts: [first.column(channel), ...added.slice(0, -1)], residue: added[count - 1], biases};
}

function linearOf(node: GraphNode) {
  const described = describeLayer(node);
  if (typeof described === 'string') throw new InputError(`layer "${node.name}" cannot be divided: ${described}`);
  const {kernel, shape, bias} = described;
  const outputs = shape[3];
  return {
    outputs,
    column: (c: number) => Float32Array.from({length: kernel.length / outputs}, (_, at) => kernel[at * outputs + c]),
    bias: (c: number) => bias?.[c] ?? 0,
  };
}

/** @throws InputError where a split has divided the channel already */
export function refuseDivided(graph: Graph, layerName: string, channel: number): void {
  if (!dividedChannels(graph, layerName).includes(channel)) return;
  throw new InputError(
    `channel ${channel} of layer ${layerName} is already divided in this model; divide it into more concepts at once, from the model before`,
  );
}

/** Channels of a layer that earlier splits divided. */
export function dividedChannels(graph: Graph, layerName: string): number[] {
  const merge = mergeOf(graph, layerName);
  if (!merge) return [];
  const {data, shape} = kernelOf(merge);
  const [width, outputs] = shape.slice(-2);
  const channels = new Set<number>();
  for (let row = outputs; row < width; row++) {
    for (let c = 0; c < outputs; c++) if (data[row * outputs + c] !== 0) channels.add(c);
  }
  return [...channels].sort((a, b) => a - b);
}

const helpersOf = (graph: Graph, layerName: string) =>
  graph.nodes.filter(({mark}) => mark?.kind === 'merge' && mark.of === layerName);

/** The last of a layer's helpers, which adds the parts up. */
function mergeOf(graph: Graph, layerName: string): GraphNode | undefined {
  const helpers = helpersOf(graph, layerName);
  return helpers[helpers.length - 1];
}

/** A divided layer, the convolution beside it where it is grouped, and what adds both up. */
function partsOf(graph: Graph, layerName: string): {layer: GraphNode; beside?: GraphNode; merge: GraphNode} {
  const helpers = helpersOf(graph, layerName);
  return {
    layer: nodeOf(graph, layerName),
    beside: helpers.length > 1 ? helpers[0] : undefined,
    merge: helpers[helpers.length - 1],
  };
}

/** The graph with an identity merge behind the layer, unless it has one already. */
function withMerge(graph: Graph, layerName: string): Graph {
  if (mergeOf(graph, layerName)) return graph;
  const layer = nodeOf(graph, layerName);
  const kernel = kernelOf(layer);
  const outputs = kernel.shape[kernel.shape.length - 1];
  const dense = layer.operator === 'Dense';
  const mark = {kind: 'merge' as const, of: layerName};
  const identity = new Float32Array(outputs * outputs);
  for (let c = 0; c < outputs; c++) identity[c * outputs + c] = 1;
  const merge: GraphNode = {
    name: freshName(graph, `${layerName}_merge`),
    operator: layer.operator,
    args: dense ? {} : {strides: [1, 1], padding: 'valid', dilationRate: [1, 1], groups: 1},
    inputs: [layerName],
    weights: [{name: 'kernel', shape: dense ? [outputs, outputs] : [1, 1, outputs, outputs], data: identity}],
    mark,
  };
  const groups = dense ? 1 : (layer.args.groups as number);
  if (groups === 1) return insertAfter(graph, layerName, [merge]);
  const [kh, kw, seen] = kernel.shape;
  const bias = weightOf(layer, 'bias');
  const beside: GraphNode = {
    name: freshName(graph, `${layerName}_parts`),
    operator: 'Conv2D',
    args: {...layer.args, groups: 1},
    inputs: layer.inputs,
    weights: [
      {name: 'kernel', shape: [kh, kw, seen * groups, 0], data: new Float32Array(0)},
      ...(bias ? [{name: 'bias', shape: [0], data: new Float32Array(0)}] : []),
    ],
    mark,
  };
  const joined: GraphNode = {
    name: freshName(graph, `${layerName}_joined`),
    operator: 'Concatenate',
    args: {axis: 3},
    inputs: [layerName, beside.name],
    weights: [],
    mark,
  };
  return insertAfter(graph, layerName, [beside, joined, {...merge, inputs: [joined.name]}]);
}

const kernelOf = (node: GraphNode) => weightOf(node, 'kernel') as Weight;

/** The node with another kernel, whose last axes are given; a bias stays. */
function withKernel(node: GraphNode, lastAxes: readonly number[], data: Float32Array, bias?: Float32Array): GraphNode {
  const shape = [...kernelOf(node).shape.slice(0, -lastAxes.length), ...lastAxes];
  const weights = node.weights.map((weight): Weight => {
    if (weight.name === 'kernel') return {name: 'kernel', shape, data};
    return bias ? {name: weight.name, shape: [bias.length], data: bias} : weight;
  });
  return {...node, weights};
}

/** The layer with another kernel for one of its channels; of a grouped one, the weights outside the group are left out. */
function withColumn(node: GraphNode, channel: number, column: Float32Array): GraphNode {
  const {shape, data} = kernelOf(node);
  const [seen, outputs] = shape.slice(-2);
  const groups = (node.args.groups as number | undefined) ?? 1;
  const inputs = seen * groups;
  const first = Math.floor((channel * groups) / outputs) * seen;
  const changed = data.slice();
  for (let at = 0; at < data.length / outputs; at++) {
    const [tap, i] = [Math.floor(at / seen), at % seen];
    changed[at * outputs + channel] = column[tap * inputs + first + i];
  }
  return withKernel(node, [outputs], changed);
}

/** The node with further channels at the end; a bias is a source that all own, so each of them carries it. */
function withColumns(node: GraphNode, columns: readonly Float32Array[], bias: number | undefined): GraphNode {
  const {shape, data} = kernelOf(node);
  const width = shape[shape.length - 1];
  const wide = width + columns.length;
  const rows = columns[0].length;
  const widened = new Float32Array(rows * wide);
  for (let at = 0; at < rows; at++) {
    widened.set(data.subarray(at * width, (at + 1) * width), at * wide);
    columns.forEach((column, n) => (widened[at * wide + width + n] = column[at]));
  }
  const own = weightOf(node, 'bias')?.data ?? [];
  return withKernel(node, [wide], widened, Float32Array.from([...own, ...columns.map(() => bias ?? 0)]));
}

function withoutColumns(node: GraphNode, count: number): GraphNode {
  const {shape, data} = kernelOf(node);
  const wide = shape[shape.length - 1];
  const width = wide - count;
  const narrowed = new Float32Array((data.length / wide) * width);
  for (let at = 0; at < data.length / wide; at++) narrowed.set(data.subarray(at * wide, at * wide + width), at * width);
  return withKernel(node, [width], narrowed, weightOf(node, 'bias')?.data.slice(0, width));
}
