import {access, stat} from 'node:fs/promises';
import {basename, dirname, isAbsolute, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {folderLabelling} from './classFolders';
import {few} from './classes';
import {fileImages, type FileImageOptions} from './fileImages';
import {endingTest} from './fileNames';
import {pairsOf} from './labelColumns';
import {readLabelFile} from './labelFile';
import {labellingOf} from './labelMap';
import type {LabelledImages} from './types';

export interface ImageListOptions extends FileImageOptions {
  /** The folder that the list's paths are relative to. @default the list's own folder */
  root?: string;
  /** Endings of image files. @default those of JPEG, PNG and WebP */
  extensions?: readonly string[];
  /** How class folders are counted, in a list without labels, see `imageFolder`. */
  classOrder?: 'name' | 'number';
}

/**
 * The images that a list file names, in its order: `path label` a line, divided by spaces, tabs, commas or semicolons, or JSON, see
 * `readLabelFile`. A label is a class index, a WordNet id or a class's name. Of a list of paths alone the folder that an image lies in is its class.
 * @throws InputError where the list cannot be read, names no image files, or none of its first files is there
 */
export async function imageList(file: string, options: ImageListOptions = {}): Promise<LabelledImages> {
  const table = readLabelFile(file);
  const isImage = endingTest(options.extensions);
  const looksLikeOne = (word: string) => (isImage(word.trim()) ? {image: 0, distance: 0} : undefined);
  const {pairs, notes} = pairsOf(table, {imageOf: looksLikeOne, folderOf: () => undefined});
  const wrong = pairs.find(({key}) => looksLikeOne(key) === undefined);
  if (wrong) {
    throw new InputError(
      `invalid list ${file}: "${wrong.key.slice(0, 80)}"${wrong.line === undefined ? '' : ` in line ${wrong.line}`} is no image file (${isImage.words}); a line is a path and a label, e.g. cat/1.png 7`,
    );
  }
  const root = resolve(options.root ?? dirname(file));
  const paths = pairs.map(({key}) =>
    key
      .trim()
      .replaceAll('\\', '/')
      .replace(/^(\.\/)+/, '')
      .normalize('NFC'),
  );
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) throw new InputError(`${path} is twice in the list ${file}; keep one of them`);
    seen.add(path);
  }
  const files = pairs.map(({key}) => {
    const path = key.trim().replaceAll('\\', '/');
    return isAbsolute(path) ? path : resolve(root, path);
  });
  await refuseElsewhere(file, root, files);
  const labelled = table.rows.some(({cells}) => cells.length > 1);
  const inFolders = files.map((one) => `${basename(dirname(one))}/${basename(one)}`);
  const folders = [...new Set(inFolders.map((path) => path.split('/')[0]))].sort();
  const labelling = labelled
    ? labellingOf(pairs, paths, file, {
        all: [...new Set(pairs.map(({label}) => label))],
        notes,
        folders: paths.every((path) => path.split('/').length === 2),
      })
    : folderLabelling(file, inFolders, folders, {order: options.classOrder});
  const name = basename(file).replace(/\.\w+$/, '');
  const list = fileImages({name, paths, sourceOf: (index) => ({file: files[index]}), labelling, notes: []}, options);
  // Its files are named one by one: what is written beside it is never read with them.
  return {...list, source: options.root === undefined ? resolve(file) : root};
}

/** @throws InputError where none of the first files is there: a wrong root is no reason to skip a million images one by one */
async function refuseElsewhere(list: string, root: string, files: readonly string[]): Promise<void> {
  const first = files.slice(0, 16);
  const found = await Promise.all(
    first.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (!found.includes(true)) {
    throw new InputError(
      `none of the first ${first.length} files of the list ${list} is there: ${few(first)}; its paths are relative to ${root}, give another ${option('root')}`,
    );
  }
}

/** Whether a path is a file that may be a list. */
export async function isImageList(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile() && /\.(txt|csv|tsv|lst|list|json|jsonl)$/i.test(path),
    () => false,
  );
}
