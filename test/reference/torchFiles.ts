/** Files as torch.save writes them, put together by hand, so that tests can make ones that it would never write. */
import {deflateRawSync} from 'node:zlib';
import {buf} from 'crc-32';

type Files = Record<string, Buffer | string> | readonly (readonly [string, Buffer | string])[];

/** A zip archive of these files, stored as they are, or deflated; with their checksums, or with none. */
export function zipOf(files: Files, {deflate = false, checksums = true} = {}): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let position = 0;
  for (const [name, given] of Array.isArray(files) ? (files as [string, Buffer][]) : Object.entries(files)) {
    const content = Buffer.from(given);
    const stored = deflate ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version
    common.writeUInt16LE(0x800, 2); // names are UTF-8
    common.writeUInt16LE(deflate ? 8 : 0, 4);
    if (checksums) common.writeInt32LE(buf(content), 10);
    common.writeUInt32LE(stored.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(position, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), stored]);
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, Buffer.from(name));
    parts.push(local);
    position += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(position, 16);
  return Buffer.concat([...parts, directory, end]);
}

/** Instructions that leave one value on a pickle machine's stack. */
export type Pickled = Buffer;

export const text = (value: string): Pickled => Buffer.concat([sized('X', value.length), Buffer.from(value, 'latin1')]);
export const list = (...items: Pickled[]): Pickled => Buffer.concat([Buffer.from(']('), ...items, Buffer.from('e')]);
export const tuple = (...items: Pickled[]): Pickled => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
export const dict = (items: Record<string, Pickled>): Pickled =>
  Buffer.concat([
    Buffer.from('}('),
    ...Object.entries(items).flatMap(([key, value]) => [text(key), value]),
    Buffer.from('u'),
  ]);
export const named = (module: string, name: string): Pickled => Buffer.from(`c${module}\n${name}\n`);
export const called = (callee: Pickled, ...args: Pickled[]): Pickled =>
  Buffer.concat([callee, tuple(...args), Buffer.from('R')]);

export function integer(value: number | bigint): Pickled {
  const bytes = Buffer.alloc(18);
  bytes.write('\x8a\x10', 'latin1'); // LONG1, 16 bytes
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), 2);
  bytes.writeBigInt64LE(BigInt(value) >> 64n, 10);
  return bytes;
}

export interface TensorSpec {
  key?: string;
  type?: string;
  length: number;
  offset?: number;
  shape: number[];
  strides: number[];
}

/** A tensor that views `length` numbers of the storage `key`; `stream` adds the older stream's sixth part of a storage. */
export function tensor(
  {key = '0', type = 'FloatStorage', length, offset = 0, shape, strides}: TensorSpec,
  stream = false,
): Pickled {
  const parts = [text('storage'), named('torch', type), text(key), text('cpu'), integer(length)];
  const storage = Buffer.concat([tuple(...parts, ...(stream ? [Buffer.from('N')] : [])), Buffer.from('Q')]);
  const hooks = called(named('collections', 'OrderedDict'));
  const numbers = (values: number[]) => tuple(...values.map(integer));
  return called(
    named('torch._utils', '_rebuild_tensor_v2'),
    storage,
    integer(offset),
    numbers(shape),
    numbers(strides),
    Buffer.from('\x89', 'latin1'),
    hooks,
  );
}

/** A whole pickle. */
export const pickle = (value: Pickled): Buffer => Buffer.concat([Buffer.from([0x80, 2]), value, Buffer.from('.')]);

/** A zip checkpoint of this object; `storages` are the files `data/KEY`. */
export function zipCheckpoint(
  value: Pickled,
  storages: Record<string, Buffer> = {},
  more: Record<string, string> = {},
): Buffer {
  const data = Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes] as const);
  return zipOf({'archive/data.pkl': pickle(value), ...Object.fromEntries(data), ...more});
}

/** A checkpoint in the older stream: each storage as its count of numbers and bytes. */
export function streamCheckpoint(
  value: Pickled,
  storages: Record<string, {count: number | bigint; bytes: Buffer}>,
): Buffer {
  const head = [integer(0x1950a86a20f9469cfc6cn), integer(1001), dict({}), value];
  const keys = list(...Object.keys(storages).map(text));
  const data = Object.values(storages).flatMap(({count, bytes}) => {
    const length = Buffer.alloc(8);
    length.writeBigInt64LE(BigInt(count));
    return [length, bytes];
  });
  return Buffer.concat([...[...head, keys].map(pickle), ...data]);
}

export const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

function sized(opcode: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(opcode);
  bytes.writeUInt32LE(length, 1);
  return bytes;
}
