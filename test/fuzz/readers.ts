/** What is fuzzed: a reader, and sound files of its format to damage. Readers run in a process of their own (child.ts). */
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {withBinaryFile} from '../../src/files/binaryFile';
import {readSafetensors} from '../../src/files/safetensors';
import {readZipDirectory} from '../../src/files/zipArchive';
import {readCheckpoint} from '../../src/formats/torch';
import {readLabelFile} from '../../src/images/labelFile';
import {resolvePreset} from '../../src/images/presets';

export interface FuzzedReader {
  name: string;
  /** Sound files; a small one finds more. */
  seeds(): Buffer[];
  /** Name of the file that is read, where the ending matters. */
  fileName: string;
  /**
   * Reads a file; InputError is the only exception that may come.
   * @returns what was read, where a checksum in the format makes every other content impossible
   */
  read(file: string): Promise<string | undefined>;
}

const checkpoints = path.join(__dirname, '../data/checkpoints');
const goldens = (...names: string[]) => names.map((name) => readFileSync(path.join(checkpoints, name)));

/** Of every number that was read. */
function fingerprint(weights: ReadonlyMap<string, {shape: readonly number[]; data: ArrayBufferView}>): string {
  const hash = createHash('sha256');
  for (const [name, {shape, data}] of [...weights].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${String(shape)} `);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** A file of zeros. */
function safetensorsOf(arrays: Record<string, {dtype: 'F32' | 'I32' | 'U8'; shape: number[]}>): Buffer {
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

const nothing = async (work: Promise<unknown>): Promise<undefined> => {
  await work;
  return undefined;
};

/** To add a reader: its name, some sound files, and the call that reads one. */
export const READERS: readonly FuzzedReader[] = [
  {
    name: 'zip',
    fileName: 'x.zip',
    seeds: () => goldens('tensors.pth', 'zip64.pth'),
    read: (file) =>
      nothing(
        withBinaryFile(file, async (opened) => {
          const zip = await readZipDirectory(opened);
          for (const name of zip.names) await zip.locate(name);
        }),
      ),
  },
  {
    name: 'torch zip',
    fileName: 'x.pth',
    seeds: () => goldens('tensors.pth', 'training.pth', 'tensors-protocol4.pth', 'parameters.pth'),
    read: async (file) => fingerprint(await readCheckpoint(file)),
  },
  {
    name: 'torch stream',
    fileName: 'x.th',
    seeds: () => goldens('tensors-stream.pth', 'training-stream.th'),
    read: (file) => nothing(readCheckpoint(file)),
  },
  {
    name: 'safetensors',
    fileName: 'x.safetensors',
    seeds: () => goldens('tensors.safetensors'),
    read: (file) => nothing(readCheckpoint(file)),
  },
  {
    name: 'arrays',
    fileName: 'x.safetensors',
    seeds: () => [
      safetensorsOf({a: {dtype: 'F32', shape: [2, 3]}, b: {dtype: 'I32', shape: [4]}, c: {dtype: 'U8', shape: []}}),
    ],
    read: (file) => nothing(readSafetensors(file)),
  },
  {
    name: 'preset',
    fileName: 'x.json',
    seeds: () => [
      Buffer.from(
        JSON.stringify({name: 'own', shorterSide: 256, cropSide: 224, mean: [0.5, 0.4, 0.3], std: [1, 0.2, 1]}),
      ),
    ],
    read: async (file) => nothing(Promise.resolve(resolvePreset(file))),
  },
  {
    name: 'labels',
    fileName: 'labels.csv',
    seeds: () => [
      Buffer.from('file,label\na/one.png,0\n"b, two.png",1\n'),
      Buffer.from('{"a/one.png": 0, "two.png": 3}'),
      Buffer.from('val/one.JPEG 12\nval/two.JPEG 7\n'),
    ],
    read: async (file) => nothing(Promise.resolve(readLabelFile(file))),
  },
];

/** Readers that fail on purpose, by which the harness itself is tested. */
export const BROKEN: Readonly<Record<string, () => void>> = {
  '(throws)': () => {
    throw new TypeError('thrown on purpose');
  },
  '(hangs)': () => {
    for (;;);
  },
  '(ends)': () => process.abort(),
};
