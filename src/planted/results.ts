import {randomBytes} from 'node:crypto';
import {option} from '../common/options';
import {appendFile} from 'node:fs/promises';
import path from 'node:path';
import {LOCK_ENTRIES} from '../files/folderLock';
import {cannotWrite, entriesOf, holdsSomethingElse, makeFolder, replaceFile} from '../files/output';
import {decodeText, readRegularFile} from '../files/regularFile';
import {commitFolder, isOwnEntry, removeLeftovers} from '../files/transaction';
import {packageVersion} from '../files/packageVersion';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
import {lineText, parseLine, type Line} from './rowSchema';
import type {NegativeRow, PlantRow} from './types';

/**
 * What has been measured so far, kept in a folder: `manifest.json` says of what, and `rows.jsonl` has a line with its SHA-256 for
 * each plant and tier; where
 * another run's results are overwritten, the manifest names another file for them.
 */
export interface ResultStore {
  rows: PlantRow[];
  negatives: NegativeRow[];
  /** Plants whose negatives are done. */
  negativesDone: Set<number>;
  addRow(row: PlantRow): Promise<void>;
  addNegatives(plant: number, rows: NegativeRow[]): Promise<void>;
}

const FORMAT = 'unweave planted benchmark';
/** 2 since each row has its checksum. */
const FORMAT_VERSION = 2;
const MANIFEST = 'manifest.json';
const ROWS = 'rows.jsonl';
const MAX_BYTES = 2 ** 30;

/**
 * Opens what a run with the same parameters has left in the folder, which nobody else writes to, or begins anew; without a folder,
 * nothing is kept.
 * @param force begin anew, whatever the folder holds
 * @throws InputError for a folder with something else, or of a run with other parameters, unless `force`
 */
export async function openResults(
  folder: string | undefined,
  parameters: Readonly<Record<string, unknown>>,
  force = false,
): Promise<ResultStore> {
  const file = folder === undefined ? undefined : path.join(folder, await claimFolder(folder, parameters, force));
  const append = async (line: Line) => {
    if (file === undefined) return;
    await appendFile(file, `${lineText(line)}\n`).catch((error: Error) => {
      throw cannotWrite(file, error);
    });
  };
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
  if (file === undefined) return store;
  for (const line of (await completeLines(file)).split('\n').filter(Boolean)) {
    const read = parseLine(line, file);
    if ('row' in read) store.rows.push(read.row);
    else {
      store.negatives.push(...read.negatives);
      store.negativesDone.add(read.plant);
    }
  }
  return store;
}

/** The text up to its last line's end; what a kill cut short would spoil the next line, and goes. @throws InputError where it is no text */
async function completeLines(file: string): Promise<string> {
  try {
    const bytes = await readRegularFile(file, MAX_BYTES);
    const complete = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    const text = decodeText(complete);
    if (complete.length < bytes.length) await replaceFile(file, complete);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error instanceof InputError
      ? error
      : new InputError(`cannot read "${file}": ${(error as Error).message}; delete the folder and run again`);
  }
}

/** @returns the name of the file of rows */
async function claimFolder(
  folder: string,
  parameters: Readonly<Record<string, unknown>>,
  force: boolean,
): Promise<string> {
  const locks: readonly string[] = LOCK_ENTRIES;
  const entries = (await entriesOf(folder)).filter((entry) => !locks.includes(entry));
  // Another version may measure differently, and its rows do not mix with this one's.
  const manifest = {format: FORMAT, formatVersion: FORMAT_VERSION, unweave: packageVersion(), ...parameters};
  const found = entries.includes(MANIFEST) ? await manifestIn(path.join(folder, MANIFEST)) : undefined;
  const ours = found?.['format'] === FORMAT;
  if (!force && entries.length > 0 && !ours) throw holdsSomethingElse(folder, entries);
  const before = rowsNamed(found);
  const different = Object.entries(manifest).find(
    ([key, value]) => JSON.stringify(found?.[key]) !== JSON.stringify(value),
  );
  const leftovers = {kinds: ['rows'], manifests: [MANIFEST], named: [before], plain: ours ? [ROWS] : []};
  if (!different && !force) {
    await removeLeftovers(folder, leftovers);
    return before;
  }
  // A run that measured nothing has nothing to lose.
  if (different && !force && entries.includes(before)) {
    const [key, value] = different;
    throw new InputError(
      `the results in "${folder}" are of another run: ${key} is ${shown(found?.[key])} there and ${shown(value)} here; choose another folder, the same parameters, or overwrite it (${option('force')})`,
    );
  }
  await makeFolder(folder);
  await removeLeftovers(folder, leftovers);
  const rows = entries.includes(before) ? `rows-${randomBytes(8).toString('hex')}.jsonl` : ROWS;
  const content = `${JSON.stringify({...manifest, ...(rows !== ROWS && {rows})}, undefined, 1)}\n`;
  await commitFolder(folder, {
    files: [],
    manifest: {file: MANIFEST, content},
    obsolete: ours ? [before] : [],
    kept: [rows],
  });
  return rows;
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 200) ?? 'not said';

/** The file of rows that a manifest names. */
function rowsNamed(manifest: Record<string, unknown> | undefined): string {
  const name = manifest?.['rows'];
  return typeof name === 'string' && isOwnEntry(name, ['rows'], ROWS) ? name : ROWS;
}

/** The manifest as it was written; undefined where it is none. */
async function manifestIn(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    return (
      (parseJson(decodeText(await readRegularFile(file, MAX_BYTES))) as Record<string, unknown> | null) ?? undefined
    );
  } catch {
    return undefined;
  }
}
