/**
 * Arithmetic on known arrays: what exporters write to compute shapes, and what they do to weights. Run once while the network is read.
 */
import {InputError} from '../../common/errors';
import {integer, integers, knownInput, listed, positive, refuse, tensor, weightInput, type Call} from './call';
import {slices, splitSizes, squeezedShape, targetShape, unsqueezedShape} from './shapes';
import {constant, transposed, type Constant} from './tensors';
import {broadcastShape, sizeOf} from './values';

/** Values that shape arithmetic may make; a weight that is computed is far smaller. */
const LARGEST = 2 ** 26;

export type Fold = (call: Call) => Constant | Constant[];

/** Elementwise, broadcast as numpy does. */
function combine(a: Constant, b: Constant, type: Constant['type'], f: (x: number, y: number) => number): Constant {
  const shape = broadcastShape(a.shape, b.shape);
  const left = expanded(a, shape).data;
  const right = expanded(b, shape).data;
  return constant(
    shape,
    Float64Array.from({length: left.length}, (_, at) => f(left[at], right[at])),
    type,
  );
}

/** Broadcast to a larger shape. */
export function expanded(array: Constant, shape: readonly number[]): Constant {
  const size = sizeOf(shape);
  if (size > LARGEST || !shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new InputError(
      `an array of shape [${shape.join(', ')}] is to be made from known values; at most ${LARGEST} values are`,
    );
  }
  const rank = shape.length;
  const from = [...new Array<number>(rank - array.shape.length).fill(1), ...array.shape];
  const strides = from.map((length, axis) => (length === 1 ? 0 : sizeOf(from.slice(axis + 1))));
  const data = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    let rest = at;
    let source = 0;
    for (let axis = rank - 1; axis >= 0; axis--) {
      source += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    data[at] = array.data[source];
  }
  return constant([...shape], data, array.type);
}

const arithmetic =
  (f: (x: number, y: number, whole: boolean) => number): Fold =>
  (call) => {
    const [a, b] = [weightInput(call, 0), weightInput(call, 1)];
    return combine(a, b, a.type, (x, y) => f(x, y, a.type === 'integer'));
  };
const comparison =
  (f: (x: number, y: number) => boolean): Fold =>
  (call) =>
    combine(weightInput(call, 0), weightInput(call, 1), 'boolean', (x, y) => Number(f(x, y)));
const each =
  (f: (x: number) => number, type?: Constant['type']): Fold =>
  (call) => {
    const a = weightInput(call, 0);
    return constant(a.shape, Float64Array.from(a.data, f), type ?? a.type);
  };
const many =
  (f: (x: number, y: number) => number): Fold =>
  (call) =>
    call.inputs.map((_, at) => weightInput(call, at)).reduce((a, b) => combine(a, b, a.type, f));

const reshapedTo = (a: Constant, shape: number[]): Constant => ({...a, shape});

/** Picks along an axis: entry n of the result is entry `positions[n]`. */
function picked(a: Constant, axis: number, positions: readonly number[]): Constant {
  const inner = sizeOf(a.shape.slice(axis + 1));
  const outer = sizeOf(a.shape.slice(0, axis));
  const data = new Float64Array(outer * positions.length * inner);
  for (let o = 0; o < outer; o++) {
    positions.forEach((position, n) => {
      for (let i = 0; i < inner; i++) {
        data[(o * positions.length + n) * inner + i] = a.data[(o * a.shape[axis] + position) * inner + i];
      }
    });
  }
  return constant(a.shape.toSpliced(axis, 1, positions.length), data, a.type);
}

function reduction(
  f: (x: number, y: number) => number,
  start: number,
  finish = (sum: number, count: number) => sum + 0 * count,
): Fold {
  return (call) => {
    const a = weightInput(call, 0);
    const rank = a.shape.length;
    const given = listed(call, 1, 'axes')?.map((axis) => positive(call, axis, rank));
    const axes = given && given.length > 0 ? given : a.shape.map((_, axis) => axis);
    const kept = a.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const moved = transposed(a.data, a.shape, [...kept, ...axes]);
    const count = sizeOf(axes.map((axis) => a.shape[axis]));
    const data = Float64Array.from({length: sizeOf(kept.map((axis) => a.shape[axis]))}, (_, at) =>
      finish(
        Array.from(moved.data.subarray(at * count, (at + 1) * count)).reduce((x, y) => f(x, y), start),
        count,
      ),
    );
    const shape =
      integer(call, 'keepdims', 1) === 1
        ? a.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
        : kept.map((axis) => a.shape[axis]);
    return constant(shape, data, a.type);
  };
}

const whole = (x: number, y: number) => Math.trunc(x / y);

// prettier-ignore
export const FOLDS: Readonly<Record<string, Fold>> = {
  Add: arithmetic((x, y) => x + y),
  Sub: arithmetic((x, y) => x - y),
  Mul: arithmetic((x, y) => x * y),
  Div: arithmetic((x, y, integers) => (integers ? whole(x, y) : x / y)),
  Mod: arithmetic((x, y) => x - y * Math.floor(x / y)),
  Pow: arithmetic((x, y) => x ** y),
  Max: many(Math.max),
  Min: many(Math.min),
  And: comparison((x, y) => x !== 0 && y !== 0),
  Or: comparison((x, y) => x !== 0 || y !== 0),
  Equal: comparison((x, y) => x === y),
  Less: comparison((x, y) => x < y),
  LessOrEqual: comparison((x, y) => x <= y),
  Greater: comparison((x, y) => x > y),
  GreaterOrEqual: comparison((x, y) => x >= y),
  Not: each((x) => Number(x === 0)),
  Neg: each((x) => -x),
  Abs: each(Math.abs),
  Floor: each(Math.floor),
  Ceil: each(Math.ceil),
  Round: each((x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))),
  Sqrt: each(Math.sqrt),
  Exp: each(Math.exp),
  Log: each(Math.log),
  Sign: each(Math.sign),
  Reciprocal: each((x) => 1 / x),
  Identity: (call) => weightInput(call, 0),
  Dropout: (call) => weightInput(call, 0),
  Cast: castTo,
  CastLike: (call) => ({...weightInput(call, 0), type: knownInput(call, 1)?.type ?? 'float'}),
  Constant: known,
  ConstantOfShape: (call) => {
    const value = tensor(call, 'value') ?? constant([1], [0], 'float');
    return expanded({...value, shape: []}, [...weightInput(call, 0).data]);
  },
  Range: range,
  Reshape: (call) => reshapedTo(weightInput(call, 0), targetShape(call, weightInput(call, 0).shape)),
  Unsqueeze: (call) => reshapedTo(weightInput(call, 0), unsqueezedShape(call, weightInput(call, 0).shape)),
  Squeeze: (call) => reshapedTo(weightInput(call, 0), squeezedShape(call, weightInput(call, 0).shape)),
  Flatten: (call) => {
    const a = weightInput(call, 0);
    const axis = integer(call, 'axis', 1);
    const at = axis < 0 ? axis + a.shape.length : axis;
    return reshapedTo(a, [sizeOf(a.shape.slice(0, at)), sizeOf(a.shape.slice(at))]);
  },
  Transpose: (call) => {
    const a = weightInput(call, 0);
    const order = integers(call, 'perm') ?? a.shape.map((_, axis) => a.shape.length - 1 - axis);
    order.forEach((axis) => positive(call, axis, a.shape.length));
    return {kind: 'constant', type: a.type, name: a.name, ...transposed(a.data, a.shape, order)};
  },
  Gather: (call) => {
    const [a, at] = [weightInput(call, 0), weightInput(call, 1)];
    const axis = positive(call, integer(call, 'axis', 0), a.shape.length);
    const result = picked(a, axis, [...at.data].map((position) => positive(call, position, a.shape[axis])));
    return reshapedTo(result, a.shape.toSpliced(axis, 1, ...at.shape));
  },
  Slice: (call) => {
    const a = weightInput(call, 0);
    return slices(call, a.shape).reduce(
      (array, {axis, first, count, step}) => picked(array, axis, Array.from({length: count}, (_, n) => first + n * step)), a);
  },
  Split: (call) => {
    const a = weightInput(call, 0);
    const axis = positive(call, integer(call, 'axis', 0), a.shape.length);
    let start = 0;
    return splitSizes(call, a.shape[axis]).map((size) => {
      start += size;
      return picked(a, axis, Array.from({length: size}, (_, n) => start - size + n));
    });
  },
  Concat: (call) => {
    const arrays = call.inputs.map((_, at) => weightInput(call, at));
    const axis = positive(call, integer(call, 'axis', 0), arrays[0].shape.length);
    const outer = sizeOf(arrays[0].shape.slice(0, axis));
    const rows = arrays.map(({shape}) => sizeOf(shape.slice(axis)));
    const total = rows.reduce((sum, row) => sum + row, 0);
    const data = new Float64Array(outer * total);
    for (let o = 0; o < outer; o++) {
      let to = o * total;
      arrays.forEach((array, n) => {
        data.set(array.data.subarray(o * rows[n], (o + 1) * rows[n]), to);
        to += rows[n];
      });
    }
    const length = arrays.reduce((sum, {shape}) => sum + shape[axis], 0);
    return constant(arrays[0].shape.toSpliced(axis, 1, length), data, arrays[0].type);
  },
  Expand: (call) => expanded(weightInput(call, 0), broadcastShape(weightInput(call, 0).shape, [...weightInput(call, 1).data])),
  Where: (call) => {
    const [condition, a, b] = [weightInput(call, 0), weightInput(call, 1), weightInput(call, 2)];
    const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
    const [choice, left, right] = [condition, a, b].map((array) => expanded(array, shape).data);
    return constant(shape, Float64Array.from(choice, (yes, at) => (yes ? left[at] : right[at])), a.type);
  },
  ReduceProd: reduction((x, y) => x * y, 1),
  ReduceSum: reduction((x, y) => x + y, 0),
  ReduceMean: reduction((x, y) => x + y, 0, (sum, count) => sum / count),
  ReduceMax: reduction(Math.max, -Infinity),
  ReduceMin: reduction(Math.min, Infinity),
  DequantizeLinear: dequantized,
};

/** Types of TensorProto.DataType that hold fractions. */
const FLOAT_TYPES = [1, 10, 11, 16];

function castTo(call: Call): Constant {
  const a = weightInput(call, 0);
  const to = integer(call, 'to', 1);
  if (FLOAT_TYPES.includes(to)) return {...a, type: 'float'};
  if (to === 9)
    return constant(
      a.shape,
      Float64Array.from(a.data, (x) => Number(x !== 0)),
      'boolean',
    );
  return constant(a.shape, Float64Array.from(a.data, Math.trunc), 'integer');
}

function known(call: Call): Constant {
  const value = tensor(call, 'value');
  if (value) return value;
  const names = call.node.attribute.map(({name}) => name);
  if (names.includes('value_float')) return constant([], [call.node.attribute[0].f], 'float');
  if (names.includes('value_int')) return constant([], [integer(call, 'value_int', 0)], 'integer');
  const integerList = integers(call, 'value_ints');
  if (names.includes('value_ints') && integerList) return constant([integerList.length], integerList, 'integer');
  const floats = call.node.attribute.find(({name}) => name === 'value_floats')?.floats;
  if (floats) return constant([floats.length], floats, 'float');
  throw refuse(call, `its value is of a kind that is not read (${names.join(', ')})`);
}

function range(call: Call): Constant {
  const [start, limit, step] = [0, 1, 2].map((at) => weightInput(call, at).data[0]);
  const count = Math.max(Math.ceil((limit - start) / step), 0);
  if (!(count <= LARGEST)) throw refuse(call, `it would make ${count} values; at most ${LARGEST} are made`);
  return constant(
    [count],
    Array.from({length: count}, (_, at) => start + at * step),
    weightInput(call, 0).type,
  );
}

/** Weights that were quantised: (x − zero point)·scale, one of each for the array, or along an axis. */
function dequantized(call: Call): Constant {
  const [a, scale] = [weightInput(call, 0), weightInput(call, 1)];
  const zero = knownInput(call, 2);
  if (integer(call, 'block_size', 0) !== 0)
    throw refuse(call, 'weights quantised in blocks are not read; export the network in float32');
  const axis = scale.data.length === 1 ? 0 : positive(call, integer(call, 'axis', 1), a.shape.length);
  const inner = sizeOf(a.shape.slice(axis + 1));
  const at = (index: number) => (scale.data.length === 1 ? 0 : Math.floor(index / inner) % a.shape[axis]);
  const data = Float64Array.from(a.data, (x, index) => (x - (zero?.data[at(index)] ?? 0)) * scale.data[at(index)]);
  return constant(a.shape, data, 'float');
}
