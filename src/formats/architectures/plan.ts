/**
 * A network before it has weights: nodes that know under which PyTorch name each weight is stored. The
 * functions add a node under its PyTorch module name, reading the node `input`, and return the name of the one added.
 */
import type {GraphNode, Weight} from '../../network/graph';

/** A weight that a checkpoint has to bring, in PyTorch's name and shape, and how its axes are ordered. */
export interface StoredWeight {
  name: string;
  key: string;
  /** PyTorch's: [out, in, kh, kw] of a convolution, [out, in] of a linear layer, [channels] of a vector. */
  storedShape: number[];
}

export interface PlannedNode extends Omit<GraphNode, 'weights'> {
  weights: (StoredWeight | Weight)[];
}

export type Plan = PlannedNode[];

function add(plan: Plan, node: Omit<PlannedNode, 'args' | 'weights'> & Partial<PlannedNode>): string {
  plan.push({weights: [], args: {}, ...node});
  return node.name;
}

/** Images, [B, size, size, 3]. */
export function image(plan: Plan, size: number): string {
  return add(plan, {name: 'input', operator: 'InputLayer', args: {shape: [size, size, 3]}, inputs: []});
}

/** A convolution without bias and with PyTorch's symmetric padding of (kernel − 1) / 2. */
export function convolution(
  plan: Plan,
  input: string,
  name: string,
  {from, to, kernel, stride = 1}: {from: number; to: number; kernel: number; stride?: number},
): string {
  return add(plan, {
    name,
    operator: 'Conv2D',
    args: {strides: [stride, stride], padding: around((kernel - 1) / 2), dilationRate: [1, 1], groups: 1},
    inputs: [input],
    weights: [{name: 'kernel', key: `${name}.weight`, storedShape: [to, from, kernel, kernel]}],
  });
}

/** So much padding on each side. */
const around = (width: number) => (width === 0 ? 'valid' : [0, 1].map(() => [width, width]));

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

export function batchNorm(plan: Plan, input: string, name: string, channels: number): string {
  const stored = (weight: string, key: string): StoredWeight => ({
    name: weight,
    key: `${name}.${key}`,
    storedShape: [channels],
  });
  return add(plan, {
    name,
    operator: 'BatchNormalization',
    args: {axis: 3, epsilon: 1e-5},
    inputs: [input],
    weights: [
      stored('gamma', 'weight'),
      stored('beta', 'bias'),
      stored('moving_mean', 'running_mean'),
      stored('moving_variance', 'running_var'),
    ],
  });
}

export function relu(plan: Plan, input: string, name: string): string {
  return add(plan, {name, operator: 'ReLU', args: {maxValue: null, negativeSlope: 0, threshold: 0}, inputs: [input]});
}

export function sum(plan: Plan, inputs: string[], name: string): string {
  return add(plan, {name, operator: 'Add', inputs});
}

/** 3×3 maximum of stride 2 and padding 1. */
export function maxPool(plan: Plan, input: string, name: string): string {
  return add(plan, {
    name,
    operator: 'MaxPooling2D',
    args: {poolSize: [3, 3], strides: [2, 2], padding: around(1), ceilMode: false, dilationRate: [1, 1]},
    inputs: [input],
  });
}

export function averagePool(plan: Plan, input: string, name: string): string {
  return add(plan, {
    name,
    operator: 'GlobalAveragePooling2D',
    args: {keepdims: false},
    inputs: [input],
  });
}

/** A linear layer with bias: the logits, without softmax. */
export function linear(plan: Plan, input: string, name: string, {from, to}: {from: number; to: number}): string {
  return add(plan, {
    name,
    operator: 'Dense',
    inputs: [input],
    weights: [
      {name: 'kernel', key: `${name}.weight`, storedShape: [to, from]},
      {name: 'bias', key: `${name}.bias`, storedShape: [to]},
    ],
  });
}
