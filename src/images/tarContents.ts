import {readFile, stat} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {constants, gunzip, gzip} from 'node:zlib';
import {isRecord} from '../common/isRecord';
import {parseJson} from '../common/json';
import {cacheFolder} from '../engine/engineFolder';
import {sha256} from '../files/checksum';
import {makeFolder, replaceFile} from '../files/output';
import {endingOf, isLitter} from './fileNames';
import {scanTar, type TarEntry} from './tarIndex';

/**
 * What an archive holds. Going from header to header takes a minute for a million files on a disk that seeks, so that what was found is kept in
 * the user's cache, for as long as the archive has the same size and time.
 */

/** A file in an archive, or in an archive of a class within it: then its path begins with that archive's name. */
export interface ArchiveFile extends TarEntry {
  /** What a `.cls` or `.json` file says. */
  label?: string;
}

/** Archives with fewer files are gone through as fast as an index is read. */
const WORTH_KEEPING = 1000;

/** An archive that was written to so lately, in ms, may be written to again without its time showing it. */
const SETTLED_MS = 2000;

/**
 * The files of an archive without what systems leave lying about: in its order, or where there are no labels among them in any.
 * @throws InputError where it is no tar archive, is compressed or cut off
 */
export async function filesOfArchive(file: string): Promise<ArchiveFile[]> {
  const about = await identityOf(file);
  const kept = about && (await readKept(about));
  if (kept) return kept;
  const files = await goThrough(file);
  const settled = about && Date.now() - about.mtimeMs > SETTLED_MS;
  // Written to while it was gone through: what was found may be of neither state.
  const same = settled && files.length >= WORTH_KEEPING && sameIdentity(about, await identityOf(file));
  if (same) await keep(about, files).catch(() => {}); // Next time it takes as long as this time.
  return files;
}

async function goThrough(file: string): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  const nested: {position: number; length: number; folder: string}[] = [];
  const visit = (folder: string) => async (entry: TarEntry, read: () => Promise<Buffer>) => {
    if (entry.path.split('/').some(isLitter)) return;
    const ending = endingOf(entry.path);
    if (ending === 'tar' && folder === '') {
      nested.push({...entry, folder: `${basename(entry.path).slice(0, -4)}/`});
      return;
    }
    const label = isLabelFile(ending) ? labelIn(await read(), ending) : undefined;
    files.push({...entry, path: `${folder}${entry.path}`.normalize('NFC'), ...(label !== undefined && {label})});
  };
  await scanTar(file, visit(''));
  for (const {folder, ...part} of nested) await scanTar(file, visit(folder), part);
  return files;
}

/** Whether a file's ending is that of a sample's label, as WebDataset has it. */
export const isLabelFile = (ending: string) => ending === 'cls' || ending === 'json';

/** The label in a `.cls` or `.json` file; undefined where it has none. */
function labelIn(bytes: Buffer, ending: string): string | undefined {
  const text = bytes.toString('utf8').trim();
  if (ending === 'cls') return text;
  try {
    const value = parseJson(text) as unknown;
    if (typeof value === 'number') return String(value);
    if (typeof value !== 'object' || value === null) return undefined;
    const fields = value as Record<string, unknown>;
    const name = ['label', 'cls', 'class', 'class_id', 'class_index', 'target', 'wnid', 'synset'].find((one) =>
      ['string', 'number'].includes(typeof fields[one]),
    );
    return name === undefined ? undefined : String(fields[name]);
  } catch {
    return undefined;
  }
}

/** What tells an archive from another, and from itself after a change. */
interface Identity {
  file: string;
  size: number;
  mtimeMs: number;
}

async function identityOf(file: string): Promise<Identity | undefined> {
  const path = resolve(file);
  return stat(path).then(
    ({size, mtimeMs}) => ({file: path, size, mtimeMs}),
    () => undefined,
  );
}

const sameIdentity = (one: Identity, other: unknown) =>
  isRecord(other) && one.file === other.file && one.size === other.size && one.mtimeMs === other.mtimeMs;

const FORMAT = 'unweave index of a tar archive, 1';

const indexFile = ({file}: Identity) => join(cacheFolder(), 'archives', `${sha256(file).slice(0, 32)}.json.gz`);

/** As gzip writes it, with a checksum: a damaged file is no index. */
async function keep(about: Identity, found: readonly ArchiveFile[]): Promise<void> {
  // Shards keep their order; all else is put in the order of its paths, and is so the next time.
  const inOrder = found.some(({label}) => label !== undefined);
  const files = inOrder ? found : [...found].sort((one, other) => (one.path < other.path ? -1 : 1));
  await makeFolder(join(cacheFolder(), 'archives'));
  const text = JSON.stringify({
    format: FORMAT,
    ...about,
    paths: files.map(({path}) => path),
    positions: files.map(({position}) => position),
    lengths: files.map(({length}) => length),
    labels: files.flatMap(({label}, at) => (label === undefined ? [] : [[at, label]])),
  });
  await replaceFile(indexFile(about), await promisify(gzip)(text, {level: constants.Z_BEST_SPEED}));
}

/** Undefined where nothing is kept of the archive as it is now. */
async function readKept(about: Identity): Promise<ArchiveFile[] | undefined> {
  try {
    const bytes = await promisify(gunzip)(await readFile(indexFile(about)));
    const found: unknown = parseJson(bytes.toString('utf8'));
    if (!isRecord(found) || found.format !== FORMAT || !sameIdentity(about, found)) return undefined;
    const {paths, positions, lengths, labels} = found as unknown as Kept;
    const files: ArchiveFile[] = paths.map((path, at) => ({path, position: positions[at], length: lengths[at]}));
    for (const [at, label] of labels) files[at].label = label;
    return files;
  } catch {
    return undefined;
  }
}

interface Kept {
  paths: string[];
  positions: number[];
  lengths: number[];
  labels: [number, string][];
}
