import {option} from '../common/options';
import {mkdir, open, readdir, readFile, realpath, rename, rm, rmdir, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {reasonOf} from './binaryFile';

/**
 * How unweave writes: by temporary name and rename, so that a reader never meets half a file; never into an input; never over
 * something that it did not make. What fails leaves nothing behind.
 */

/** The error for a write that failed, in the same words everywhere. */
export function cannotWrite(target: string, error: unknown): InputError {
  const full = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  const advice = full ? 'free some space' : 'choose a place that you may write to';
  return new InputError(`cannot write "${target}": ${reasonOf(error)}; ${advice}, and run it again`);
}

/** What a file is called until it is whole: no two writes of one process, nor two processes, share a name. */
export function temporaryName(file: string): string {
  return `${file}.${process.pid}.${(temporaries += 1)}.part`;
}
let temporaries = 0;

/** Waits until the disk has it. */
async function synced(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.sync().finally(() => handle.close());
}

/** @throws InputError where it cannot be written; the file there before is left as it was */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await writeFile(temporary, content);
    await synced(temporary);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, {force: true}).catch(() => {});
    throw cannotWrite(file, error);
  }
}

/**
 * Makes the folder where it is absent.
 * @returns takes it away again, with the folders above it that were made for it, where nothing is in them
 * @throws InputError where it cannot be made
 */
export async function makeFolder(folder: string): Promise<() => Promise<void>> {
  let first: string | undefined;
  try {
    first = await mkdir(folder, {recursive: true});
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  return async () => {
    if (first === undefined) return;
    const top = path.resolve(first);
    for (let made = path.resolve(folder); made.length >= top.length; made = path.dirname(made)) {
      const gone = await rmdir(made).then(
        () => true,
        () => false,
      );
      if (!gone) return;
    }
  };
}

/** What a write that was killed leaves, of which nobody needs to be told: a lock, and files by their temporary names. */
const isRemains = (name: string) => name.startsWith('.unweave-') || /\.\d+\.\d+\.part$/.test(name);

/**
 * What a folder for output holds, remains of a write that was killed left out; nothing where it is absent.
 * @throws InputError where it is not a folder
 */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !isRemains(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw cannotWrite(folder, error);
    throw new InputError(`cannot write to "${folder}": it is not a folder; choose another path`);
  }
}

/** A few of a folder's entries, for a message. */
export function holdsSomethingElse(folder: string, entries: readonly string[]): InputError {
  return new InputError(
    `"${folder}" holds something else (${entries.slice(0, 3).join(', ')}); choose an empty or new folder, or overwrite it (${option('force')})`,
  );
}

/**
 * @param mark text that such a file of unweave's holds
 * @throws InputError where the file exists and was not made by unweave, unless `force`
 */
export async function refuseForeignFile(file: string, mark: string, force = false): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found) return;
  if (!found.isFile()) throw new InputError(`cannot write "${file}": it is not a file; choose another name`);
  if (force || (await readFile(file, 'utf8').catch(() => '')).includes(mark)) return;
  throw new InputError(
    `"${file}" exists, and unweave did not make it; choose another name, or overwrite it (${option('force')})`,
  );
}

/**
 * @param out a file or folder to write, which need not exist
 * @param inputs files and folders that are read; undefined ones are left out
 * @throws InputError for an output that is an input, lies in an input folder, or is the folder of an input file, whatever links lead there
 */
export async function refuseInput(out: string, inputs: readonly (string | undefined)[]): Promise<void> {
  const target = await realPath(out);
  for (const input of inputs) {
    if (input === undefined) continue;
    const source = await realPath(input);
    const isFolder = (await stat(source).catch(() => undefined))?.isDirectory() ?? false;
    const inside = isFolder
      ? target.startsWith(source.replace(/[\\/]$/, '') + path.sep)
      : target === path.dirname(source);
    if (target === source || inside) {
      const what = isFolder || target === source ? 'lies in the input' : 'is the folder of the input';
      throw new InputError(`the output "${out}" ${what} "${input}"; choose a place outside it`);
    }
  }
}

/** The path without links; of what does not exist yet, the deepest folder that does is followed. */
async function realPath(file: string): Promise<string> {
  // Not path.resolve: the folder above `link/..` is that of the link's target.
  const absolute = path.isAbsolute(file) ? file : `${process.cwd()}${path.sep}${file}`;
  try {
    return await realpath(absolute);
  } catch {
    const parent = path.dirname(absolute);
    return parent === absolute ? absolute : path.join(await realPath(parent), path.basename(absolute));
  }
}
