/**
 * The operators of a network straight from their definitions: loops over arrays in float64, one element at a time. Slow, and obviously right.
 * Shapes have the batch axis first.
 */
import {fill, images, read, sizeOf, type Arguments, type Pair, type Slow, type Values} from './slowValues';
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

const batchNorm: Slow = ([x], {axis, epsilon}, {gamma, beta, moving_mean: mean, moving_variance: variance}) =>
  fill(x!.shape, (index) => {
    const c = index[axis as number]!;
    const standard = (read(x!, index) - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + (epsilon as number));
    return standard * (gamma ? gamma.data[c]! : 1) + (beta ? beta.data[c]! : 0);
  });

/** Standardises over the elements that `together` puts into the same set, then scales by `weightAt`. */
function standardise(x: Values, epsilon: number, setOf: (index: readonly number[]) => string) {
  const sets = new Map<string, number[]>();
  const put = (index: readonly number[]) => {
    const key = setOf(index);
    const set = sets.get(key) ?? [];
    sets.set(key, set);
    set.push(read(x, index));
    return 0;
  };
  fill(x.shape, put);
  return (index: readonly number[]) => {
    const set = sets.get(setOf(index))!;
    const mean = set.reduce((sum, value) => sum + value, 0) / set.length;
    const variance = set.reduce((sum, value) => sum + (value - mean) ** 2, 0) / set.length;
    return (read(x, index) - mean) / Math.sqrt(variance + epsilon);
  };
}

const layerNorm: Slow = ([x], args, {gamma, beta}) => {
  const axes = args['axes'] as number[];
  const standard = standardise(x!, args['epsilon'] as number, (index) =>
    index.filter((_, axis) => !axes.includes(axis)).join(),
  );
  return fill(x!.shape, (index) => {
    const own = [...axes].sort((a, b) => a - b).map((axis) => index[axis]!);
    return standard(index) * (gamma ? read(gamma, own) : 1) + (beta ? read(beta, own) : 0);
  });
};

const groupNorm: Slow = ([x], args, {gamma, beta}) => {
  const channels = x!.shape[3]!;
  const perGroup = channels / (args['groups'] as number);
  const standard = standardise(x!, args['epsilon'] as number, ([b, , , c]) => `${b},${Math.floor(c! / perGroup)}`);
  return fill(x!.shape, (index) => {
    const c = index[3]!;
    return standard(index) * (gamma ? gamma.data[c]! : 1) + (beta ? beta.data[c]! : 0);
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

const concatenate: Slow = (inputs, {axis}) => {
  const at = axis as number;
  const shape = inputs[0]!.shape.slice();
  shape[at] = sum(inputs.map((input) => input.shape[at]!));
  return fill(shape, (index) => {
    let i = index[at]!;
    const input = inputs.find((candidate) => {
      if (i < candidate.shape[at]!) return true;
      i -= candidate.shape[at]!;
      return false;
    })!;
    return read(
      input,
      index.map((value, each) => (each === at ? i : value)),
    );
  });
};

const slice: Slow = ([x], {axis, start, end, step}) => {
  const [at, from, until, by] = [axis, start, end, step] as number[];
  const shape = x!.shape.slice();
  shape[at!] = 0;
  for (let i = from!; i < until!; i += by!) shape[at!]!++;
  return fill(shape, (index) =>
    read(
      x!,
      index.map((value, each) => (each === at ? from! + value * by! : value)),
    ),
  );
};

const pad: Slow = ([x], {paddings, mode, value}) => {
  const sides: Pair[] = [[0, 0], ...(paddings as Pair[])];
  const shape = x!.shape.map((size, axis) => size + sides[axis]![0] + sides[axis]![1]);
  return fill(shape, (index) => {
    const inside = index.map((at, axis) => {
      const i = at - sides[axis]![0];
      const last = x!.shape[axis]! - 1;
      if (mode === 'reflect') return i < 0 ? -i : i > last ? 2 * last - i : i;
      return mode === 'edge' ? Math.min(Math.max(i, 0), last) : i;
    });
    return inside.every((i, axis) => i >= 0 && i < x!.shape[axis]!) ? readExactly(x!, inside) : (value as number);
  });
};

function readExactly({shape, data}: Values, index: readonly number[]): number {
  return data[index.reduce((flat, at, axis) => flat * shape[axis]! + at, 0)]!;
}

const resize: Slow = ([x], {size, interpolation, coordinates}) => {
  const [batch, height, width, channels] = images(x!);
  const [rows, columns] = size as Pair;
  const position = (o: number, n: number, m: number) => {
    if (coordinates === 'half_pixel') return ((o + 0.5) * n) / m - 0.5;
    if (coordinates === 'asymmetric') return (o * n) / m;
    return m > 1 ? (o * (n - 1)) / (m - 1) : 0;
  };
  /** [input, share] of each input that is read. */
  const reads = (o: number, n: number, m: number): Pair[] => {
    const at = position(o, n, m);
    if (interpolation === 'nearest') {
      const whole = coordinates === 'asymmetric' ? Math.floor(at + 1e-9) : Math.floor(at + 0.5 + 1e-9);
      return [[Math.min(Math.max(whole, 0), n - 1), 1]];
    }
    const inside = Math.min(Math.max(at, 0), n - 1);
    const below = Math.floor(inside);
    return [
      [below, 1 - (inside - below)],
      [Math.min(below + 1, n - 1), inside - below],
    ];
  };
  return fill([batch, rows, columns, channels], ([b, r, c, o]) => {
    let total = 0;
    for (const [y, a] of reads(r!, height, rows))
      for (const [z, e] of reads(c!, width, columns)) total += a * e * read(x!, [b!, y, z, o!]);
    return total;
  });
};

/** erf by its series, exact to float64 for the values of tests. */
export function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [total, term] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log(1 + Math.exp(x));
const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

export const SLOW_ACTIVATIONS: Record<string, (x: number) => number> = {
  sigmoid,
  tanh: Math.tanh,
  swish: (x) => x * sigmoid(x),
  hard_swish: (x) => (x * clip(x + 3, 0, 6)) / 6,
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  mish: (x) => x * Math.tanh(softplus(x)),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1)),
  exponential: Math.exp,
  erf,
  sqrt: Math.sqrt,
  abs: Math.abs,
  negative: (x) => -x,
  reciprocal: (x) => 1 / x,
  log: Math.log,
  square: (x) => x * x,
  log_sigmoid: (x) => -softplus(-x),
};

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
