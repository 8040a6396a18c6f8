import {readdir, stat} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {folderLabelling} from './classFolders';
import {few} from './classes';
import {fileImages} from './fileImages';
import {endingOf, endingTest, isLitter, isText, leftOutNotes} from './fileNames';
import type {ImageFolderOptions} from './folder';
import {labellingOf, mappedLabelling, type Entry} from './labelMap';
import {filesOfArchive, isLabelFile} from './tarContents';
import type {LabelledImages} from './types';
import {noLabelling} from './unlabelled';

/** A file in one of the archives. */
interface Place {
  path: string;
  /** The same for the files of one sample in a shard; '' where the archive holds no labels. */
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
 * An archive is gone through once, from header to header, and what it holds is remembered in the user's cache. Paths are those of the unpacked folder, so that its statistics fit.
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
  if (!shards) sortByPath(images);
  const twice = shards ? undefined : images.find(({path}, at) => at > 0 && images[at - 1].path === path);
  if (twice) throw new InputError(`two images are called ${twice.path} in ${name}; remove one of the archives`);
  const paths = images.map(({path}) => path);
  const folders = [...new Set(paths.map(firstFolder).filter((folder) => folder !== ''))].sort();
  const labelling = options.unlabelled
    ? noLabelling(name)
    : options.labels
      ? mappedLabelling(options.labels, paths, root)
      : shards
        ? shardLabelling(images, labels, name)
        : folderLabelling(name, paths, folders, {order: options.classOrder, archive: true});
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
    const files = await filesOfArchive(file);
    const labelled = files.some(({label}) => label !== undefined);
    for (const {path, position, length, label} of files) {
      const key = labelled ? keyOf(archive, path) : '';
      if (isImage(path)) {
        own.push({path, position, length, archive, key});
        continue;
      }
      const ending = endingOf(path);
      if (isLabelFile(ending)) {
        if (label !== undefined && !labels.has(key)) labels.set(key, label);
      } else if (!isText(path)) leftOut.set(ending, (leftOut.get(ending) ?? 0) + 1);
    }
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
  const folder = `${firstFolder(images[0].path)}/`;
  const shared = images.every(({path}) => path.startsWith(folder) && path.includes('/', folder.length));
  return shared ? folder : undefined;
}

/** '' of a path without one. */
const firstFolder = (path: string) => path.slice(0, Math.max(0, path.indexOf('/')));

/** In place. Texts alone are sorted several times as fast as what they stand in; an archive that is remembered has them in order. */
function sortByPath(images: Place[]): void {
  if (images.every(({path}, at) => at === 0 || images[at - 1].path <= path)) return;
  const byPath = new Map<string, Place[]>();
  for (const image of images) {
    const same = byPath.get(image.path);
    if (same) same.push(image);
    else byPath.set(image.path, [image]);
  }
  images.length = 0;
  for (const path of [...byPath.keys()].sort()) images.push(...byPath.get(path)!);
}

/** WebDataset's key: all before the first dot of the file's name. */
function keyOf(archive: number, path: string): string {
  const at = path.lastIndexOf('/') + 1;
  const dot = path.indexOf('.', at);
  return `${archive}/${dot < 0 ? path : path.slice(0, dot)}`;
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
