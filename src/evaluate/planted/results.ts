import {appendFile, mkdir, readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {replaceFile} from '../../models/save';
import {InputError} from '../../numerics/errors';
import type {NegativeRow, PlantRow} from './types';

/** What has been measured so far, kept in a folder: `manifest.json` says of what, and `rows.jsonl` has a line for each plant and tier. */
export interface ResultStore {
  rows: PlantRow[];
  negatives: NegativeRow[];
  /** Plants whose negatives are done. */
  negativesDone: Set<number>;
  addRow(row: PlantRow): Promise<void>;
  addNegatives(plant: number, rows: NegativeRow[]): Promise<void>;
}

type Line = {row: PlantRow} | {plant: number; negatives: NegativeRow[]};

const FORMAT = 'unweave planted benchmark';
const FORMAT_VERSION = 1;

/**
 * Opens what a run with the same parameters has left in the folder, or begins anew; without a folder, nothing is kept.
 * @throws InputError for a folder with something else, or of a run with other parameters
 */
export async function openResults(
  folder: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
): Promise<ResultStore> {
  const store: ResultStore = {
    rows: [],
    negatives: [],
    negativesDone: new Set(),
    async addRow(row) {
      this.rows.push(row);
      await append({row});
    },
    async addNegatives(plant, negatives) {
      this.negatives.push(...negatives);
      this.negativesDone.add(plant);
      await append({plant, negatives});
    },
  };
  const file = folder === undefined ? undefined : path.join(folder, 'rows.jsonl');
  const append = async (line: Line) => {
    if (file !== undefined) await appendFile(file, `${JSON.stringify(line)}\n`);
  };
  if (folder === undefined || file === undefined) return store;
  await claimFolder(folder, parameters);
  const text = await readFile(file, 'utf8').catch(() => '');
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  // A line that an interrupt cut short would spoil the next one.
  if (complete !== text) await replaceFile(file, complete);
  for (const line of complete.split('\n').filter(Boolean)) {
    const read = parseLine(line, file);
    if ('row' in read) store.rows.push(read.row);
    else {
      store.negatives.push(...read.negatives);
      store.negativesDone.add(read.plant);
    }
  }
  return store;
}

function parseLine(line: string, file: string): Line {
  try {
    // JSON has no NaN; it was written as null.
    return JSON.parse(line, (_, value: unknown) => (value === null ? NaN : value)) as Line;
  } catch {
    throw new InputError(
      `"${file}" is damaged: a line of it is not JSON; delete the folder and run the benchmark again`,
    );
  }
}

async function claimFolder(folder: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`cannot write results to "${folder}": it is not a folder; choose another path`);
  });
  const manifest = {format: FORMAT, formatVersion: FORMAT_VERSION, ...parameters};
  const file = path.join(folder, 'manifest.json');
  if (!entries.includes('manifest.json')) {
    if (entries.length > 0) {
      throw new InputError(
        `"${folder}" holds something else (${entries.slice(0, 3).join(', ')}); choose an empty or new folder for the results`,
      );
    }
    await mkdir(folder, {recursive: true}).catch((error: Error) => {
      throw new InputError(`cannot make the folder "${folder}": ${error.message}`);
    });
    await replaceFile(file, `${JSON.stringify(manifest, undefined, 1)}\n`);
    return;
  }
  let found: Record<string, unknown> = {};
  try {
    found = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  } catch {
    // Told below as a manifest of something else.
  }
  const different = Object.entries(manifest).filter(
    ([key, value]) => JSON.stringify(found[key]) !== JSON.stringify(value),
  );
  if (different.length > 0) {
    const [key, value] = different[0];
    throw new InputError(
      `the results in "${folder}" are of another run: ${key} is ${JSON.stringify(found[key])} there and ${JSON.stringify(value)} here; choose another folder, or the same parameters`,
    );
  }
}
