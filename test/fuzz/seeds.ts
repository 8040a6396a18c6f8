/** Sound files to damage. */
import {createHash} from 'node:crypto';
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {Seed} from './types';

const data = (...parts: string[]) => path.join(__dirname, '..', ...parts);

/** Each buffer as a file of this name. */
export const each = (name: string, buffers: readonly Buffer[], more: Partial<Seed> = {}): Seed[] =>
  buffers.map((bytes) => ({bytes, files: (damaged) => ({[name]: damaged}), ...more}));

export const texts = (name: string, ...contents: string[]): Seed[] =>
  each(
    name,
    contents.map((content) => Buffer.from(content)),
  );

export const checkpoints = (...names: string[]): Buffer[] =>
  names.map((name) => readFileSync(data('data/checkpoints', name)));

export const goldens = (kind: 'onnx' | 'keras', ...names: string[]): Buffer[] =>
  names.map((name) => readFileSync(data('formats/golden', kind, name)));

export const images = (...names: string[]): Buffer[] => names.map((name) => readFileSync(data('images/golden', name)));

export type Files = Record<string, Buffer>;

/** The files of a folder, which `make` writes. */
export async function madeFiles(make: (folder: string) => Promise<unknown>): Promise<Files> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-made-'));
  try {
    await make(folder);
    return filesOf(folder);
  } finally {
    rmSync(folder, {recursive: true});
  }
}

export function filesOf(folder: string): Files {
  const names = (readdirSync(folder, {recursive: true}) as string[]).filter((name) => statSync(path.join(folder, name)).isFile()); // prettier-ignore
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** A folder as one seed for each of its files that `which` names. */
export function inFolder(
  files: Files,
  which: RegExp,
  {checked, seal = (all) => all}: {checked?: boolean; seal?: (all: Files, damaged: string) => Files} = {},
): Seed[] {
  return Object.keys(files)
    .filter((name) => which.test(name))
    .map((name) => ({bytes: files[name], files: (bytes) => seal({...files, [name]: bytes}, name), checked}));
}

export const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

/** Of every number that was read. */
export function fingerprint(weights: Iterable<readonly [string, {shape?: readonly number[]; data: ArrayBufferView}]>) {
  const hash = createHash('sha256');
  for (const [name, {shape, data: values}] of [...weights].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${String(shape)} `);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/** A file of zeros. */
export function safetensorsOf(arrays: Record<string, {dtype: 'F32' | 'I32' | 'U8'; shape: number[]}>): Buffer {
  let end = 0;
  const header = Object.entries(arrays).map(([name, {dtype, shape}]) => {
    const start = end;
    end += shape.reduce((product, length) => product * length, dtype === 'U8' ? 1 : 4);
    return [name, {dtype, shape, data_offsets: [start, end]}] as const;
  });
  const json = Buffer.from(JSON.stringify({__metadata__: {note: 'made'}, ...Object.fromEntries(header)}));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(end)]);
}
