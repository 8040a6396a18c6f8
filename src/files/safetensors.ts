/**
 * The safetensors file format: an 8-byte little-endian header length, a JSON header that names each array's type, shape and
 * byte range, then the arrays' bytes, little-endian, without gaps. Format: huggingface/safetensors, README ("Format").
 */
import {InputError} from '../common/errors';
import {isRecord} from '../common/isRecord';
import {parseJson} from '../common/json';
import {writeDurably} from './transaction';
import {HOST_ORDER, ITEM_BYTES, readBytes, toHostOrder, withBinaryFile, type BinaryFile} from './binaryFile';

/** A named array as it lies on disk: type, shape (row-major; `[]` is a scalar) and values. */
export type SafetensorsArray =
  | {dtype: 'float32'; shape: number[]; data: Float32Array}
  | {dtype: 'float64'; shape: number[]; data: Float64Array}
  | {dtype: 'int32'; shape: number[]; data: Int32Array}
  | {dtype: 'int64'; shape: number[]; data: BigInt64Array}
  | {dtype: 'uint8'; shape: number[]; data: Uint8Array};

/** What a file of arrays holds. */
export interface SafetensorsFile {
  arrays: Map<string, SafetensorsArray>;
  metadata: Record<string, string>;
}

/** Where an array lies in a file; `dtype` is the format's own name, e.g. `F32`, `BF16`. */
export interface SafetensorsEntry {
  name: string;
  dtype: string;
  shape: number[];
  /** Byte position in the file, and length. */
  position: number;
  byteLength: number;
}

const MAX_HEADER = 16 * 2 ** 20;

/**
 * Reads all arrays of a `.safetensors` file. Shapes, byte ranges and the header are checked against the file's size before
 * memory is taken.
 * @throws InputError where the file is missing, truncated, foreign or inconsistent, or holds a type other than the five
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return withBinaryFile(path, readOpenSafetensors);
}

/** The same of a file that is open; where its content has been read, arrays that are aligned in it are views of it. */
export async function readOpenSafetensors(file: BinaryFile): Promise<SafetensorsFile> {
  const {entries, metadata} = await readSafetensorsHeader(file);
  for (const {name, dtype} of entries) {
    if (!Object.hasOwn(READERS, dtype)) {
      throw new InputError(
        `array "${name}" of ${file.name} has type ${dtype}; valid types are ${Object.keys(READERS).join(', ')}`,
      );
    }
  }
  const arrays = new Map<string, SafetensorsArray>();
  for (const {name, dtype, shape, position, byteLength} of entries) {
    const read = await readBytes(file, position, byteLength);
    const aligned = read.byteOffset % ITEM_BYTES[dtype] === 0 ? read : read.slice();
    const {buffer, byteOffset} = toHostOrder(aligned, ITEM_BYTES[dtype], 'little');
    arrays.set(name, READERS[dtype](shape, buffer as ArrayBuffer, byteOffset, byteLength / ITEM_BYTES[dtype]));
  }
  return {arrays, metadata};
}

type Reader = (shape: number[], buffer: ArrayBuffer, offset: number, length: number) => SafetensorsArray;

const READERS: Readonly<Record<string, Reader>> = {
  F32: (shape, ...at) => ({dtype: 'float32', shape, data: new Float32Array(...at)}),
  F64: (shape, ...at) => ({dtype: 'float64', shape, data: new Float64Array(...at)}),
  I32: (shape, ...at) => ({dtype: 'int32', shape, data: new Int32Array(...at)}),
  I64: (shape, ...at) => ({dtype: 'int64', shape, data: new BigInt64Array(...at)}),
  U8: (shape, ...at) => ({dtype: 'uint8', shape, data: new Uint8Array(...at)}),
};

/** Named arrays to write. */
export type SafetensorsArrays = Readonly<Record<string, {shape: readonly number[]; data: SafetensorsArray['data']}>>;

/**
 * Writes arrays to a `.safetensors` file: first to a temporary file beside it, which then takes its name, so that a reader
 * sees the old file or the new one and an interrupted write leaves the old one.
 * @throws InputError where a shape does not fit its values, or the file cannot be written (folder missing, disk full)
 */
export async function writeSafetensors(
  path: string,
  arrays: SafetensorsArrays,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeDurably(path, safetensorsPieces(path, arrays, metadata));
}

/**
 * The bytes of a `.safetensors` file, in pieces; where the host's order allows, they are views of the arrays.
 * @param path what messages call the file
 * @throws InputError where a shape does not fit its values
 */
export function safetensorsPieces(
  path: string,
  arrays: SafetensorsArrays,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const named = Object.entries(arrays).map(([name, {shape, data}]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    if (name === '__metadata__') throw new InputError('an array cannot be named "__metadata__"; choose another name');
    if (!shape.every(isCount) || size !== data.length) {
      throw new InputError(
        `array "${name}" has shape [${shape.join(', ')}] and ${data.length} values; they must agree`,
      );
    }
    return {name, shape, data, dtype: dtypeOf(data)};
  });
  named.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT); // wide types first keeps all of them aligned
  let end = 0;
  const header = Object.fromEntries([
    ...(Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []),
    ...named.map(({name, shape, data, dtype}) => {
      const start = end;
      end += data.byteLength;
      return [name, {dtype, shape, data_offsets: [start, end]}] as const;
    }),
  ]);
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER)
    throw new InputError(`the header of ${path} would have ${length} bytes; ${MAX_HEADER} is the limit`);
  const head = Buffer.alloc(8 + length, ' ');
  head.writeBigUInt64LE(BigInt(length));
  json.copy(head, 8);
  return [head, ...named.map(({data}) => littleEndianBytes(data))];
}

function dtypeOf(data: SafetensorsArray['data']): string {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof BigInt64Array) return 'I64';
  return 'U8';
}

function littleEndianBytes(data: SafetensorsArray['data']): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return HOST_ORDER === 'little' ? bytes : toHostOrder(bytes.slice(), data.BYTES_PER_ELEMENT, 'little');
}

/**
 * The header of an open file, every entry checked: known type, shape that fits its byte range, ranges that follow each other
 * without gap or overlap and end where the file ends.
 */
export async function readSafetensorsHeader(
  file: BinaryFile,
): Promise<{entries: SafetensorsEntry[]; metadata: Record<string, string>}> {
  const refuse = (why: string) => new InputError(`${file.name} is not a valid .safetensors file: ${why}`);
  if (file.size < 8) throw refuse(`it has ${file.size} bytes`);
  const prefix = await readBytes(file, 0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > file.size - 8)
    throw refuse(
      `its header would have ${length} bytes, and the file has ${file.size}; it may be truncated or of another format`,
    );
  if (length > MAX_HEADER) throw refuse(`its header has ${length} bytes, and ${MAX_HEADER} is the limit`);
  const header = parseHeader(await readBytes(file, 8, length));
  if (!header) throw refuse('its header is not a JSON object');

  let metadata: Record<string, string> = {};
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string')) {
        throw refuse('its __metadata__ must map names to strings');
      }
      metadata = value as Record<string, string>;
      continue;
    }
    const {dtype, shape, data_offsets: offsets} = isRecord(value) ? value : {};
    if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
      throw refuse(`"${name}" needs a dtype, a shape and two data_offsets`);
    }
    if (!Object.hasOwn(ITEM_BYTES, dtype)) throw refuse(`"${name}" has the unknown type ${dtype}`);
    const bytes = shape.reduce((product, count) => product * count, ITEM_BYTES[dtype]);
    const [start, end] = offsets;
    if (bytes !== end - start) {
      throw refuse(
        `"${name}" of shape [${shape.join(', ')}] and type ${dtype} needs ${bytes} bytes, and its offsets ${start} to ${end} hold ${end - start}`,
      );
    }
    if (8 + length + end > file.size) {
      throw refuse(`"${name}" ends at byte ${8 + length + end}, and the file has ${file.size}; it may be truncated`);
    }
    entries.push({name, dtype, shape, position: 8 + length + start, byteLength: bytes});
  }

  let expected = 8 + length;
  for (const {name, position, byteLength} of [...entries].sort(
    (a, b) => a.position - b.position || a.byteLength - b.byteLength,
  )) {
    if (position !== expected)
      throw refuse(
        `"${name}" starts at byte ${position} instead of ${expected}: arrays must follow each other without gap or overlap`,
      );
    expected += byteLength;
  }
  if (expected !== file.size) throw refuse(`its arrays end at byte ${expected}, and the file has ${file.size}`);
  return {entries, metadata};
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = parseJson(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}
