import {InputError} from '../../common/errors';
import {toNumber, type Int64, type TensorMessage} from './proto';

/** A known array: a weight, or a result of shape arithmetic. Row-major, axes as in the file. */
export interface Constant {
  kind: 'constant';
  shape: number[];
  data: Float32Array | Float64Array;
  /** Integers divide without remainder, as in the file's arithmetic. */
  type: 'float' | 'integer' | 'boolean';
  /** Name of the weight in the file. */
  name?: string;
}

type Decoded = Pick<Constant, 'data' | 'type'>;

interface NumberFormat {
  name: string;
  bytes: number;
  type: Constant['type'];
  read: (view: DataView, count: number) => Float32Array | Float64Array;
}

const floats =
  (bytes: number, at: (view: DataView, offset: number) => number) =>
  (view: DataView, count: number): Float32Array =>
    Float32Array.from({length: count}, (_, i) => at(view, i * bytes));
const integers =
  (bytes: number, at: (view: DataView, offset: number) => number) =>
  (view: DataView, count: number): Float64Array =>
    Float64Array.from({length: count}, (_, i) => at(view, i * bytes));

/** TensorProto.DataType: the numbers that weights and shapes come in. */
const FORMATS: Readonly<Record<number, NumberFormat>> = {
  1: {name: 'float', bytes: 4, type: 'float', read: readFloats},
  2: {name: 'uint8', bytes: 1, type: 'integer', read: integers(1, (view, at) => view.getUint8(at))},
  3: {name: 'int8', bytes: 1, type: 'integer', read: integers(1, (view, at) => view.getInt8(at))},
  4: {name: 'uint16', bytes: 2, type: 'integer', read: integers(2, (view, at) => view.getUint16(at, true))},
  5: {name: 'int16', bytes: 2, type: 'integer', read: integers(2, (view, at) => view.getInt16(at, true))},
  6: {name: 'int32', bytes: 4, type: 'integer', read: integers(4, (view, at) => view.getInt32(at, true))},
  7: {name: 'int64', bytes: 8, type: 'integer', read: integers(8, (view, at) => Number(view.getBigInt64(at, true)))},
  9: {name: 'bool', bytes: 1, type: 'boolean', read: integers(1, (view, at) => (view.getUint8(at) ? 1 : 0))},
  10: {name: 'float16', bytes: 2, type: 'float', read: floats(2, (view, at) => fromFloat16(view.getUint16(at, true)))},
  11: {name: 'double', bytes: 8, type: 'float', read: integers(8, (view, at) => view.getFloat64(at, true))},
  12: {name: 'uint32', bytes: 4, type: 'integer', read: integers(4, (view, at) => view.getUint32(at, true))},
  13: {
    name: 'uint64',
    bytes: 8,
    type: 'integer',
    read: integers(8, (view, at) => Number(view.getBigUint64(at, true))),
  },
  16: {
    name: 'bfloat16',
    bytes: 2,
    type: 'float',
    read: floats(2, (view, at) => fromBfloat16(view.getUint16(at, true))),
  },
};

function readFloats(view: DataView, count: number): Float32Array {
  // Bytes in a message start anywhere; typed arrays need multiples of their item's size.
  const bytes = new Uint8Array(view.buffer, view.byteOffset, count * 4).slice();
  const values = new Float32Array(bytes.buffer);
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1) return values;
  const aligned = new DataView(bytes.buffer);
  return Float32Array.from(values, (_, i) => aligned.getFloat32(i * 4, true));
}

/** IEEE 754 binary16. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

const word = new DataView(new ArrayBuffer(4));

function fromBfloat16(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** Bytes that a tensor's values take in a file, from its type and shape. @throws InputError for an impossible shape or an unread type */
export function byteLength(tensor: TensorMessage): number {
  return sizeOf(tensor) * formatOf(tensor).bytes;
}

function formatOf(tensor: TensorMessage): NumberFormat {
  const format = FORMATS[tensor.dataType] as NumberFormat | undefined;
  if (format) return format;
  throw new InputError(
    `tensor "${tensor.name}" has ONNX data type ${tensor.dataType}; read are ${Object.values(FORMATS)
      .map(({name}) => name)
      .join(', ')}; export the network in float32`,
  );
}

function sizeOf({name, dims}: TensorMessage): number {
  const shape = dims.map(toNumber);
  const size = shape.reduce((product, length) => product * length, 1);
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || size > 2 ** 31) {
    throw new InputError(
      `tensor "${name}" has shape [${shape.join(', ')}]; each size must be a whole number from 0, and their product at most 2^31; the file is damaged`,
    );
  }
  return size;
}

/**
 * The values of a tensor that lie in its message.
 * @throws InputError where they do not fit its shape; nothing is allocated then
 */
export function readTensor(tensor: TensorMessage): Constant {
  const count = sizeOf(tensor);
  return {kind: 'constant', shape: tensor.dims.map(toNumber), name: tensor.name, ...decode(tensor, count)};
}

function decode(tensor: TensorMessage, count: number): Decoded {
  const format = formatOf(tensor);
  const {rawData} = tensor;
  if (rawData.length > 0 || count === 0) {
    expectCount(tensor, rawData.length / format.bytes, count);
    return {
      type: format.type,
      data: format.read(new DataView(rawData.buffer, rawData.byteOffset, rawData.length), count),
    };
  }
  if (format.name === 'float') {
    expectCount(tensor, tensor.floatData.length, count);
    return {type: 'float', data: Float32Array.from(tensor.floatData)};
  }
  if (format.name === 'double') {
    expectCount(tensor, tensor.doubleData.length, count);
    return {type: 'float', data: Float64Array.from(tensor.doubleData)};
  }
  const words: readonly Int64[] =
    format.name === 'int64'
      ? tensor.int64Data
      : format.name === 'uint32' || format.name === 'uint64'
        ? tensor.uint64Data
        : tensor.int32Data;
  expectCount(tensor, words.length, count);
  // Half-precision values are stored as their bits.
  if (format.name === 'float16') return {type: 'float', data: Float32Array.from(words as number[], fromFloat16)};
  if (format.name === 'bfloat16') return {type: 'float', data: Float32Array.from(words as number[], fromBfloat16)};
  return {type: format.type, data: Float64Array.from(words, toNumber)};
}

function expectCount({name, dims}: TensorMessage, found: number, count: number): void {
  if (found === count) return;
  throw new InputError(
    `tensor "${name}" of shape [${dims.map(toNumber).join(', ')}] needs ${count} values, and the file holds ${found}; it is damaged or truncated`,
  );
}

export function constant(shape: number[], data: Constant['data'] | number[], type: Constant['type']): Constant {
  return {kind: 'constant', shape, data: Array.isArray(data) ? Float64Array.from(data) : data, type};
}

/** The array with its axes in another order: axis i of the result is axis `order[i]`. */
export function transposed(
  data: Constant['data'],
  shape: readonly number[],
  order: readonly number[],
): {shape: number[]; data: Constant['data']} {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const outShape = order.map((axis) => shape[axis]);
  const out = data instanceof Float32Array ? new Float32Array(data.length) : new Float64Array(data.length);
  const rank = order.length;
  if (rank === 0) return {shape: [], data};
  if (rank === 2 && order[0] === 1) {
    turn(data, out, shape[0], shape[1]);
    return {shape: outShape, data: out};
  }
  const outStrides = order.map((axis) => strides[axis]);
  const [length, step] = [outShape[rank - 1], outStrides[rank - 1]];
  const index = new Array<number>(rank).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += length) {
    for (let i = 0; i < length; i++) out[to + i] = data[from + i * step];
    for (let axis = rank - 2; axis >= 0; axis--) {
      from += outStrides[axis];
      if (++index[axis] < outShape[axis]) break;
      from -= outStrides[axis] * outShape[axis];
      index[axis] = 0;
    }
  }
  return {shape: outShape, data: out};
}

/** A matrix, block by block: along one axis each step leaves the processor's cache. */
function turn(data: Constant['data'], out: Constant['data'], rows: number, columns: number): void {
  const block = 32;
  for (let top = 0; top < rows; top += block) {
    for (let left = 0; left < columns; left += block) {
      for (let column = left; column < Math.min(left + block, columns); column++) {
        for (let row = top; row < Math.min(top + block, rows); row++)
          out[column * rows + row] = data[row * columns + column];
      }
    }
  }
}

export const float32 = (data: Constant['data']): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data);
