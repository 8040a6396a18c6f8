import {closeSync, constants, fstatSync, openSync, readSync} from 'node:fs';
import {open, type FileHandle} from 'node:fs/promises';
import {standInKind} from './foreignKind';

/**
 * Reading what a path of unknown origin names: a device or a pipe would give bytes for ever, or none. Such a path is opened without
 * waiting and looked at before anything is read.
 */

/** What is said here of a file, by its own words; errors of the file system stay theirs. */
export class FileRefusal extends Error {}

/** Bytes of one call to the system, which takes at most 2 GiB. */
const PIECE = 2 ** 30;

// Opening a pipe without a writer would wait for one.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens a regular file for reading. @throws Error that says what else it is */
export async function openRegularFile(path: string): Promise<{handle: FileHandle; size: number; mtimeMs: number}> {
  const handle = await open(path, FLAGS);
  try {
    const stats = await handle.stat();
    refuseOthers(stats);
    return {handle, size: stats.size, mtimeMs: stats.mtimeMs};
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The bytes of a regular file, or `length` of them from `position` on.
 * @throws Error where it is no regular file, or has more than `maxBytes`
 */
export async function readRegularFile(
  path: string,
  maxBytes: number,
  range?: {position: number; length: number},
): Promise<Buffer> {
  const {handle, size} = await openRegularFile(path);
  try {
    const {position, length} = range ?? {position: 0, length: size};
    refuseLarge(length, maxBytes);
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const {bytesRead} = await handle.read(bytes, done, Math.min(PIECE, length - done), position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    if (range && done < length) throw new FileRefusal('the file ends before the part that is wanted');
    return bytes.subarray(0, done);
  } finally {
    await handle.close();
  }
}

/** The same at once. */
export function readRegularFileSync(path: string, maxBytes: number): Buffer {
  const handle = openSync(path, FLAGS);
  try {
    const stats = fstatSync(handle);
    refuseOthers(stats);
    refuseLarge(stats.size, maxBytes);
    const bytes = Buffer.allocUnsafe(stats.size);
    let done = 0;
    while (done < stats.size) {
      const read = readSync(handle, bytes, done, Math.min(PIECE, stats.size - done), done);
      if (read === 0) break;
      done += read;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(handle);
  }
}

/**
 * The text of a regular file: UTF-8, or UTF-16 where its byte order mark (or, of text in Latin letters, its zeros) says so; without the mark.
 * @throws Error where it is no regular file, has more than `maxBytes` or is no text
 */
export function readTextFile(path: string, maxBytes: number): string {
  const bytes = readRegularFileSync(path, maxBytes);
  const standIn = standInKind(bytes);
  if (standIn !== undefined) throw new FileRefusal(`it is ${standIn}`);
  return decodeText(bytes);
}

/** @throws Error where the bytes are no text in UTF-8 or UTF-16 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    // A TextDecoder takes the byte order mark away.
    return new TextDecoder(encoding, {fatal: true}).decode(bytes);
  } catch {
    throw new FileRefusal(`it is no text in ${encoding.toUpperCase()}; save it as UTF-8`);
  }
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (bytes.length >= 2 && bytes.length % 2 === 0) {
    if (first !== 0 && second === 0) return 'utf-16le';
    if (first === 0 && second !== 0) return 'utf-16be';
  }
  return 'utf-8';
}

function refuseOthers(stats: {isFile(): boolean; isDirectory(): boolean}): void {
  if (stats.isDirectory()) throw new FileRefusal('it is a folder');
  if (!stats.isFile()) throw new FileRefusal('it is no regular file but a device, a pipe or a socket');
}

function refuseLarge(size: number, maxBytes: number): void {
  if (size > maxBytes) throw new FileRefusal(`the file has ${size} bytes, more than the limit of ${maxBytes}`);
}
