import {createHash} from 'node:crypto';
import {open, readdir, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {writeBytes} from './binaryFile';
import {cannotWrite, replaceFile, temporaryName} from './output';

/**
 * A folder of files that belong together changes as one: new files under names that nobody has, each flushed to the disk; then one
 * rename of the manifest that names them; then what the manifest before named and this one does not goes. A reader who follows the
 * manifest meets the old state or the new one, whenever the writer is killed; what a kill leaves behind is taken away at the next start.
 */

/** A file of a folder, as its manifest names it. */
export interface NamedFile {
  file: string;
  /** SHA-256 of its bytes, hexadecimal. */
  sha256: string;
}

/** A file to write; `pieces` are its bytes. */
export interface NewFile extends NamedFile {
  pieces: readonly Uint8Array[];
}

/** A new file whose name tells its content, e.g. `sums-1f0c….safetensors`. */
export function namedByContent(kind: string, ending: string, pieces: readonly Uint8Array[]): NewFile {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  const sha256 = hash.digest('hex');
  return {file: `${kind}-${sha256.slice(0, 16)}.${ending}`, sha256, pieces};
}

/**
 * A new file of the plain name `kind.ending`, as other programs expect it; named by its content where the manifest that is there names a
 * file of the plain name with another content.
 * @param named the files of that manifest, with their SHA-256 where it is known
 */
export function namedPlainly(
  kind: string,
  ending: string,
  pieces: readonly Uint8Array[],
  named: ReadonlyMap<string, string | undefined>,
): NewFile {
  const file = namedByContent(kind, ending, pieces);
  const plain = `${kind}.${ending}`;
  return named.has(plain) && named.get(plain) !== file.sha256 ? file : {...file, file: plain};
}

/**
 * Writes a file by temporary name, flushes it and renames it.
 * @throws InputError where it cannot be written; nothing is left behind
 */
export async function writeDurably(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = temporaryName(file);
  try {
    const handle = await open(temporary, 'wx');
    try {
      for (const piece of pieces) await writeBytes(handle, piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, {force: true}).catch(() => {});
    throw cannotWrite(file, error);
  }
}

/** Makes renames within the folder last; where the system cannot (Windows), they last as soon as it writes them. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Not every file system lets a folder be flushed.
  }
}

/**
 * One change of a folder, which exists and which nobody else writes to (see `lockFolder`).
 * @param files new files; one that the manifest before named is left as it is, unless `again`
 * @param manifest written last: from its rename on the change has happened
 * @param obsolete files that the manifest before named; those that are not among `kept` go
 * @throws InputError where a file cannot be written; the folder then holds what it held
 */
export async function commitFolder(
  folder: string,
  {
    files,
    manifest,
    obsolete = [],
    kept,
    again = false,
  }: {
    files: readonly NewFile[];
    manifest: {file: string; content: string | Uint8Array};
    obsolete?: readonly string[];
    kept: readonly string[];
    again?: boolean;
  },
): Promise<void> {
  const before = new Set(obsolete);
  const written: string[] = [];
  try {
    for (const {file, pieces} of files) {
      if (before.has(file) && !again) continue;
      if (!before.has(file)) written.push(file);
      await writeDurably(path.join(folder, file), pieces);
    }
    await syncFolder(folder);
    await replaceFile(path.join(folder, manifest.file), manifest.content);
  } catch (error) {
    for (const file of written) await rm(path.join(folder, file), {force: true}).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
  const stay = new Set(kept);
  for (const file of before) if (!stay.has(file)) await rm(path.join(folder, file), {force: true}).catch(() => {});
}

/**
 * Takes away what killed writes left in a folder: files by their temporary names, and files of the kinds given that no manifest names.
 * Only for who holds the folder's lock.
 * @param kinds what `namedByContent` was given
 * @param plain names that `namedPlainly` gave, where whatever is called so is known to be ours
 */
export async function removeLeftovers(
  folder: string,
  {
    kinds,
    manifests,
    named,
    plain = [],
  }: {kinds: readonly string[]; manifests: readonly string[]; named: readonly string[]; plain?: readonly string[]},
): Promise<void> {
  const stay = new Set(named);
  for (const entry of await readdir(folder).catch(() => [])) {
    const whole = entry.replace(PART, '');
    const isOurs = isOfKind(whole, kinds) || plain.includes(whole);
    const leftover = whole === entry ? isOurs && !stay.has(entry) : isOurs || manifests.includes(whole);
    if (leftover) await rm(path.join(folder, entry), {force: true}).catch(() => {});
  }
}

/** Whether an entry of a folder is of this transaction. */
export function isOwnEntry(entry: string, kinds: readonly string[], manifest: string): boolean {
  const whole = entry.replace(PART, '');
  return whole === manifest || isOfKind(whole, kinds);
}

/** What `temporaryName` adds. */
const PART = /\.\d+\.\d+\.part$/;

const isOfKind = (name: string, kinds: readonly string[]) =>
  new RegExp(`^(${kinds.join('|')})-[0-9a-f]{16}\\.[a-z]+$`).test(name);
