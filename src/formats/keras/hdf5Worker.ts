import {parentPort, workerData} from 'node:worker_threads';
import type * as h5wasm from 'h5wasm';
import type {FromHdf5, Hdf5Job} from './hdf5Messages';

/**
 * A thread that reads all of an HDF5 file. The library is C: a damaged file can abort it for good, or keep it busy, and the thread with it
 * alone.
 */

/** A compressed array is at most so many times its file. */
const MOST_COMPRESSION = 1000;
const MOST_OBJECTS = 200_000;
const MOST_DEPTH = 40;
/** Bytes read at once: the library's memory is 32-bit. */
const PIECE = 2 ** 26;
/** By the library's letters for types (those of Python's struct). */
const ITEM_BYTES: Readonly<Record<string, number>> = {e: 2, f: 4, d: 8, b: 1, B: 1, h: 2, H: 2, i: 4, I: 4, q: 8, Q: 8};
/** What training leaves in the file. */
const NOT_READ = new Set(['optimizer_weights', 'optimizer']);

const {file, size, library} = workerData as Hdf5Job;

class Refused extends Error {}

function send(message: FromHdf5, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function sendGroup(group: h5wasm.Group, path: string): void {
  const attributes: Record<string, unknown> = {};
  for (const [name, attribute] of Object.entries(group.attrs)) {
    const {value} = attribute;
    const text = (item: unknown) => typeof item === 'string' || item instanceof Uint8Array;
    if (text(value) || (Array.isArray(value) && value.every(text))) attributes[name] = value;
  }
  send({kind: 'group', path, keys: group.keys(), attributes});
}

function sendArray(dataset: h5wasm.Dataset, path: string): void {
  const {shape, dtype} = dataset;
  const bytesOfOne = typeof dtype === 'string' ? ITEM_BYTES[dtype.slice(1)] : undefined;
  // Text and records beside the weights, e.g. of an optimiser.
  if (shape === null || bytesOfOne === undefined) return;
  const count = shape.reduce((product, length) => product * length, 1);
  const most = size * (dataset.filters.length > 0 ? MOST_COMPRESSION : 1);
  if (!Number.isSafeInteger(count) || count * bytesOfOne > most) {
    throw new Refused(`"${path}" has shape [${shape.join(', ')}], more than the file of ${size} bytes holds`);
  }
  const data = new Float32Array(count);
  const [rows = 1, ...rest] = shape;
  const row = rest.reduce((product, length) => product * length, 1);
  const atOnce = Math.max(1, Math.floor(PIECE / Math.max(row * bytesOfOne, 1)));
  for (let start = 0; start < rows && count > 0; start += atOnce) {
    const end = Math.min(rows, start + atOnce);
    const whole = shape.length === 0 || atOnce >= rows;
    const part: unknown = whole
      ? dataset.value
      : dataset.slice([[start, end], ...rest.map((length): [number, number] => [0, length])]);
    const numbers = numbersIn(part);
    if (numbers === null || numbers.length !== (whole ? count : (end - start) * row)) {
      throw new Refused(`"${path}" can be read in part only`);
    }
    data.set(numbers, start * row);
  }
  send({kind: 'array', path, shape: [...shape], data}, [data.buffer]);
}

/** A scalar comes as a number, and whole numbers of 64 bits as BigInt. */
function numbersIn(part: unknown): ArrayLike<number> | null {
  if (part instanceof BigInt64Array || part instanceof BigUint64Array) return Float32Array.from(part, Number);
  if (typeof part === 'number' || typeof part === 'bigint') return [Number(part)];
  return part as ArrayLike<number> | null;
}

function walk(root: h5wasm.Group): void {
  const queue: {group: h5wasm.Group; path: string; depth: number}[] = [{group: root, path: '', depth: 0}];
  let objects = 0;
  for (let next = queue.shift(); next; next = queue.shift()) {
    const {group, path, depth} = next;
    sendGroup(group, path);
    for (const name of group.keys()) {
      if (depth === 0 && NOT_READ.has(name)) continue;
      // A link to a group above would go on for ever.
      if (++objects > MOST_OBJECTS || depth > MOST_DEPTH) throw new Refused('its groups are too many, or go round');
      const inside = path === '' ? name : `${path}/${name}`;
      const found = group.get(name);
      if (found === null) throw new Refused(`"${inside}" cannot be read`);
      if ('keys' in found) queue.push({group: found, path: inside, depth: depth + 1});
      else if ('slice' in found) sendArray(found as h5wasm.Dataset, inside);
    }
  }
}

async function read(): Promise<void> {
  // `require` does not load an ECMAScript module, and TypeScript would turn a plain `import()` into it.
  const load = new Function('url', 'return import(url)') as (url: string) => Promise<typeof h5wasm>;
  const module = await load(library);
  // Errors are thrown, and not printed.
  (await module.ready).activate_throwing_error_handler();
  walk(new module.File(file, 'r'));
  send({kind: 'done'});
}

read().catch((error: unknown) => {
  const message = String((error as Error)?.message);
  if (error instanceof Refused) send({kind: 'refused', why: message});
  else send({kind: 'damaged', reason: /truncated file[^\n]*/.exec(message)?.[0].slice(0, 100) ?? ''});
});
