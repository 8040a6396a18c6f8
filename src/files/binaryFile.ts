import {endianness} from 'node:os';
import type {FileHandle} from 'node:fs/promises';
import {InputError} from '../common/errors';
import {FileRefusal, openRegularFile} from './regularFile';

/** A file open for reading by position; `name` is what error messages call it. */
export interface BinaryFile {
  name: string;
  size: number;
  handle: FileHandle;
  /** All of it, where it has been read. */
  content?: Uint8Array;
}

/** Bytes of one number, by safetensors' names of the types. */
// prettier-ignore
export const ITEM_BYTES: Readonly<Record<string, number>> = {
  C128: 16,
  F64: 8, I64: 8, U64: 8, C64: 8,
  F32: 4, I32: 4, U32: 4,
  F16: 2, BF16: 2, I16: 2, U16: 2,
  I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1, F8_E5M2: 1,
};

/** Node refuses longer single reads and writes (2 GiB); smaller pieces also keep one call's latency low. */
const PIECE = 64 * 2 ** 20;

/**
 * Opens `path`, hands it to `use` and closes it.
 * @throws InputError where there is no such file, or it cannot be read
 */
export async function withBinaryFile<T>(path: string, use: (file: BinaryFile) => Promise<T>): Promise<T> {
  const opened = await openRegularFile(path).catch((error: Error) => {
    throw new InputError(`cannot read ${path}: ${error instanceof FileRefusal ? error.message : reasonOf(error)}`);
  });
  try {
    return await use({name: path, size: opened.size, handle: opened.handle});
  } finally {
    await opened.handle.close();
  }
}

/**
 * The `length` bytes from `position` on: a view of the content where that has been read, else in a buffer of their own.
 * @throws InputError where the file ends before; nothing is allocated then
 */
export async function readBytes(file: BinaryFile, position: number, length: number): Promise<Uint8Array> {
  if (!(position >= 0 && length >= 0 && position + length <= file.size)) {
    throw new InputError(
      `${file.name} is truncated: bytes ${position} to ${position + length} are wanted, and it has ${file.size}`,
    );
  }
  if (file.content) return file.content.subarray(position, position + length);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const {bytesRead} = await file.handle.read(bytes, done, Math.min(PIECE, length - done), position + done);
    if (bytesRead === 0) throw new InputError(`${file.name} became shorter while it was read`);
    done += bytesRead;
  }
  return bytes;
}

/** Writes all bytes at the handle's current position. */
export async function writeBytes(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const {bytesWritten} = await handle.write(bytes, done, Math.min(PIECE, bytes.length - done));
    done += bytesWritten;
  }
}

export const HOST_ORDER = endianness() === 'LE' ? 'little' : 'big';

/** Turns `bytes` from the given byte order into this machine's, or back, in place. */
export function toHostOrder(bytes: Uint8Array, itemSize: number, order: 'little' | 'big'): Uint8Array {
  if (itemSize === 1 || order === HOST_ORDER) return bytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (itemSize === 2) buffer.swap16();
  else if (itemSize === 4) buffer.swap32();
  else buffer.swap64();
  return bytes;
}

/** Why a system call failed, in plain words where they are known. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const known: Record<string, string> = {
    ENOENT: 'there is no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    EEXIST: 'a file of that name is there',
    ENOTDIR: 'a part of its path is not a folder',
    ENOSPC: 'the disk is full',
    EROFS: 'the disk is read-only',
    EDQUOT: 'the disk quota is used up',
  };
  return (code && known[code]) ?? (error instanceof Error ? error.message : String(error));
}
