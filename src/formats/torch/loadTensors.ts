import {InputError} from '../../common/errors';
import {printableName} from '../../common/printable';
import {ITEM_BYTES, readBytes, toHostOrder, type BinaryFile} from '../../files/binaryFile';

/** A tensor's place in a file: a strided view (counting items) of a run of `length` items that starts at byte `position`. */
export interface TensorOnDisk {
  name: string;
  /** As safetensors names it. */
  dtype: string;
  order: 'little' | 'big';
  position: number;
  length: number;
  offset: number;
  shape: number[];
  strides: number[];
  /** The run itself where it is in memory already; `position` means nothing then. */
  held?: Uint8Array;
}

/** A trained array in memory, row-major. */
export interface LoadedWeight {
  shape: number[];
  data: Float32Array;
}

/** Numbers of each type that is read, as float32. */
const DECODERS: Readonly<Record<string, (buffer: ArrayBuffer) => Float32Array>> = {
  F32: (buffer) => new Float32Array(buffer),
  F64: (buffer) => new Float32Array(new Float64Array(buffer)),
  F16: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber),
  // bfloat16 is the upper half of a float32.
  BF16: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  I64: (buffer) => Float32Array.from(new BigInt64Array(buffer) as unknown as ArrayLike<bigint>, Number),
  I32: (buffer) => new Float32Array(new Int32Array(buffer)),
  I16: (buffer) => new Float32Array(new Int16Array(buffer)),
  I8: (buffer) => new Float32Array(new Int8Array(buffer)),
  U8: (buffer) => new Float32Array(new Uint8Array(buffer)),
  BOOL: (buffer) => new Float32Array(new Uint8Array(buffer)),
};

/** Memory that weights may take for each byte of their file; honest files need 4 (bytes to float32), views somewhat more. */
const MAX_GROWTH = 8;

/**
 * Reads tensors as row-major float32. All are checked against their storages and the file's size before memory is taken.
 * @throws InputError where a tensor reaches beyond its storage or the file, has an unknown type, or holds NaN or infinity
 */
export async function loadTensors(
  file: BinaryFile,
  tensors: readonly TensorOnDisk[],
): Promise<Map<string, LoadedWeight>> {
  let total = 0;
  for (const tensor of tensors) {
    checkExtent(file, tensor);
    // Both what is read (a view's whole extent) and what is kept count.
    total += 4 * Math.max(sizeOf(tensor.shape), spanOf(tensor.shape, tensor.strides));
  }
  if (total > MAX_GROWTH * file.size) {
    throw new InputError(
      `the tensors of ${file.name} would take ${total} bytes, and the file has ${file.size}; it repeats stored numbers more than a checkpoint does, and is refused`,
    );
  }
  const loaded = new Map<string, LoadedWeight>();
  for (const tensor of tensors) {
    const data = await loadTensor(file, tensor);
    checkFinite(file, tensor, data);
    loaded.set(tensor.name, {shape: tensor.shape, data});
  }
  return loaded;
}

async function loadTensor(
  file: BinaryFile,
  {dtype, order, position, offset, shape, strides, held}: TensorOnDisk,
): Promise<Float32Array> {
  const bytes = ITEM_BYTES[dtype];
  const [start, length] = [offset * bytes, spanOf(shape, strides) * bytes];
  const raw = held ? held.slice(start, start + length) : await readBytes(file, position + start, length);
  const stored = DECODERS[dtype](toHostOrder(raw, bytes, order).buffer as ArrayBuffer);
  if (isRowMajor(shape, strides)) return stored;

  const data = new Float32Array(sizeOf(shape));
  const last = shape.length - 1; // a scalar is row-major, so there is one
  let written = 0;
  const copyAxis = (axis: number, from: number): void => {
    for (let i = 0; i < shape[axis]; i += 1) {
      if (axis < last) copyAxis(axis + 1, from + i * strides[axis]);
      else data[written + i] = stored[from + i * strides[axis]];
    }
    if (axis === last) written += shape[axis];
  };
  copyAxis(0, 0);
  return data;
}

function checkExtent(
  file: BinaryFile,
  {name, dtype, position, length, offset, shape, strides, held}: TensorOnDisk,
): void {
  const refuse = (why: string) => new InputError(`tensor "${printableName(name)}" of ${file.name} ${why}`);
  if (!Object.hasOwn(DECODERS, dtype)) {
    throw refuse(`has type ${dtype}; valid types are ${Object.keys(DECODERS).join(', ')}`);
  }
  if (shape.length > 32) throw refuse(`has ${shape.length} axes; 32 is the limit`);
  const end = offset + spanOf(shape, strides);
  if (!(end <= length)) {
    throw refuse(
      `of shape [${shape.join(', ')}] needs ${end} numbers, and its storage holds ${length}; the file is damaged`,
    );
  }
  if (held) return;
  const endByte = position + length * ITEM_BYTES[dtype];
  if (!(endByte <= file.size)) throw refuse(`ends at byte ${endByte}, and the file has ${file.size}; it is truncated`);
}

function checkFinite(file: BinaryFile, {name}: TensorOnDisk, data: Float32Array): void {
  let first = -1;
  let count = 0;
  for (let i = 0; i < data.length; i += 1) {
    if (data[i] - data[i] !== 0) {
      count += 1;
      if (first < 0) first = i;
    }
  }
  if (count > 0) {
    throw new InputError(
      `tensor "${printableName(name)}" of ${file.name} holds ${data[first]} (${count} of ${data.length} values are NaN or beyond float32); such a network computes nothing, use another checkpoint`,
    );
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Items from the first to the last that a strided view touches. */
function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, length, axis) => span + (length - 1) * strides[axis], 1);
}

/** Strides of a row-major array of that shape. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis -= 1) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = rowMajorStrides(shape);
  return shape.includes(0) || shape.every((length, axis) => length === 1 || strides[axis] === expected[axis]);
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
