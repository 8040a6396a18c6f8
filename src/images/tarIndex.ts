import {Header, Pax} from 'tar';
import {InputError} from '../common/errors';
import {openRegularFile} from '../files/regularFile';

/**
 * Where the files of a tar archive lie, found by going from header to header: their contents are passed over, so that an archive of
 * terabytes takes as many short reads as it has files.
 */

/** A file in an archive. */
export interface TarEntry {
  /** Its path in the archive, without `./` before it. */
  path: string;
  /** First byte of its contents in the outermost file, and their number. */
  position: number;
  length: number;
}

const BLOCK = 512;
/** Where files are small, as many bytes are read at once: their headers lie close together. */
const AHEAD = 128 * 1024;
const SMALL_FILE = 16 * 1024;
/** Longest name in a header of its own. */
const MAX_NAME = 2 ** 20;
/** Contents that are read with the header: a label. */
const SMALL = 64 * 1024;

/**
 * The files of a tar archive, in its order.
 * @param nested an archive within the file: its first byte and its length
 * @param visit called with each file; `read` gives the contents of one of up to 64 kB
 * @throws InputError where it is no tar archive, or is cut off
 */
export async function scanTar(
  file: string,
  visit: (entry: TarEntry, read: () => Promise<Buffer>) => void | Promise<void>,
  nested?: {position: number; length: number},
): Promise<void> {
  const {handle, size} = await openRegularFile(file).catch((error: Error) => {
    throw new InputError(`cannot read the archive ${file}: ${error.message}`);
  });
  const bad = (what: string, advice = 'download it again') =>
    new InputError(`invalid tar archive ${file}: ${what}; ${advice}`);
  try {
    const end = nested ? nested.position + nested.length : size;
    const read = async (position: number, length: number): Promise<Buffer> => {
      const bytes = Buffer.alloc(length);
      const {bytesRead} = await handle.read(bytes, 0, length, position);
      if (bytesRead < length) throw bad('it is cut off');
      return bytes;
    };
    let ahead: {position: number; bytes: Buffer} = {position: 0, bytes: Buffer.alloc(0)};
    /** The header at a position, out of what was read with an earlier one where it is there. */
    const block = async (position: number, lengthBefore: number): Promise<Buffer> => {
      const from = position - ahead.position;
      if (from >= 0 && from + BLOCK <= ahead.bytes.length) return ahead.bytes.subarray(from, from + BLOCK);
      if (lengthBefore > SMALL_FILE) return read(position, BLOCK);
      ahead = {position, bytes: await read(position, Math.min(AHEAD, end - position))};
      return ahead.bytes.subarray(0, BLOCK);
    };
    let lengthBefore = Infinity;
    let at = nested?.position ?? 0;
    const packed = end - at >= 6 ? compressedAs(await read(at, 6)) : '';
    if (packed !== '') throw bad(`it is compressed (${packed})`, `unpack it with ${UNPACK[packed]} first`);
    let own: Pax | undefined;
    let all: Pax | undefined;
    let longName: string | undefined;
    let files = 0;
    while (at + BLOCK <= end) {
      const header = headerOf(await block(at, lengthBefore), own, all);
      if (header === 'end') break;
      if (!header) {
        if (at === (nested?.position ?? 0)) throw bad('it is none');
        throw bad(`no header where one is expected, at byte ${at}`);
      }
      const {type, size: length = 0, path = ''} = header;
      const position = at + BLOCK;
      if (!Number.isSafeInteger(length) || length < 0 || position + length > end) {
        throw bad(`"${path.slice(0, 200)}" of ${length} bytes goes beyond its end`);
      }
      if (type === 'ExtendedHeader' || type === 'GlobalExtendedHeader') {
        if (length > MAX_NAME) throw bad('the header of a name is too long');
        const pax = Pax.parse((await read(position, length)).toString('utf8'), type === 'ExtendedHeader' ? own : all);
        if (type === 'ExtendedHeader') own = pax;
        else all = pax;
      } else if (type === 'NextFileHasLongPath') {
        if (length > MAX_NAME) throw bad('the header of a name is too long');
        longName = (await read(position, length)).toString('utf8').replace(/\0.*$/s, '');
      } else {
        if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') {
          files++;
          const entry = {path: (longName ?? path).replace(/^(\.\/)+/, ''), position, length};
          await visit(entry, () => read(position, Math.min(length, SMALL)));
        }
        own = undefined;
        longName = undefined;
      }
      lengthBefore = length;
      at = position + Math.ceil(length / BLOCK) * BLOCK;
    }
    if (files === 0) throw bad('it holds no files');
  } finally {
    await handle.close();
  }
}

/** @returns 'end' for a block of zeros, undefined for what is no header */
function headerOf(block: Buffer, own: Pax | undefined, all: Pax | undefined): Header | 'end' | undefined {
  try {
    const header = new Header(block, 0, own, all);
    if (header.nullBlock) return 'end';
    return header.cksumValid ? header : undefined;
  } catch {
    return undefined;
  }
}

const UNPACK: Readonly<Record<string, string>> = {xz: 'unxz', bzip2: 'bunzip2', zstd: 'unzstd', gzip: 'gunzip'};

/** The program that packed what begins so. */
function compressedAs(start: Buffer): string {
  const signatures = {xz: 'fd377a585a00', bzip2: '425a68', zstd: '28b52ffd', gzip: '1f8b'};
  const hex = start.toString('hex');
  return Object.entries(signatures).find(([, signature]) => hex.startsWith(signature))?.[0] ?? '';
}
