import {existsSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import type * as h5wasm from 'h5wasm';
import {InputError} from '../../common/errors';
import {readBytes, withBinaryFile} from '../../files/binaryFile';
import {foreignKind} from '../../files/foreignKind';
import type {StoredArray} from './weights';

/** An HDF5 file, open for reading by paths such as `model_weights/conv1`. */
export interface Hdf5File {
  /** What messages call it. */
  name: string;
  /** Names in a group, in alphabetical order; none where there is no such group. */
  keys(group: string): string[];
  /** An attribute; undefined where it or its group is absent. */
  attribute(group: string, name: string): unknown;
  /** An array; undefined where there is none of that path. */
  array(place: string): StoredArray | undefined;
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** A compressed array is at most so many times its file. */
const MOST_COMPRESSION = 1000;
/** Bytes read at once: the library's memory is 32-bit. */
const PIECE = 2 ** 26;

/**
 * Opens an HDF5 file for the time of `use`; arrays are read while it is open.
 * @param called what messages call it
 * @throws InputError where it is missing, something else, truncated or damaged
 */
export async function withHdf5<T>(file: string, use: (opened: Hdf5File) => T, called = file): Promise<T> {
  const size = await withBinaryFile(file, async (opened) => {
    const head = await readBytes(opened, 0, Math.min(opened.size, 512));
    if (!SIGNATURE.every((byte, at) => head[at] === byte)) {
      throw new InputError(`"${called}" is ${foreignKind(head)}, not an HDF5 file of Keras`);
    }
    return opened.size;
  });
  const library = await loadLibrary();
  let opened: h5wasm.File;
  try {
    opened = new library.File(path.resolve(file), 'r');
  } catch (error) {
    throw damaged(called, error);
  }
  try {
    return use(wrap(opened, called, size));
  } catch (error) {
    // The library has errors of its own for each kind of damage, and plain ones.
    throw error instanceof InputError ? error : damaged(called, error);
  } finally {
    try {
      opened.close();
    } catch {
      // Of a damaged file only; it is gone with the process.
    }
  }
}

function damaged(called: string, error: unknown): InputError {
  const reason = /truncated file[^\n]*/.exec(String((error as Error)?.message))?.[0];
  return new InputError(
    `"${called}" is a damaged or truncated HDF5 file${reason ? ` (${reason.slice(0, 100)})` : ''}; copy it again, or save the model again`,
  );
}

let library: Promise<typeof h5wasm> | undefined;

/** The library is an ECMAScript module, which `require` does not load; TypeScript would turn a plain `import()` into one. */
function loadLibrary(): Promise<typeof h5wasm> {
  library ??= (async () => {
    const folder = (require.resolve.paths('h5wasm') ?? [])
      .map((modules) => path.join(modules, 'h5wasm', 'dist', 'node', 'hdf5_hl.js'))
      .find(existsSync);
    if (!folder) throw new InputError('h5wasm is not installed, which reads HDF5 files; run npm install h5wasm');
    const load = new Function('url', 'return import(url)') as (url: string) => Promise<typeof h5wasm>;
    const loaded = await load(pathToFileURL(folder).href);
    // Errors are thrown, and not printed.
    (await loaded.ready).activate_throwing_error_handler();
    return loaded;
  })();
  return library;
}

function wrap(file: h5wasm.File, called: string, fileSize: number): Hdf5File {
  /** Null where there is nothing; the library throws for a missing group on the way, and gives null for a damaged one. */
  const at = (place: string) => {
    try {
      return place === '' ? file : file.get(place);
    } catch {
      return null;
    }
  };
  return {
    name: called,
    keys(group) {
      const found = at(group);
      return found && 'keys' in found ? found.keys() : [];
    },
    attribute(group, name) {
      const found = at(group);
      const attribute = found && 'attrs' in found ? found.attrs[name] : undefined;
      return attribute?.value;
    },
    array(place) {
      const found = at(place);
      if (!found || !('shape' in found) || !('slice' in found)) return undefined;
      const dataset = found as h5wasm.Dataset;
      const {shape, dtype} = dataset;
      if (shape === null) return undefined;
      const bytesOfOne = typeof dtype === 'string' ? ITEM_BYTES[dtype.slice(1)] : undefined;
      const count = shape.reduce((product, length) => product * length, 1);
      const most = fileSize * (dataset.filters.length > 0 ? MOST_COMPRESSION : 1);
      if (!Number.isSafeInteger(count) || count * (bytesOfOne ?? 1) > most) {
        throw new InputError(
          `"${called}" is damaged: "${place}" has shape [${shape.join(', ')}], more than the file of ${fileSize} bytes holds`,
        );
      }
      const data = () => {
        if (bytesOfOne === undefined) {
          throw new InputError(`"${place}" in "${called}" holds ${String(dtype).slice(0, 40)}, and numbers are needed`);
        }
        return readNumbers(dataset, shape, count, bytesOfOne, place, called);
      };
      return {name: place, shape: [...shape], data};
    },
  };
}

/** By the library's letters for types (those of Python's struct). */
const ITEM_BYTES: Readonly<Record<string, number>> = {e: 2, f: 4, d: 8, b: 1, B: 1, h: 2, H: 2, i: 4, I: 4};

function readNumbers(
  dataset: h5wasm.Dataset,
  shape: readonly number[],
  count: number,
  bytesOfOne: number,
  place: string,
  called: string,
): Float32Array {
  const values = new Float32Array(count);
  if (count === 0) return values;
  const [rows = 1, ...rest] = shape;
  const row = rest.reduce((product, length) => product * length, 1);
  const atOnce = Math.max(1, Math.floor(PIECE / (row * bytesOfOne)));
  let position = 0;
  for (let start = 0; start < rows; start += atOnce) {
    const end = Math.min(rows, start + atOnce);
    const whole = shape.length === 0 || atOnce >= rows;
    const part: unknown = whole
      ? dataset.value
      : dataset.slice([[start, end], ...rest.map((length): [number, number] => [0, length])]);
    const numbers = typeof part === 'number' ? [part] : (part as ArrayLike<number> | null);
    if (numbers === null || numbers.length !== (whole ? count : (end - start) * row)) {
      throw new InputError(
        `"${place}" in "${called}" could be read in part only; the file is damaged, or too large for this machine`,
      );
    }
    values.set(numbers, position);
    position += numbers.length;
    if (whole) break;
  }
  return values;
}
