import {option} from '../common/options';
import {appendFile, readFile, rm} from 'node:fs/promises';
import path from 'node:path';
import {cannotWrite, entriesOf, holdsSomethingElse, makeFolder, replaceFile} from '../files/output';
import {InputError} from '../common/errors';
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
 * @param force begin anew, whatever the folder holds
 * @throws InputError for a folder with something else, or of a run with other parameters, unless `force`
 */
export async function openResults(
  folder: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
  force = false,
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
    if (file === undefined) return;
    await appendFile(file, `${JSON.stringify(line)}\n`).catch((error: Error) => {
      throw cannotWrite(file, error);
    });
  };
  if (folder === undefined || file === undefined) return store;
  await claimFolder(folder, parameters, force);
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

async function claimFolder(
  folder: string,
  parameters: Readonly<Record<string, unknown>>,
  force: boolean,
): Promise<void> {
  const entries = await entriesOf(folder);
  const manifest = {format: FORMAT, formatVersion: FORMAT_VERSION, ...parameters};
  const file = path.join(folder, 'manifest.json');
  const found = entries.includes('manifest.json') ? await manifestIn(file) : undefined;
  if (!force && entries.length > 0 && found?.['format'] !== FORMAT) throw holdsSomethingElse(folder, entries);
  const different = Object.entries(manifest).find(
    ([key, value]) => JSON.stringify(found?.[key]) !== JSON.stringify(value),
  );
  if (!different) return;
  // A run that measured nothing has nothing to lose.
  if (!force && entries.includes('rows.jsonl')) {
    const [key, value] = different;
    throw new InputError(
      `the results in "${folder}" are of another run: ${key} is ${JSON.stringify(found?.[key])} there and ${JSON.stringify(value)} here; choose another folder, the same parameters, or overwrite it (${option('force')})`,
    );
  }
  await makeFolder(folder);
  await rm(path.join(folder, 'rows.jsonl'), {force: true});
  await replaceFile(file, `${JSON.stringify(manifest, undefined, 1)}\n`);
}

/** The manifest as it was written; undefined where it is none. */
async function manifestIn(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown> | null) ?? undefined;
  } catch {
    return undefined;
  }
}
