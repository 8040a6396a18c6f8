import {open, readdir, readFile, stat} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {countText} from '../common/numbers';
import {checkedLabels, classNames} from './classes';
import {fitTo} from './geometry';
import {resolvePreset} from './presets';
import type {LabelledImages, PresetOption} from './types';
import {UnreadableImageError} from './unreadable';

export interface Cifar10Options {
  /** Which batches of a folder: `data_batch_1.bin` … or `test_batch.bin`. @default 'train', or 'test' where those are absent */
  part?: 'train' | 'test';
  /** The preprocessing. @default the model's */
  preset?: PresetOption;
}

const SIDE = 32;
const PLANE = SIDE * SIDE;
/** One byte of label, then the red, green and blue planes (the binary version's description, Krizhevsky 2009). */
const RECORD = 1 + 3 * PLANE;
/** The largest file that is read for its labels: ten times the official batches. */
const MAX_FILE_BYTES = 100_000 * RECORD;
const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/**
 * CIFAR-10's binary batches: a folder of them, or their files in order. A path is the file's name and the number of the record.
 * @throws InputError where there are none, or a file is none of them
 */
export async function cifar10(
  folderOrFiles: string | readonly string[],
  {part: wanted, preset}: Cifar10Options = {},
): Promise<LabelledImages> {
  const part = wanted ?? (typeof folderOrFiles === 'string' ? await partIn(folderOrFiles) : 'train');
  const files = typeof folderOrFiles === 'string' ? await batchFiles(folderOrFiles, part) : folderOrFiles;
  if (files.length === 0) throw new InputError('no CIFAR-10 batches; give at least one file');
  const records: {file: string; offset: number}[] = [];
  const labels: number[] = [];
  const paths: string[] = [];
  for (const file of files) {
    const batch = await labelsOf(file);
    batch.forEach((label, i) => {
      records.push({file, offset: i * RECORD + 1});
      paths.push(`${basename(file)}/${String(i).padStart(5, '0')}`);
      labels.push(label);
    });
  }
  const folder = typeof folderOrFiles === 'string' ? basename(resolve(folderOrFiles)) : 'CIFAR-10';
  const name = typeof folderOrFiles === 'string' && files[0] !== folderOrFiles ? `${folder} (${part})` : folder;
  return {
    name,
    paths,
    preset: preset === undefined ? undefined : resolvePreset(preset),
    source: typeof folderOrFiles === 'string' ? resolve(folderOrFiles) : undefined,
    labelsFor: (outputs) => checkedLabels(labels, paths, outputs),
    classNamesFor: (outputs) => classNames(outputs, CLASSES.entries()),
    async pixels(index, size) {
      const data = await interleaved(records[index], paths[index]);
      return fitTo({data, height: SIDE, width: SIDE}, size, paths[index]);
    },
    toString: () => `${name}: ${countText(paths.length)} images`,
  };
}

/** Whether a path is a CIFAR-10 batch, or a folder with some. */
export async function isCifar10(path: string): Promise<boolean> {
  if (path.toLowerCase().endsWith('.bin')) return true;
  const names = await readdir(path).catch(() => []);
  return names.some((name) => TRAIN.test(name) || name === TEST);
}

const TRAIN = /^data_batch_\d+\.bin$/;
const TEST = 'test_batch.bin';

async function partIn(path: string): Promise<'train' | 'test'> {
  const names = await readdir(path).catch((): string[] => []);
  return names.includes(TEST) && !names.some((name) => TRAIN.test(name)) ? 'test' : 'train';
}

async function batchFiles(path: string, part: 'train' | 'test'): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    const found = names
      .filter((name) => (part === 'train' ? TRAIN.test(name) : name === TEST))
      .sort((a, b) => a.length - b.length || (a < b ? -1 : 1)); // data_batch_2 before data_batch_10
    if (found.length) return found.map((name) => join(path, name));
  } catch (error) {
    throw new InputError(`cannot read the CIFAR-10 batches ${path}: ${(error as Error).message}`);
  }
  const expected = part === 'train' ? 'data_batch_1.bin, …' : TEST;
  throw new InputError(`no CIFAR-10 batches in ${path}; it needs ${expected} of the binary version`);
}

async function labelsOf(file: string): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    const {size} = await stat(file);
    if (size === 0 || size % RECORD !== 0 || size > MAX_FILE_BYTES) {
      throw new InputError(
        `invalid CIFAR-10 batch ${file}: ${size} bytes; it holds records of ${RECORD} bytes, 30730000 bytes in all. Download it again`,
      );
    }
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`cannot read the CIFAR-10 batch ${file}: ${(error as Error).message}`);
  }
  const labels = Uint8Array.from({length: bytes.length / RECORD}, (_, i) => bytes[i * RECORD]);
  const wrong = labels.findIndex((label) => label >= CLASSES.length);
  if (wrong >= 0) {
    throw new InputError(
      `invalid CIFAR-10 batch ${file}: label ${labels[wrong]} in record ${wrong}; labels are 0 to 9`,
    );
  }
  return labels;
}

/** RGB of one record, [32, 32, 3]. */
async function interleaved({file, offset}: {file: string; offset: number}, path: string): Promise<Uint8Array> {
  const planes = new Uint8Array(3 * PLANE); // [3, 32, 32]
  try {
    const handle = await open(file);
    try {
      const {bytesRead} = await handle.read(planes, 0, planes.length, offset);
      if (bytesRead !== planes.length) throw new Error('the file ends before the record does');
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new UnreadableImageError(path, (error as Error).message);
  }
  return Uint8Array.from(planes, (_, i) => planes[(i % 3) * PLANE + Math.trunc(i / 3)]);
}
