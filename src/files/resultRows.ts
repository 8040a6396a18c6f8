import {randomBytes} from 'node:crypto';
import {appendFile} from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
import {option} from '../common/options';
import {isRecord} from '../common/isRecord';
import {sha256} from './checksum';
import {LOCK_ENTRIES} from './folderLock';
import {cannotWrite, entriesOf, holdsSomethingElse, makeFolder, replaceFile} from './output';
import {packageVersion} from './packageVersion';
import {decodeText, readRegularFile} from './regularFile';
import {commitFolder, isOwnEntry, removeLeftovers} from './transaction';

/**
 * What a long run has measured so far, kept in a folder: `manifest.json` says of what, and `rows.jsonl` has a line with its SHA-256 for each result; where
 * another run's results are overwritten, the manifest names another file for them.
 */
export interface ResultRows {
  /** Lines that the folder holds already; nothing is looked for in them. */
  lines: string[];
  /** Where the lines are; undefined where nothing is kept. */
  file?: string;
  /** Writes a line behind them at once. */
  append(line: object): Promise<void>;
}

/** What the manifest of such a folder says of its kind. */
export interface ResultFormat {
  format: string;
  formatVersion: number;
}

const MANIFEST = 'manifest.json';
const ROWS = 'rows.jsonl';
const MAX_BYTES = 2 ** 30;

/**
 * Opens what a run with the same parameters has left in the folder, which nobody else writes to, or begins anew; without a folder,
 * nothing is kept.
 * @param force begin anew, whatever the folder holds
 * @throws InputError for a folder with something else, or of a run with other parameters, unless `force`
 */
export async function openRows(
  folder: string | undefined,
  format: ResultFormat,
  parameters: Readonly<Record<string, unknown>>,
  force = false,
): Promise<ResultRows> {
  const file =
    folder === undefined ? undefined : path.join(folder, await claimFolder(folder, format, parameters, force));
  return {
    file,
    lines: file === undefined ? [] : (await completeLines(file)).split('\n').filter(Boolean),
    async append(line) {
      if (file === undefined) return;
      await appendFile(file, `${rowText(line)}\n`).catch((error: Error) => {
        throw cannotWrite(file, error);
      });
    },
  };
}

/** A line as it is written: with the SHA-256 of what it says. */
const rowText = (line: object): string => JSON.stringify({...line, sha256: sha256(JSON.stringify(line))});

/**
 * One line, checked.
 * @param schemaOf what a line must be, by what it holds
 * @throws InputError where it is no result, or not the one that was written
 */
export function parseRow<T>(
  line: string,
  file: string,
  schemaOf: (said: Record<string, unknown>) => v.GenericSchema<unknown, T>,
): T {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch {
    throw damaged(file, 'a line of it is not JSON');
  }
  if (!isRecord(json)) throw damaged(file, 'a line of it is no JSON object');
  const {sha256: recorded, ...said} = json;
  const checked = v.safeParse(schemaOf(said), said);
  if (!checked.success) {
    const [issue] = checked.issues;
    throw damaged(file, `${v.getDotPath(issue) ?? 'a line of it'} is not valid (${issue.message.slice(0, 120)})`);
  }
  if (recorded !== sha256(JSON.stringify(said))) {
    const text = JSON.stringify(recorded)?.slice(0, 18) ?? 'missing';
    throw damaged(file, `a line of it is not the one that was written: its sha256 is ${text}, and does not fit`);
  }
  return checked.output;
}

const damaged = (file: string, what: string) =>
  new InputError(`"${file}" is damaged: ${what}; delete the folder and run the benchmark again`);

/** JSON has no NaN: it is written as null, and read as NaN. */
export const rowNumber = v.pipe(
  v.union([v.null(), v.number()]),
  v.transform((value) => value ?? NaN),
);

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
  format: ResultFormat,
  parameters: Readonly<Record<string, unknown>>,
  force: boolean,
): Promise<string> {
  const locks: readonly string[] = LOCK_ENTRIES;
  const entries = (await entriesOf(folder)).filter((entry) => !locks.includes(entry));
  // Another version may measure differently, and its rows do not mix with this one's.
  const manifest = {...format, unweave: packageVersion(), ...parameters};
  const found = entries.includes(MANIFEST) ? await manifestIn(path.join(folder, MANIFEST)) : undefined;
  const ours = found?.['format'] === format.format;
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
