import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {openPromise, type Entry} from 'yauzl';

/** SHA-256 of a file, hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * Where an entry of TensorFlow's wheel belongs below tfjs-node's `deps`, or undefined where it is not needed: the two
 * libraries, what they were linked against, and the headers of the C interface.
 */
export function engineFileFor(entry: string): string | undefined {
  const [top, ...rest] = entry.split('/');
  if (entry.endsWith('/') || rest.includes('..')) return undefined;
  // Libraries that a wheel brings along lie beside its package, where the libraries look for them by relative path.
  if (top?.endsWith('.libs') && rest.length === 1) return entry;
  if (top !== 'tensorflow') return undefined;
  const [file] = rest;
  if (rest.length === 1 && /^libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/.test(file!)) return `lib/${file}`;
  const header = rest.join('/').match(/^include\/((?:tensorflow|tsl)\/c\/.+|.+\/platform\/ctstring[^/]*)$/)?.[1];
  return header && `include/${header}`;
}

/**
 * Unpacks the entries of a zip archive for which `target` gives a path below `folder`.
 * @param onBytes called with the bytes written so far, and in all
 * @throws Error where a path would leave the folder, or the archive is damaged
 */
export async function unpack(
  archive: string,
  folder: string,
  target: (entry: string) => string | undefined,
  {signal, onBytes}: {signal: AbortSignal; onBytes: (written: number, total: number) => void},
): Promise<void> {
  const zip = await openPromise(archive, {lazyEntries: true, autoClose: false});
  try {
    const wanted: [Entry, string][] = [];
    for await (const entry of zip.eachEntry()) {
      const relative = target(entry.fileName);
      if (relative !== undefined) wanted.push([entry, insideOf(folder, relative)]);
    }
    const total = wanted.reduce((sum, [entry]) => sum + entry.uncompressedSize, 0);
    let written = 0;
    const count = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        onBytes((written += chunk.length), total);
        yield chunk;
      }
    };
    for (const [entry, file] of wanted) {
      signal.throwIfAborted();
      await mkdir(path.dirname(file), {recursive: true});
      await pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(file, {mode: 0o755}), {signal});
    }
  } finally {
    zip.close();
  }
}

function insideOf(folder: string, relative: string): string {
  const file = path.resolve(folder, relative);
  if (!file.startsWith(path.resolve(folder) + path.sep))
    throw new Error(`an archive entry leaves its folder: ${relative}`);
  return file;
}
