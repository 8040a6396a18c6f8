/**
 * A network before it has weights: nodes that know under which PyTorch name each weight is stored. The functions add a node
 * under its PyTorch module name, reading the node `input`, and return the name of the one added. All are channels last.
 */
import type {GraphNode, Weight} from '../../network/graph';

/** A weight that a checkpoint has to bring, in PyTorch's name and shape, and how its axes are ordered. */
export interface StoredWeight {
  name: string;
  key: string;
  /** PyTorch's: [out, in / groups, kh, kw] of a convolution, [out, in] of a linear layer, [channels] of a vector. */
  storedShape: number[];
  /**
   * What the axes become. `kernel`: [kh, kw, in / groups, out], or [in, out]; `depthwise`: [kh, kw, channels, 1]; `flattened`: a
   * linear layer's [in, out] behind a flattened map, whose inputs PyTorch counts channels first and we count channels last.
   * @default as stored
   */
  order?: 'kernel' | 'depthwise' | 'flattened';
  /** Height and width of the map that was flattened. */
  map?: readonly [number, number];
}

export interface PlannedNode extends Omit<GraphNode, 'weights'> {
  weights: (StoredWeight | Weight)[];
}

export type Plan = PlannedNode[];

function add(plan: Plan, node: Omit<PlannedNode, 'args' | 'weights'> & Partial<PlannedNode>): string {
  plan.push({weights: [], args: {}, ...node});
  return node.name;
}

const vector = (name: string, key: string, length: number): StoredWeight => ({name, key, storedShape: [length]});

/** The same on all four sides; none is `valid`. */
const padded = (width: number): unknown =>
  width === 0
    ? 'valid'
    : [
        [width, width],
        [width, width],
      ];

/** Images, [B, size, size, 3]. */
export function image(plan: Plan, size: number): string {
  return add(plan, {name: 'input', operator: 'InputLayer', args: {shape: [size, size, 3]}, inputs: []});
}

export interface ConvolutionOptions {
  from: number;
  to: number;
  kernel: number;
  /** @default 1 */
  stride?: number;
  /** Zeros on every side; `same` is TensorFlow's rule, which at a stride above 1 pads the end more. @default (kernel − 1) / 2 */
  padding?: number | 'same';
  /** @default 1 */
  groups?: number;
  /** @default false */
  bias?: boolean;
}

/** A convolution; one with as many groups as channels is a depthwise one. */
export function convolution(
  plan: Plan,
  input: string,
  name: string,
  {from, to, kernel, stride = 1, padding = (kernel - 1) / 2, groups = 1, bias = false}: ConvolutionOptions,
): string {
  const depthwise = groups > 1 && groups === from && to === from;
  const strided = {
    strides: [stride, stride],
    padding: padding === 'same' ? 'same' : padded(padding),
    dilationRate: [1, 1],
  };
  const storedShape = [to, from / groups, kernel, kernel];
  return add(plan, {
    name,
    operator: depthwise ? 'DepthwiseConv2D' : 'Conv2D',
    args: depthwise ? strided : {...strided, groups},
    inputs: [input],
    weights: [
      {name: 'kernel', key: `${name}.weight`, storedShape, order: depthwise ? 'depthwise' : 'kernel'},
      ...(bias ? [vector('bias', `${name}.bias`, to)] : []),
    ],
  });
}

/**
 * A shortcut without weights ("option A" of He et al. 2016, section 3.3): every second position, and zero channels before and
 * after those that are there. As one fixed 1×1 convolution of stride 2.
 */
export function paddedShortcut(
  plan: Plan,
  input: string,
  name: string,
  {from, to}: {from: number; to: number},
): string {
  const data = new Float32Array(from * to); // [1, 1, from, to]
  for (let channel = 0; channel < from; channel += 1) data[channel * to + channel + (to - from) / 2] = 1;
  return add(plan, {
    name,
    operator: 'Conv2D',
    args: {strides: [2, 2], padding: 'valid', dilationRate: [1, 1], groups: 1},
    inputs: [input],
    weights: [{name: 'kernel', shape: [1, 1, from, to], data}],
    mark: {kind: 'shortcut'},
  });
}

export function batchNorm(plan: Plan, input: string, name: string, channels: number, epsilon = 1e-5): string {
  return add(plan, {
    name,
    operator: 'BatchNormalization',
    args: {axis: 3, epsilon},
    inputs: [input],
    weights: [
      vector('gamma', `${name}.weight`, channels),
      vector('beta', `${name}.bias`, channels),
      vector('moving_mean', `${name}.running_mean`, channels),
      vector('moving_variance', `${name}.running_var`, channels),
    ],
  });
}

export function relu(plan: Plan, input: string, name: string, maxValue: number | null = null): string {
  return add(plan, {name, operator: 'ReLU', args: {maxValue, negativeSlope: 0, threshold: 0}, inputs: [input]});
}

export function sum(plan: Plan, inputs: string[], name: string): string {
  return add(plan, {name, operator: 'Add', inputs});
}

/** Channels of several maps, one after the other. */
export function concatenate(plan: Plan, inputs: string[], name: string): string {
  return add(plan, {name, operator: 'Concatenate', args: {axis: 3}, inputs});
}

/** @param options.ceilMode a last window that is cut off by the edge counts too. @default false */
export function maxPool(
  plan: Plan,
  input: string,
  name: string,
  {kernel = 3, stride = 2, padding = 0, ceilMode = false} = {},
): string {
  const args = {
    poolSize: [kernel, kernel],
    strides: [stride, stride],
    padding: padded(padding),
    ceilMode,
    dilationRate: [1, 1],
  };
  return add(plan, {name, operator: 'MaxPooling2D', args, inputs: [input]});
}

/** The mean of each 2×2 square. */
export function averagePool(plan: Plan, input: string, name: string): string {
  const args = {poolSize: [2, 2], strides: [2, 2], padding: 'valid', countPadding: true, ceilMode: false};
  return add(plan, {name, operator: 'AveragePooling2D', args, inputs: [input]});
}

/** The mean of a whole map, [B, C]. */
export function globalAverage(plan: Plan, input: string, name: string): string {
  return add(plan, {name, operator: 'GlobalAveragePooling2D', args: {keepdims: false}, inputs: [input]});
}

/** [B, H, W, C] → [B, H·W·C]. */
export function flatten(plan: Plan, input: string, name: string): string {
  return add(plan, {name, operator: 'Reshape', args: {shape: [-1]}, inputs: [input]});
}

/**
 * A linear layer with bias.
 * @param options.map height and width of the map that was flattened before it
 */
export function linear(
  plan: Plan,
  input: string,
  name: string,
  {from, to, map}: {from: number; to: number; map?: readonly [number, number]},
): string {
  return add(plan, {
    name,
    operator: 'Dense',
    inputs: [input],
    weights: [
      {name: 'kernel', key: `${name}.weight`, storedShape: [to, from], order: map ? 'flattened' : 'kernel', map},
      vector('bias', `${name}.bias`, to),
    ],
  });
}
