/**
 * A network before it has weights: nodes of tfjs layer classes that know under which PyTorch name each weight is stored. The
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

const ZEROS = {className: 'Zeros', config: {}};

function add(plan: Plan, node: Omit<PlannedNode, 'args' | 'weights'> & Partial<PlannedNode>): string {
  plan.push({weights: [], ...node, args: {...node.args, name: node.name, trainable: true}});
  return node.name;
}

/** Images, [B, size, size, 3]. */
export function image(plan: Plan, size: number): string {
  const config = {batchInputShape: [null, size, size, 3], dtype: 'float32', sparse: false, name: 'input'};
  plan.push({name: 'input', operator: 'InputLayer', args: config, inputs: [], weights: []});
  return 'input';
}

/**
 * A convolution without bias and with PyTorch's symmetric padding of (kernel − 1) / 2. At stride 1 that is tfjs's 'same'; at a
 * larger one 'same' pads the end more than the start, so the zeros become a node `NAME.pad`.
 */
export function convolution(
  plan: Plan,
  input: string,
  name: string,
  {from, to, kernel, stride = 1}: {from: number; to: number; kernel: number; stride?: number},
): string {
  const padded = stride > 1 && kernel > 1 ? zeroPadding(plan, input, `${name}.pad`, (kernel - 1) / 2) : input;
  return add(plan, {
    name,
    operator: 'Conv2D',
    args: convolutionConfig(to, kernel, stride, stride === 1 && kernel > 1 ? 'same' : 'valid'),
    inputs: [padded],
    weights: [{name: 'kernel', key: `${name}.weight`, storedShape: [to, from, kernel, kernel]}],
  });
}

function convolutionConfig(filters: number, kernel: number, stride: number, padding: string): Record<string, unknown> {
  return {
    filters,
    kernelInitializer: ZEROS,
    kernelRegularizer: null,
    kernelConstraint: null,
    kernelSize: [kernel, kernel],
    strides: [stride, stride],
    padding,
    dataFormat: 'channelsLast',
    dilationRate: [1, 1],
    activation: 'linear',
    useBias: false,
    biasInitializer: ZEROS,
    biasRegularizer: null,
    activityRegularizer: null,
    biasConstraint: null,
  };
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
    args: convolutionConfig(to, 1, 2, 'valid'),
    inputs: [input],
    weights: [{name: 'kernel', shape: [1, 1, from, to], data}],
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
    args: {
      axis: -1,
      momentum: 0.9,
      epsilon: 1e-5,
      center: true,
      scale: true,
      betaInitializer: ZEROS,
      gammaInitializer: {className: 'Ones', config: {}},
      movingMeanInitializer: ZEROS,
      movingVarianceInitializer: {className: 'Ones', config: {}},
      betaRegularizer: null,
      gammaRegularizer: null,
      betaConstraint: null,
      gammaConstraint: null,
    },
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
  return add(plan, {name, operator: 'Activation', args: {activation: 'relu'}, inputs: [input]});
}

export function sum(plan: Plan, inputs: string[], name: string): string {
  return add(plan, {name, operator: 'Add', inputs});
}

export function zeroPadding(plan: Plan, input: string, name: string, width: number): string {
  const padding = [
    [width, width],
    [width, width],
  ];
  return add(plan, {name, operator: 'ZeroPadding2D', args: {padding, dataFormat: 'channelsLast'}, inputs: [input]});
}

/** 3×3 maximum of stride 2 and padding 1. PyTorch pads with −∞; after a relu, zeros do the same. */
export function maxPool(plan: Plan, input: string, name: string): string {
  return add(plan, {
    name,
    operator: 'MaxPooling2D',
    args: {poolSize: [3, 3], padding: 'valid', strides: [2, 2], dataFormat: 'channelsLast'},
    inputs: [zeroPadding(plan, input, `${name}.pad`, 1)],
  });
}

export function averagePool(plan: Plan, input: string, name: string): string {
  return add(plan, {
    name,
    operator: 'GlobalAveragePooling2D',
    args: {dataFormat: 'channelsLast'},
    inputs: [input],
  });
}

/** A linear layer with bias: the logits, without softmax. */
export function linear(plan: Plan, input: string, name: string, {from, to}: {from: number; to: number}): string {
  return add(plan, {
    name,
    operator: 'Dense',
    args: {
      units: to,
      activation: 'linear',
      useBias: true,
      kernelInitializer: ZEROS,
      biasInitializer: ZEROS,
      kernelRegularizer: null,
      biasRegularizer: null,
      activityRegularizer: null,
      kernelConstraint: null,
      biasConstraint: null,
    },
    inputs: [input],
    weights: [
      {name: 'kernel', key: `${name}.weight`, storedShape: [to, from]},
      {name: 'bias', key: `${name}.bias`, storedShape: [to]},
    ],
  });
}
