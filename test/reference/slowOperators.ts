/**
 * The operators of a network straight from their definitions: loops over arrays in float64, one element at a time. Slow, and obviously right.
 * Shapes have the batch axis first.
 */
import {clip, SLOW_ACTIVATIONS} from './slowActivations';
import {concatenate, pad, resize, slice} from './slowMoves';
import {batchNorm, groupNorm, layerNorm} from './slowNorms';
import {fill, read, sizeOf, type Arguments, type Pair, type Slow, type Values} from './slowValues';
import {conv2d, depthwise, pool, transposed} from './slowWindows';

export {sizeOf, type Values};

const map =
  (f: (x: number, args: Arguments) => number): Slow =>
  ([x], args) => ({shape: x!.shape, data: x!.data.map((value) => f(value, args))});

const dense: Slow = ([x], _args, {kernel, bias}) => {
  const [inner, units] = kernel!.shape as Pair;
  return fill([...x!.shape.slice(0, -1), units], (index) => {
    const unit = index[index.length - 1]!;
    let sum = bias ? bias.data[unit]! : 0;
    for (let i = 0; i < inner; i++) sum += read(x!, [...index.slice(0, -1), i]) * read(kernel!, [i, unit]);
    return sum;
  });
};

const matMul: Slow = ([a, b], {transposeA, transposeB}) => {
  const rank = a!.shape.length;
  const inner = a!.shape[transposeA ? rank - 2 : rank - 1]!;
  const rows = a!.shape[transposeA ? rank - 1 : rank - 2]!;
  const columns = b!.shape[transposeB ? rank - 2 : rank - 1]!;
  const outer = a!.shape.slice(0, -2).map((size, axis) => Math.max(size, b!.shape[axis]!));
  return fill([...outer, rows, columns], (index) => {
    const before = index.slice(0, -2);
    const [r, c] = index.slice(-2) as Pair;
    let sum = 0;
    for (let i = 0; i < inner; i++) {
      sum +=
        read(a!, [...before, ...(transposeA ? [i, r] : [r, i])]) *
        read(b!, [...before, ...(transposeB ? [c, i] : [i, c])]);
    }
    return sum;
  });
};

/** Aligned at the last axes, as numpy aligns them. */
const readLast = (values: Values, index: readonly number[]) =>
  read(values, index.slice(index.length - values.shape.length));

function combine(f: (values: number[]) => number): Slow {
  return (inputs) => {
    const rank = Math.max(...inputs.map(({shape}) => shape.length));
    // The batch axis stays first.
    const aligned = inputs.map(({shape, data}) => ({
      data,
      shape: [shape[0]!, ...Array.from({length: rank - shape.length}, () => 1), ...shape.slice(1)],
    }));
    const shape = Array.from({length: rank}, (_, axis) => Math.max(...aligned.map((input) => input.shape[axis]!)));
    return fill(shape, (index) => f(aligned.map((input) => read(input, index))));
  };
}

const softmax =
  (log: boolean): Slow =>
  ([x], {axis}) =>
    fill(x!.shape, (index) => {
      let sum = 0;
      for (let i = 0; i < x!.shape[axis as number]!; i++) {
        sum += Math.exp(
          read(
            x!,
            index.map((at, each) => (each === axis ? i : at)),
          ),
        );
      }
      return log ? read(x!, index) - Math.log(sum) : Math.exp(read(x!, index)) / sum;
    });

const reduce =
  (f: (values: number[]) => number, fixed?: number[]): Slow =>
  ([x], args) => {
    const axes = fixed ?? (args['axes'] as number[]);
    const kept = x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const result = fill(kept, (index) => {
      const values: number[] = [];
      fill(
        x!.shape.map((size, axis) => (axes.includes(axis) ? size : 1)),
        (inner) =>
          values.push(
            read(
              x!,
              index.map((at, axis) => at + inner[axis]!),
            ),
          ),
      );
      return f(values);
    });
    return args['keepdims'] ? result : {...result, shape: kept.filter((_, axis) => !axes.includes(axis))};
  };

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
const mean = (values: number[]) => sum(values) / values.length;

export const SLOW: Record<string, Slow> = {
  Conv2D: conv2d,
  DepthwiseConv2D: depthwise,
  Conv2DTranspose: transposed,
  Dense: dense,
  MatMul: matMul,
  BatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  GroupNormalization: groupNorm,
  Rescaling: ([x], _args, {scale, offset}) =>
    fill(x!.shape, (index) => read(x!, index) * readLast(scale!, index) + readLast(offset!, index)),
  ReLU: map((x, {maxValue, negativeSlope, threshold}) => {
    const [bound, slope, from] = [maxValue ?? Infinity, negativeSlope, threshold] as number[];
    return x >= from! ? Math.min(x, bound!) : slope! * (x - from!);
  }),
  ELU: map((x, {alpha}) => (x > 0 ? x : (alpha as number) * (Math.exp(x) - 1))),
  PReLU: ([x], _args, {alpha}) =>
    fill(x!.shape, (index) => (read(x!, index) >= 0 ? 1 : readLast(alpha!, index)) * read(x!, index)),
  HardSigmoid: map((x, {slope, offset}) => clip((slope as number) * x + (offset as number), 0, 1)),
  Activation: map((x, {activation}) => SLOW_ACTIVATIONS[activation as string]!(x)),
  Clip: map((x, {min, max}) => clip(x, (min ?? -Infinity) as number, (max ?? Infinity) as number)),
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  Add: combine(sum),
  Subtract: combine(([a, b]) => a! - b!),
  Multiply: combine((values) => values.reduce((a, b) => a * b)),
  Divide: combine(([a, b]) => a! / b!),
  Maximum: combine((values) => Math.max(...values)),
  Minimum: combine((values) => Math.min(...values)),
  Average: combine(mean),
  Power: map((x, {exponent}) => x ** (exponent as number)),
  Concatenate: concatenate,
  Slice: slice,
  Pad: pad,
  Reshape: ([x], {shape}) => {
    const wanted = shape as number[];
    const known = wanted.filter((size) => size !== -1);
    const rest = x!.data.length / x!.shape[0]! / sizeOf(known);
    return {shape: [x!.shape[0]!, ...wanted.map((size) => (size === -1 ? rest : size))], data: x!.data};
  },
  Permute: ([x], {order}) => {
    const axes = [0, ...(order as number[])];
    return fill(
      axes.map((axis) => x!.shape[axis]!),
      (index) =>
        read(
          x!,
          x!.shape.map((_, axis) => index[axes.indexOf(axis)]!),
        ),
    );
  },
  MaxPooling2D: pool(false),
  AveragePooling2D: pool(true),
  GlobalAveragePooling2D: reduce(mean, [1, 2]),
  GlobalMaxPooling2D: reduce((values) => Math.max(...values), [1, 2]),
  Mean: reduce(mean),
  Max: reduce((values) => Math.max(...values)),
  Sum: reduce(sum),
  Resize: resize,
};
