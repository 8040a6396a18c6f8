import type {Graph, GraphNode} from '../network/graph';
import {makeModel} from '../network/model';
import type {Model} from '../network/types';
import {KNOWN_PRESET} from './images';
import {KNOWN_CLASSES} from './parts';
import {KNOWN_SIZE} from './pictures';

/** The layer of the known networks whose channels' meanings are known: 1×1, 64 → 16 channels, on an 8 × 8 map. */
export const KNOWN_LAYER = 'studied';

/** Convolutions before the studied layer: kernel size, stride, channels, and whether a 2×2 maximum follows. */
export const TRUNK = [
  {size: 3, stride: 2, filters: 16, pool: true}, // [B, 16, 16, 16]
  {size: 3, stride: 1, filters: 24, pool: false}, // [B, 16, 16, 24]
  {size: 3, stride: 1, filters: 36, pool: true}, // [B, 8, 8, 36]
  {size: 3, stride: 1, filters: 64, pool: false}, // [B, 8, 8, 64]
] as const;

/** Channels of the studied layer. */
export const STUDIED_CHANNELS = 16;

/** A kernel and a bias, batch norm folded in. */
export interface LayerWeights {
  /** [kh, kw, Cin, Cout], or [Cin, K] of the dense layer. */
  shape: number[];
  kernel: Float32Array;
  bias: Float32Array;
}

/** conv1 … conv4, the studied layer and the dense layer behind the mean. */
export type KnownWeights = LayerWeights[];

/** Shapes of all kernels, in order. */
export function weightShapes(): number[][] {
  let channels = 3;
  const shapes: number[][] = TRUNK.map(({size, filters}) => {
    const shape = [size, size, channels, filters];
    channels = filters;
    return shape;
  });
  return [...shapes, [1, 1, channels, STUDIED_CHANNELS], [STUDIED_CHANNELS, KNOWN_CLASSES.length]];
}

/** The network as a model: images [B, 64, 64, 3] → logits [B, 24]. */
export function knownModel(weights: KnownWeights, name: string): Model {
  const nodes: GraphNode[] = [
    {name: 'image', operator: 'InputLayer', args: {shape: [KNOWN_SIZE, KNOWN_SIZE, 3]}, inputs: [], weights: []},
  ];
  const add = (node: Omit<GraphNode, 'inputs'>) => nodes.push({...node, inputs: [nodes[nodes.length - 1].name]});
  const convolution = (at: number, layer: string, stride: number) => {
    const {shape, kernel, bias} = weights[at];
    const args = {strides: [stride, stride], padding: 'same', dilationRate: [1, 1], groups: 1};
    add({name: layer, operator: 'Conv2D', args, weights: pair(shape, kernel, bias)});
    add({name: `relu_${layer}`, operator: 'ReLU', args: {maxValue: null, negativeSlope: 0, threshold: 0}, weights: []});
  };
  TRUNK.forEach(({stride, pool}, at) => {
    convolution(at, `conv${at + 1}`, stride);
    const args = {poolSize: [2, 2], strides: [2, 2], padding: 'valid', ceilMode: false, dilationRate: [1, 1]};
    if (pool) add({name: `pool${at + 1}`, operator: 'MaxPooling2D', args, weights: []});
  });
  convolution(TRUNK.length, KNOWN_LAYER, 1);
  add({name: 'mean', operator: 'GlobalAveragePooling2D', args: {keepdims: false}, weights: []});
  const {shape, kernel, bias} = weights[TRUNK.length + 1];
  add({name: 'logits', operator: 'Dense', args: {}, weights: pair(shape, kernel, bias)});
  const graph: Graph = {nodes, inputs: ['image'], outputs: ['logits']};
  return makeModel(graph, {name, preset: KNOWN_PRESET, classNames: KNOWN_CLASSES});
}

function pair(shape: number[], kernel: Float32Array, bias: Float32Array) {
  return [
    {name: 'kernel', shape, data: kernel},
    {name: 'bias', shape: [shape[shape.length - 1]], data: bias},
  ];
}
