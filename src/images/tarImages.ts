import {readdir, stat} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
import {option} from '../common/options';
import {folderLabelling} from './classFolders';
import {few} from './classes';
import {fileImages} from './fileImages';
import {endingOf, endingTest, isLitter, isText, leftOutNotes} from './fileNames';
import type {ImageFolderOptions} from './folder';
import {labellingOf, mappedLabelling, type Entry} from './labelMap';
import {scanTar} from './tarIndex';
import type {LabelledImages} from './types';
import {noLabelling} from './unlabelled';

/** A file in one of the archives. */
interface Place {
  path: string;
  /** The same for the files of one sample in a shard. */
  key: string;
  archive: number;
  position: number;
  length: number;
}

/** What the archives hold. */
interface Contents {
  images: Place[];
  /** Label by key, the path without its endings (WebDataset's `000123.cls` beside `000123.jpg`). */
  labels: Map<string, string>;
  leftOut: Map<string, number>;
}

/**
 * Images in tar archives, read where they lie, without unpacking:
 * - ILSVRC's `train.tar`, a tar of one tar a class, or a folder of those tars: the tar's name is the class folder;
 * - WebDataset shards, in which `000123.jpg` has its label in `000123.cls` (text) or in `label`, `cls` or `class` of `000123.json`;
 * - an archive of class folders, or a flat one with `labels`, as `imageFolder` reads them; folders that all images share are left off.
 *
 * The archives are gone through once, from header to header. Paths are those of the unpacked folder, so that its statistics fit.
 * @param source an archive, several (shards, in their order), or a folder of them
 * @throws InputError where one is no tar archive, is compressed or cut off, or labels are missing
 */
export async function tarImages(
  source: string | readonly string[],
  options: ImageFolderOptions = {},
): Promise<LabelledImages> {
  const archives = typeof source === 'string' ? await archivesOf(source) : [...source];
  const name = basename(resolve(typeof source === 'string' ? source : archives[0])).replace(/\.tar$/i, '');
  const isImage = endingTest(options.extensions);
  const {images, labels, leftOut} = await contentsOf(archives, isImage, typeof source === 'string');
  if (images.length === 0) throw new InputError(`no images in ${name}; it needs ${isImage.words} files`);
  const root = typeof source === 'string' ? resolve(source) : undefined;
  const shards = labels.size > 0 && options.labels === undefined && !options.unlabelled;
  if (!shards) images.sort((one, other) => (one.path < other.path ? -1 : 1));
  const twice = shards ? undefined : images.find(({path}, at) => at > 0 && images[at - 1].path === path);
  if (twice) throw new InputError(`two images are called ${twice.path} in ${name}; remove one of the archives`);
  const paths = images.map(({path}) => path);
  const folders = [...new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/')[0]))].sort();
  const labelling = options.unlabelled
    ? noLabelling(name)
    : options.labels
      ? mappedLabelling(options.labels, paths, root)
      : shards
        ? shardLabelling(images, labels, name)
        : folderLabelling(name, paths, folders, options.classOrder);
  const list = fileImages(
    {
      name,
      paths,
      sourceOf: (index) => {
        const {archive, position, length} = images[index];
        return {file: archives[archive], position, length};
      },
      labelling,
      notes: leftOutNotes(name, {paths, folders, leftOut}, isImage.words, option),
    },
    options,
  );
  const labelsFile = typeof options.labels === 'string' && !options.unlabelled ? resolve(options.labels) : undefined;
  return {...list, source: root, labelsFile};
}

/** Whether a path is a tar archive, or a folder of them. */
export async function isTar(path: string): Promise<boolean> {
  if (/\.(tar|tar\.gz|tgz|tar\.bz2|tar\.xz|tar\.zst)$/i.test(path)) {
    return stat(path).then(
      (found) => !found.isDirectory(),
      () => false,
    );
  }
  const entries = await readdir(path, {withFileTypes: true}).catch(() => []);
  const shown = entries.filter(({name}) => !isLitter(name));
  return shown.some(({name}) => /\.tar$/i.test(name)) && !shown.some((entry) => entry.isDirectory());
}

async function archivesOf(source: string): Promise<string[]> {
  const found = await stat(source).catch((error: Error) => {
    throw new InputError(`cannot read the archive ${source}: ${error.message}`);
  });
  if (!found.isDirectory()) return [source];
  const names = (await readdir(source)).filter((name) => /\.tar$/i.test(name) && !isLitter(name));
  return names.sort().map((name) => join(source, name));
}

async function contentsOf(
  archives: readonly string[],
  isImage: (name: string) => boolean,
  inFolders: boolean,
): Promise<Contents> {
  const labels = new Map<string, string>();
  const leftOut = new Map<string, number>();
  const images: Place[] = [];
  for (const [archive, file] of archives.entries()) {
    const own: Place[] = [];
    const nested: {position: number; length: number; folder: string}[] = [];
    const visit =
      (folder: string) =>
      async (entry: {path: string; position: number; length: number}, read: () => Promise<Buffer>) => {
        const path = `${folder}${entry.path}`.normalize('NFC');
        if (entry.path.split('/').some(isLitter)) return;
        const ending = endingOf(entry.path);
        if (isImage(entry.path)) own.push({...entry, path, archive, key: keyOf(archive, path)});
        else if (ending === 'tar' && folder === '')
          nested.push({...entry, folder: `${basename(entry.path).slice(0, -4)}/`});
        else if (ending === 'cls' || ending === 'json') {
          const label = labelIn(await read(), ending);
          if (label !== undefined && !labels.has(keyOf(archive, path))) labels.set(keyOf(archive, path), label);
        } else if (!isText(entry.path)) leftOut.set(ending, (leftOut.get(ending) ?? 0) + 1);
      };
    await scanTar(file, visit(''));
    for (const {folder, ...part} of nested) await scanTar(file, visit(folder), part);
    // A class's own archive has no folder in it; samples of shards may have the same names in each.
    const stem = basename(file).replace(/\.tar$/i, '');
    const flat = own.every(({path}) => !path.includes('/'));
    if (archives.length > 1 && (labels.size > 0 || (flat && inFolders))) {
      for (const place of own) place.path = `${stem}/${place.path}`;
    }
    for (const place of own) images.push(place);
  }
  if (labels.size > 0) return {images, labels, leftOut};
  let prefix = commonFolder(images);
  while (prefix !== undefined) {
    for (const place of images) place.path = place.path.slice(prefix.length);
    prefix = commonFolder(images);
  }
  return {images, labels, leftOut};
}

/** The folder, with its `/`, that all images lie in where a class folder is left below it. */
function commonFolder(images: readonly Place[]): string | undefined {
  if (images.length === 0) return undefined;
  const [first] = images[0].path.split('/');
  const shared = images.every(({path}) => {
    const parts = path.split('/');
    return parts[0] === first && parts.length > 2;
  });
  return shared ? `${first}/` : undefined;
}

/** WebDataset's key: all before the first dot of the file's name. */
function keyOf(archive: number, path: string): string {
  const at = path.lastIndexOf('/') + 1;
  const dot = path.indexOf('.', at);
  return `${archive}/${dot < 0 ? path : path.slice(0, dot)}`;
}

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

function shardLabelling(images: readonly Place[], labels: ReadonlyMap<string, string>, name: string) {
  const entries = images.map(({key}): Entry | undefined => {
    const label = labels.get(key);
    return label === undefined ? undefined : {label};
  });
  const without = images.filter((_, at) => entries[at] === undefined).map(({path}) => path);
  if (without.length > 0) {
    throw new InputError(
      `no label beside ${without.length} of the ${images.length} images in ${name}: ${few(without)}; a shard holds a .cls or .json file for each image`,
    );
  }
  const paths = images.map(({path}) => path);
  return labellingOf(entries as Entry[], paths, name, {all: [...new Set(labels.values())], folders: false});
}
