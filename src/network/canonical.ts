import type {GraphNode, Weight} from './graph';
import type {LinearLayer} from './linearLayer';
import {imageWindows, transposedSize, type Padding, type Pair} from './operators';

/** A node as its hash sees it: one spelling for all that compute the same values. */
export interface CanonicalNode {
  operator: string;
  args: Record<string, unknown>;
  /** Nodes that it reads, by name; a padding that it took in is skipped. */
  inputs: string[];
  /** In the order of their names; a grouped kernel stands for the one with zeros of the shape given. */
  weights: (Weight & {groups?: number})[];
  /** Whether the order of its inputs changes nothing. */
  commutative: boolean;
}

type Shapes = ReadonlyMap<string, readonly number[]>;
type Lookup = (name: string) => GraphNode;
type Sides = [number, number][];

const COMMUTATIVE = new Set(['Add', 'Multiply', 'Maximum', 'Minimum', 'Average']);

/** Whether a node hands its one input on as it is. Reshapes are the hash's own matter. */
export function isIdentity(node: GraphNode, shapes: Shapes): boolean {
  const {operator, args, inputs} = node;
  if (inputs.length !== 1) return false;
  switch (operator) {
    case 'Resize':
      return String(shapes.get(node.name)) === String(shapes.get(inputs[0]));
    case 'Slice':
      return args.step === 1 && args.start === 0 && String(shapes.get(node.name)) === String(shapes.get(inputs[0]));
    case 'Permute':
      return (args.order as number[]).every((axis, i) => axis === i + 1);
    case 'Pad':
      return (args.paddings as Sides).flat().every((width) => width === 0);
    case 'Clip':
      return args.min === null && args.max === null;
    case 'Concatenate':
      return true;
    default:
      return false;
  }
}

export function canonicalNode(node: GraphNode, shapes: Shapes, lookup: Lookup): CanonicalNode {
  const plain: CanonicalNode = {
    operator: node.operator,
    args: node.args,
    inputs: node.inputs,
    weights: inOrder(withoutNeutral(node.weights)),
    commutative: COMMUTATIVE.has(node.operator),
  };
  switch (node.operator) {
    case 'Conv2D':
    case 'DepthwiseConv2D':
      return convolution(plain, node, shapes, lookup);
    case 'MaxPooling2D':
    case 'AveragePooling2D':
      return pooling(plain, node, shapes, lookup);
    case 'Conv2DTranspose': {
      const {strides, dilationRate} = node.args;
      const [height, width] = shapes.get(node.inputs[0]) as number[];
      const kernel = node.weights.find(({name}) => name === 'kernel') as Weight;
      return {...plain, args: {strides, dilationRate, cuts: transposedSize(node, [height, width], kernel.shape)}};
    }
    case 'Clip':
      return node.args.min === 0
        ? {...plain, operator: 'ReLU', args: {maxValue: node.args.max, negativeSlope: 0, threshold: 0}}
        : plain;
    case 'GlobalAveragePooling2D':
      return {...plain, operator: 'Mean', args: {axes: [1, 2]}};
    case 'GlobalMaxPooling2D':
      return {...plain, operator: 'Max', args: {axes: [1, 2]}};
    case 'Mean':
    case 'Max':
    case 'Sum':
      return {...plain, args: {axes: [...(node.args.axes as number[])].sort((a, b) => a - b)}};
    case 'Slice': {
      const {axis, start, step} = node.args as {axis: number; start: number; step: number};
      return {...plain, args: {axis, start, step, length: shapes.get(node.name)?.[axis - 1]}};
    }
    case 'Pad':
      return node.args.mode === 'constant' ? plain : {...plain, args: {...node.args, value: 0}};
    default:
      return plain;
  }
}

/** The shape without the axes that a reduction kept as 1; undefined where there are none. */
export function withoutKeptAxes({operator, args}: GraphNode, shape: readonly number[]): number[] | undefined {
  if (args.keepdims !== true) return undefined;
  const axes = operator.startsWith('Global') ? [1, 2] : (args.axes as number[]);
  return shape.filter((_, i) => !axes.includes(i + 1));
}

/** A bias or β of zeros, a γ of ones: the same as none. */
function withoutNeutral(weights: readonly Weight[]): Weight[] {
  return weights.filter(({name, data}) => {
    if (name === 'bias' || name === 'beta') return data.some((value) => value !== 0);
    return name !== 'gamma' || data.some((value) => value !== 1);
  });
}

const inOrder = (weights: Weight[]) => weights.sort((a, b) => (a.name < b.name ? -1 : 1));

/** A convolution as one without groups, with the zeros before it by number and the size of its output, which tells those behind. */
function convolution(plain: CanonicalNode, node: GraphNode, shapes: Shapes, lookup: Lookup): CanonicalNode {
  const kernel = node.weights.find(({name}) => name === 'kernel') as Weight;
  const {strides, dilationRate, padding} = node.args as {strides: Pair; dilationRate: Pair; padding: Padding};
  const source = lookup(node.inputs[0]);
  const around = absorbable(source, () => true);
  const input = around ? source.inputs[0] : source.name;
  const [height, width] = shapes.get(source.name) as [number, number];
  const [kh, kw, seen, outputs] = kernel.shape as LinearLayer['shape'];
  const windows = imageWindows([height, width], {size: [kh, kw], strides, dilation: dilationRate, padding});
  const before = windows.map((along, axis) => along.before + (around?.[axis][0] ?? 0));
  const args = {strides, dilationRate, before, output: shapes.get(node.name)};
  const depthwise = node.operator === 'DepthwiseConv2D';
  const groups = depthwise ? 1 : (node.args.groups as number);
  if (depthwise || groups === 1) return {...plain, args, inputs: [input]};
  const shape = seen === 1 ? [kh, kw, groups, outputs / groups] : [kh, kw, seen * groups, outputs];
  const weights = plain.weights.map((weight) =>
    weight === kernel ? {...kernel, shape, groups: seen === 1 ? 1 : groups} : weight,
  );
  // One source a channel is a depthwise convolution, with the bytes in the same order.
  return {...plain, operator: seen === 1 ? 'DepthwiseConv2D' : 'Conv2D', args, inputs: [input], weights};
}

/** [height, width] of a padding with zeros along the spatial axes alone, which may be counted to what reads it. */
function absorbable({operator, args, inputs}: GraphNode, fits: (input: string) => boolean): Sides | undefined {
  if (operator !== 'Pad' || args.mode !== 'constant' || args.value !== 0) return undefined;
  const paddings = args.paddings as Sides;
  if (paddings.length !== 3 || paddings[2].some((width) => width !== 0)) return undefined;
  return fits(inputs[0]) ? paddings.slice(0, 2) : undefined;
}

function pooling(plain: CanonicalNode, node: GraphNode, shapes: Shapes, lookup: Lookup): CanonicalNode {
  const {poolSize, strides, padding, dilationRate, ceilMode} = node.args as {
    poolSize: Pair;
    strides: Pair;
    padding: Padding;
    dilationRate?: Pair;
    ceilMode: boolean;
  };
  const maximum = node.operator === 'MaxPooling2D';
  const source = lookup(node.inputs[0]);
  // Zeros do what −∞ does for a maximum where nothing is below zero; for a mean they count.
  const fits = (name: string) => (maximum ? isNonNegative(lookup(name), lookup) : padding === 'valid' && !ceilMode);
  const around = absorbable(source, fits);
  const [height, width] = shapes.get(source.name) as [number, number];
  const dilation = dilationRate ?? [1, 1];
  const windows = imageWindows([height, width], {size: poolSize, strides, dilation, padding, ceilMode});
  const before = windows.map((along, axis) => along.before + (around?.[axis][0] ?? 0));
  const args = {poolSize, strides, dilation, before, output: shapes.get(node.name)};
  const inputs = [around ? source.inputs[0] : source.name];
  if (maximum) return {...plain, args, inputs};
  const inner = shapes.get(inputs[0]) as number[];
  const touched = windows.some(
    ({output}, axis) => before[axis] > 0 || (output - 1) * strides[axis] + poolSize[axis] - before[axis] > inner[axis],
  );
  if (!touched) return {...plain, args, inputs};
  const count = around !== undefined || node.args.countPadding === true;
  // What a last window has beyond the padding that was asked for is never counted.
  const asked = count && ceilMode ? windows.map((along) => along.asked) : undefined;
  return {...plain, args: {...args, count, asked}, inputs};
}

/** Whether a node's values are zero or more, as far as that is cheap to see. */
function isNonNegative({operator, args, inputs}: GraphNode, lookup: Lookup): boolean {
  if (operator === 'ReLU') return args.negativeSlope === 0 && (args.threshold as number) >= 0;
  if (operator === 'Clip') return args.min !== null && (args.min as number) >= 0;
  if (operator === 'Activation') return args.activation === 'sigmoid' || args.activation === 'exponential';
  if (operator === 'HardSigmoid' || operator === 'Softmax') return true;
  if (operator === 'MaxPooling2D' || operator === 'Add' || operator === 'Concatenate') {
    return inputs.every((name) => isNonNegative(lookup(name), lookup));
  }
  return false;
}
