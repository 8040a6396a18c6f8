import {InputError} from '../common/errors';
import {nodeOf, weightOf, type Graph, type GraphNode} from '../network/graph';
import {splitActivation} from '../network/cut';
import {MERGE_SUFFIX} from '../network/linearLayer';
import type {PartKernels} from './kernels';

/**
 * The network with one channel divided: the layer gets a channel for each part and for the residue, and a merge behind it (a 1×1
 * convolution, or a dense layer, without bias) adds them up again: Z_c = Σ_j d_j − (k − 1)·r. Part 1 takes the channel's place, the other
 * parts and the residue come last. A built-in activation moves behind the merge. A second split of the layer widens the same two.
 * @throws InputError where the channel is already divided
 */
export function divideChannel(graph: Graph, layerName: string, channel: number, {parts, residue}: PartKernels): Graph {
  const prepared = withMerge(graph, layerName);
  const wide = nodeOf(prepared, layerName);
  const merge = nodeOf(prepared, layerName + MERGE_SUFFIX);
  const kernel = weightOf(wide, 'kernel') as {shape: number[]; data: Float32Array};
  const rows = weightOf(merge, 'kernel') as {shape: number[]; data: Float32Array};
  const [width, outputs] = rows.shape.slice(-2);
  if (dividedChannels(prepared, layerName).includes(channel)) {
    throw new InputError(
      `channel ${channel} of layer ${layerName} is already divided in this model; divide it into more concepts at once, from the model before`,
    );
  }
  const added = [...parts.slice(1), residue];
  const widened = new Float32Array((kernel.data.length / width) * (width + added.length));
  for (let at = 0; at < kernel.data.length / width; at++) {
    const row = at * (width + added.length);
    widened.set(kernel.data.subarray(at * width, (at + 1) * width), row);
    widened[row + channel] = parts[0][at];
    added.forEach((part, n) => (widened[row + width + n] = part[at]));
  }
  const mergeRows = new Float32Array((width + added.length) * outputs);
  mergeRows.set(rows.data);
  added.forEach((_, n) => {
    const isResidue = n === added.length - 1;
    mergeRows[(width + n) * outputs + channel] = isResidue ? -(parts.length - 1) : 1;
  });
  const bias = weightOf(wide, 'bias');
  const sizeKey = wide.operator === 'Dense' ? 'units' : 'filters';
  const changed: GraphNode[] = [
    {
      ...wide,
      args: {...wide.args, [sizeKey]: width + added.length},
      weights: [
        {name: 'kernel', shape: [...kernel.shape.slice(0, -1), width + added.length], data: widened},
        // A bias is a source that all own: every part and the residue carry it.
        ...(bias
          ? [
              {
                name: 'bias',
                shape: [width + added.length],
                data: Float32Array.from([...bias.data, ...added.map(() => bias.data[channel])]),
              },
            ]
          : []),
      ],
    },
    {
      ...merge,
      weights: [{name: 'kernel', shape: [...rows.shape.slice(0, -2), width + added.length, outputs], data: mergeRows}],
    },
  ];
  return {
    ...prepared,
    nodes: prepared.nodes.map((node) => changed.find(({name}) => name === node.name) ?? node),
  };
}

/** The graph with an identity merge behind the layer, unless it has one already. */
function withMerge(graph: Graph, layerName: string): Graph {
  const mergeName = layerName + MERGE_SUFFIX;
  if (graph.nodes.some((node) => node.name === mergeName)) return graph;
  const layer = nodeOf(graph, layerName);
  const kernel = weightOf(layer, 'kernel') as {shape: number[]};
  const outputs = kernel.shape[kernel.shape.length - 1];
  const dense = layer.operator === 'Dense';
  const identity = new Float32Array(outputs * outputs);
  for (let c = 0; c < outputs; c++) identity[c * outputs + c] = 1;
  const merge: GraphNode = {
    name: mergeName,
    operator: layer.operator,
    args: dense
      ? {name: mergeName, units: outputs, activation: 'linear', useBias: false}
      : {
          name: mergeName,
          filters: outputs,
          kernelSize: [1, 1],
          strides: [1, 1],
          padding: 'valid',
          activation: 'linear',
          useBias: false,
        },
    inputs: [layerName],
    weights: [{name: 'kernel', shape: dense ? [outputs, outputs] : [1, 1, outputs, outputs], data: identity}],
  };
  const activation = splitActivation(layer);
  const after = activation ? [merge, {...activation, inputs: [mergeName]}] : [merge];
  const end = after[after.length - 1].name;
  const redirect = (name: string) => (name === layerName ? end : name);
  const linear = {...layer, args: {...layer.args, activation: 'linear'}};
  return {
    inputs: graph.inputs,
    outputs: graph.outputs.map(redirect),
    nodes: graph.nodes.flatMap((node) =>
      node.name === layerName ? [linear, ...after] : [{...node, inputs: node.inputs.map(redirect)}],
    ),
  };
}

/** Channels of a layer that earlier splits divided. */
export function dividedChannels(graph: Graph, layerName: string): number[] {
  const merge = graph.nodes.find((node) => node.name === layerName + MERGE_SUFFIX);
  const rows = merge && weightOf(merge, 'kernel');
  if (!rows) return [];
  const [width, outputs] = rows.shape.slice(-2);
  const channels = new Set<number>();
  for (let row = outputs; row < width; row++) {
    for (let c = 0; c < outputs; c++) if (rows.data[row * outputs + c] !== 0) channels.add(c);
  }
  return [...channels].sort((a, b) => a - b);
}
