import {createHash} from 'node:crypto';
import {stat} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../../common/errors';
import {isRecord} from '../../common/isRecord';
import {toHostOrder} from '../../files/binaryFile';
import {standInKind} from '../../files/foreignKind';
import {readRegularFile} from '../../files/regularFile';
import {shown} from '../keras/topology';
import type {StoredArray} from '../keras/weights';

/** tfjs's weight manifest: which arrays lie in which files, and how they are stored. */
export interface WeightEntry {
  name: string;
  shape: number[];
  /** What is stored. */
  dtype: string;
  /** stored · scale + min */
  scale?: number;
  min?: number;
}

const BYTES: Readonly<Record<string, number>> = {float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1};
const MAX_BYTES = 2 ** 40;

interface WeightGroup {
  paths: string[];
  weights: WeightEntry[];
}

/** @throws InputError for a manifest that is no list of groups of files and arrays */
export function readManifest(json: unknown, file: string): WeightGroup[] {
  const damaged = (what: string) => new InputError(`"${file}" is damaged: ${what}; export the model again`);
  if (!Array.isArray(json)) throw damaged(`weightsManifest is ${shown(json)}`);
  return json.map((group: unknown) => {
    if (!isRecord(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      throw damaged(`weightsManifest holds ${shown(group)}, and needs paths and weights`);
    }
    if (!group.paths.every((name) => typeof name === 'string')) throw damaged(`paths is ${shown(group.paths)}`);
    return {paths: group.paths as string[], weights: group.weights.map((entry) => readEntry(entry, damaged))};
  });
}

function readEntry(json: unknown, damaged: (what: string) => InputError): WeightEntry {
  if (!isRecord(json) || typeof json.name !== 'string') throw damaged(`weightsManifest describes ${shown(json)}`);
  const {name, shape} = json;
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw damaged(`weight ${shown(name)} has shape ${shown(shape)}`);
  }
  const quantization = json.quantization;
  if (quantization !== undefined && quantization !== null && !isRecord(quantization)) {
    throw damaged(`weight ${shown(name)} has quantization ${shown(quantization)}`);
  }
  const dtype = (isRecord(quantization) ? quantization.dtype : undefined) ?? json.dtype;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) {
    throw damaged(`weight ${shown(name)} has dtype ${shown(dtype)}`);
  }
  const entry: WeightEntry = {name, shape: shape as number[], dtype};
  if (!isRecord(quantization) || dtype === 'float16') return entry;
  const {scale, min} = quantization;
  if (!Number.isFinite(scale) || !Number.isFinite(min)) {
    throw damaged(`weight ${shown(name)} has scale ${shown(scale)} and min ${shown(min)}`);
  }
  return {...entry, scale: scale as number, min: min as number};
}

const countOf = ({shape}: WeightEntry) => shape.reduce((product, size) => product * size, 1);

/**
 * The arrays of a manifest's groups, as float32.
 * @param file the manifest, whose folder holds the weight files
 * @param checksum SHA-256 of all weight files, where it was recorded
 * @throws InputError for files that are missing, of another size, outside the folder, or stand-ins for the real ones
 */
export async function readWeightFiles(
  groups: readonly WeightGroup[],
  file: string,
  checksum?: string,
): Promise<StoredArray[]> {
  const folder = path.resolve(path.dirname(file));
  const arrays: StoredArray[] = [];
  const found = checksum === undefined ? undefined : createHash('sha256');
  for (const group of groups) {
    const bytes = await readGroup(group, folder, file);
    let position = 0;
    for (const entry of group.weights) {
      const length = countOf(entry) * BYTES[entry.dtype];
      const part = bytes.subarray(position, position + length);
      found?.update(part); // Array by array: Node takes no 2 GiB at once.
      arrays.push({name: entry.name, shape: entry.shape, data: () => decode(entry, part)});
      position += length;
    }
  }
  if (found && found.digest('hex') !== checksum) {
    throw new InputError(
      `the weights of "${file}" are not those that were saved (their checksum differs); save the model again, or copy it again`,
    );
  }
  return arrays;
}

async function readGroup(group: WeightGroup, folder: string, file: string): Promise<Uint8Array> {
  const expected = group.weights.reduce((sum, entry) => sum + countOf(entry) * BYTES[entry.dtype], 0);
  if (!Number.isSafeInteger(expected) || expected > MAX_BYTES) {
    throw new InputError(`"${file}" describes ${expected} bytes of weights; the model is damaged, export it again`);
  }
  const parts: {name: string; path: string; size: number}[] = [];
  for (const name of group.paths) {
    const inside = insideFolder(folder, name, file);
    const info = await stat(inside).catch(() => undefined);
    if (!info?.isFile()) {
      throw new InputError(
        `weight file "${path.basename(inside)}" named by "${file}" is missing; copy it beside model.json`,
      );
    }
    parts.push({name, path: inside, size: info.size});
  }
  const found = parts.reduce((sum, {size}) => sum + size, 0);
  for (const part of found === expected ? [] : parts) {
    const length = Math.min(part.size, 512);
    const kind = standInKind(await readRegularFile(part.path, Infinity, {position: 0, length}));
    if (kind) throw new InputError(`weight file "${part.name}" of "${file}" is ${kind}, not the weights`);
  }
  if (found !== expected) {
    throw new InputError(
      `the weight files ${group.paths.slice(0, 3).join(', ')} hold ${found} bytes, but "${file}" describes ${expected}; the model is truncated or from another version`,
    );
  }
  // One buffer, so that aligned arrays are views of it.
  const bytes = new Uint8Array(expected);
  let position = 0;
  for (const part of parts) {
    bytes.set(await readRegularFile(part.path, part.size), position);
    position += part.size;
  }
  return bytes;
}

/** @throws InputError for a path that leaves the folder */
export function insideFolder(folder: string, name: string, manifest: string): string {
  const file = path.resolve(folder, name);
  if (!file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)) {
    throw new InputError(`"${manifest}" names a weight file outside its folder: "${name}"; such a model is refused`);
  }
  return file;
}

function decode({dtype, scale, min}: WeightEntry, bytes: Uint8Array): Float32Array {
  const size = BYTES[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  toHostOrder(aligned, size, 'little');
  const {buffer, byteOffset} = aligned;
  const count = bytes.byteLength / size;
  if (dtype === 'float32') return new Float32Array(buffer, byteOffset, count);
  if (dtype === 'float16') return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToNumber);
  const whole =
    dtype === 'int32'
      ? new Int32Array(buffer, byteOffset, count)
      : dtype === 'uint16'
        ? new Uint16Array(buffer, byteOffset, count)
        : aligned;
  const [factor, least] = [scale ?? 1, min ?? 0];
  // As tfjs does it, in double precision, then rounded.
  return Float32Array.from(whole, (value) => value * factor + least);
}

/** IEEE 754 half precision. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
