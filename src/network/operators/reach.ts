import {weightOf, type GraphNode} from '../graph';
import {transposedSize} from './convolutions';
import {between, nearest, type Coordinates} from './resizing';
import type {Shape} from './types';
import {imageWindows, type Padding, type Pair} from './windows';

/** The first and the last index on each axis after the batch axis, both included. */
export type Region = [first: number, last: number][];

type Reach = (node: GraphNode, region: Region, inputs: readonly Shape[]) => (Region | undefined)[];
type Along = (index: number) => Iterable<number>;

/** All of a tensor. */
export const wholeOf = (shape: Shape): Region => shape.map((size) => [0, size - 1]);

/**
 * Which elements of each input a region of a node's output is computed from: the smallest box around them; undefined where there are none
 * (padding). Weights are taken to be other than 0. An operator that is not known here reads everything.
 */
export function reachOf(node: GraphNode, region: Region, inputs: readonly Shape[]): (Region | undefined)[] {
  const reach = REACH[node.operator] ?? ((_node, _region, shapes) => shapes.map(wholeOf));
  return reach(node, region, inputs);
}

const same: Reach = (_node, region) => [region.map(([first, last]) => [first, last])];

/** Some axes, counted from 1, read as a whole, the others element by element. */
const across =
  (axesOf: (node: GraphNode, rank: number) => readonly number[]): Reach =>
  (node, region, [x]) => {
    const axes = axesOf(node, x!.length);
    return [region.map((along, at) => (axes.includes(at + 1) ? [0, x![at]! - 1] : along))];
  };

/** Axes that are gone, or of 1, in the output. */
const reduced =
  (axesOf: (node: GraphNode) => readonly number[]): Reach =>
  (node, region, [x]) => {
    const axes = axesOf(node);
    const kept = node.args['keepdims'] === true ? region.filter((_, at) => !axes.includes(at + 1)) : [...region];
    return [x!.map((size, at) => (axes.includes(at + 1) ? [0, size - 1] : kept.shift()!))];
  };

const broadcasting: Reach = (_node, region, inputs) => inputs.map((shape) => aligned(shape, region));

/** A region's last axes in a shape that broadcasts to it. */
const aligned = (shape: Shape, region: Region): Region =>
  shape.map((size, at) => (size === 1 ? [0, 0] : region[at + region.length - shape.length]!));

/** Each axis that is given, element by element, the others as they are. */
function alongAxes(region: Region, shape: Shape, along: readonly (Along | undefined)[]): Region | undefined {
  const found = region.map(([first, last], at): [number, number] | undefined => {
    const read = along[at];
    if (!read) return [first, last];
    let [low, high] = [Infinity, -Infinity];
    for (let index = first; index <= last; index++) {
      for (const source of read(index)) {
        if (source < 0 || source >= shape[at]!) continue;
        low = Math.min(low, source);
        high = Math.max(high, source);
      }
    }
    return low <= high ? [low, high] : undefined;
  });
  return found.every((one) => one !== undefined) ? (found as Region) : undefined;
}

const range = (count: number) => Array.from({length: count}, (_, n) => n);

/** A window that slides over height and width; channels one by one, or all of them. */
const sliding =
  (sizeOf: (node: GraphNode) => Pair, channels: 'own' | 'all'): Reach =>
  (node, region, [x]) => {
    const {strides, padding, ceilMode, dilationRate: dilation = [1, 1]} = node.args as Record<string, unknown>;
    const size = sizeOf(node);
    const windows = {
      size,
      strides: strides as Pair,
      dilation: dilation as Pair,
      padding: padding as Padding,
      ceilMode: ceilMode as boolean | undefined,
    };
    const places = imageWindows([x![0]!, x![1]!], windows);
    const taps = ([0, 1] as const).map(
      (axis): Along =>
        (index) =>
          range(size[axis]).map(
            (tap) => index * windows.strides[axis] + tap * windows.dilation[axis] - places[axis].before,
          ),
    );
    const all: Along = () => [0, x![2]! - 1];
    return [alongAxes(region, x!, [...taps, channels === 'all' ? all : undefined])];
  };

const kernelSize = (node: GraphNode): Pair => {
  const [height, width] = weightOf(node, 'kernel')!.shape;
  return [height!, width!];
};

/** Channel c·M + m of the output reads channel c. */
const depthwise: Reach = (node, region, inputs) => {
  const multiplier = weightOf(node, 'kernel')!.shape[3]!;
  const channels = region[2]!.map((channel) => Math.floor(channel / multiplier)) as [number, number];
  return sliding(kernelSize, 'own')(node, [region[0]!, region[1]!, channels], inputs);
};

const transposed: Reach = (node, region, [x]) => {
  const {strides, dilationRate} = node.args as {strides: Pair; dilationRate: Pair};
  const {shape} = weightOf(node, 'kernel')!;
  const axes = transposedSize(node, [x![0]!, x![1]!], shape);
  const taps = ([0, 1] as const).map(
    (axis): Along =>
      (index) =>
        range(shape[axis]!)
          .map((tap) => (index + axes[axis].cut - tap * dilationRate[axis]) / strides[axis])
          .filter(Number.isInteger),
  );
  return [alongAxes(region, x!, [...taps, () => [0, x![2]! - 1]])];
};

const resized: Reach = (node, region, [x]) => {
  const {size, interpolation, coordinates} = node.args as {
    size: Pair;
    interpolation: string;
    coordinates: Coordinates;
  };
  const along = ([0, 1] as const).map(
    (axis): Along =>
      (index) =>
        interpolation === 'nearest'
          ? [nearest(index, x![axis]!, size[axis], coordinates)]
          : between(index, x![axis]!, size[axis], coordinates),
  );
  return [alongAxes(region, x!, along)];
};

const padded: Reach = (node, region, [x]) => {
  const {paddings, mode} = node.args as {paddings: Pair[]; mode: string};
  const along = paddings.map(([before], axis): Along => {
    const last = x![axis]! - 1;
    return (index) => {
      const at = index - before;
      if (mode === 'constant' || (at >= 0 && at <= last)) return [at];
      if (mode === 'edge') return [at < 0 ? 0 : last];
      return [at < 0 ? -at : 2 * last - at];
    };
  });
  return [alongAxes(region, x!, along)];
};

const sliced: Reach = (node, region, [x]) => {
  const {axis, start, step} = node.args as Record<string, number>;
  const along = x!.map((_, at) => (at === axis! - 1 ? (index: number) => [start! + index * step!] : undefined));
  return [alongAxes(region, x!, along)];
};

const concatenated: Reach = (node, region, inputs) => {
  const at = (node.args['axis'] as number) - 1;
  let from = 0;
  return inputs.map((shape) => {
    const offset = from;
    from += shape[at]!;
    const along = shape.map((_, axis) => (axis === at ? (index: number) => [index - offset] : undefined));
    return alongAxes(region, shape, along);
  });
};

const permuted: Reach = (node, region) => {
  const order = node.args['order'] as number[];
  return [region.map((_, at) => region[order.indexOf(at + 1)]!)];
};

/** The first axes that keep their size keep their place; what is behind them is mixed. */
const reshaped: Reach = (node, region, [x]) => {
  const shape = node.args['shape'] as number[];
  const changed = x!.findIndex((size, at) => size !== shape[at]);
  return [x!.map((size, at) => (changed >= 0 && at >= changed ? [0, size - 1] : region[at]!))];
};

const matrixProduct: Reach = (node, region, inputs) => {
  const [rows, columns] = region.slice(-2) as [Region[number], Region[number]];
  const outer = region.slice(0, -2);
  const all = (shape: Shape, axis: number): Region[number] => [0, shape[axis]! - 1];
  const matrix = (shape: Shape, own: Region[number], place: 0 | 1): Region => {
    const inner = all(shape, shape.length - 1 - place);
    return [...aligned(shape.slice(0, -2), outer), ...(place === 0 ? [own, inner] : [inner, own])];
  };
  const [a, b] = inputs;
  return [
    matrix(a!, rows, node.args['transposeA'] === true ? 1 : 0),
    matrix(b!, columns, node.args['transposeB'] === true ? 0 : 1),
  ];
};

const poolSize = (node: GraphNode) => node.args['poolSize'] as Pair;
const axis = (node: GraphNode) => [node.args['axis'] as number];
const axes = (node: GraphNode) => node.args['axes'] as number[];
const positions = () => [1, 2];
const ELEMENTWISE = 'BatchNormalization Rescaling ReLU ELU PReLU HardSigmoid Activation Clip Power'.split(' ');
const BROADCASTING = 'Add Subtract Multiply Divide Maximum Minimum Average'.split(' ');

const REACH: Readonly<Record<string, Reach>> = {
  ...Object.fromEntries(ELEMENTWISE.map((name) => [name, same])),
  ...Object.fromEntries(BROADCASTING.map((name) => [name, broadcasting])),
  Conv2D: sliding(kernelSize, 'all'),
  DepthwiseConv2D: depthwise,
  Conv2DTranspose: transposed,
  MaxPooling2D: sliding(poolSize, 'own'),
  AveragePooling2D: sliding(poolSize, 'own'),
  GlobalAveragePooling2D: reduced(positions),
  GlobalMaxPooling2D: reduced(positions),
  Mean: reduced(axes),
  Max: reduced(axes),
  Sum: reduced(axes),
  Dense: across((_node, rank) => [rank]),
  MatMul: matrixProduct,
  LayerNormalization: across(axes),
  GroupNormalization: across(() => [1, 2, 3]),
  Softmax: across(axis),
  LogSoftmax: across(axis),
  Resize: resized,
  Pad: padded,
  Slice: sliced,
  Concatenate: concatenated,
  Permute: permuted,
  Reshape: reshaped,
};
