import {readdir, realpath, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {InputError} from '../common/errors';
import {counted} from '../common/words';
import {few} from './classes';

/** Endings that are read where the caller names none; `jfif`, `jpe` and `jif` are other endings of JPEG files. */
export const EXTENSIONS: readonly string[] = ['jpg', 'jpeg', 'jpe', 'jif', 'jfif', 'png', 'webp'];

/** What file systems, archives and notebooks leave between images: neither classes nor images, and nobody misses them. */
const LITTER = new Set([
  '@eadir',
  '@recycle',
  '#recycle',
  '__macosx',
  '$recycle.bin',
  'lost+found',
  'system volume information',
  'thumbs.db',
  'desktop.ini',
  'icon\r',
]);

/** Files beside images whose absence among them surprises nobody. */
const TEXT = new Set(
  'txt csv tsv json jsonl md xml html htm yml yaml log py ipynb sh pdf mat pkl lst rec idx'.split(' '),
);

/** Whether a file or folder is hidden (also `.ipynb_checkpoints`, `._x`, `.DS_Store`) or litter. */
export function isLitter(name: string): boolean {
  return name.startsWith('.') || LITTER.has(name.toLowerCase());
}

/** Whether a file is text that belongs to images rather than one of them. */
export function isText(name: string): boolean {
  return TEXT.has(endingOf(name));
}

/** The ending of a file's name in lower case, without the dot; '' where there is none. */
export function endingOf(name: string): string {
  return /[^/]\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? '';
}

/** Whether a file's name has one of the endings, given with or without the dot. */
export function endingTest(extensions: readonly string[] = EXTENSIONS): ((name: string) => boolean) & {words: string} {
  const endings = new Set(extensions.map((extension) => extension.replace(/^\./, '').toLowerCase()));
  return Object.assign((name: string) => endings.has(endingOf(name)), {words: [...endings].join(', ')});
}

export interface FoundImages {
  /** Relative paths, `/` as separator, composed (NFC), sorted by UTF-16 code units. */
  paths: string[];
  /** The files themselves, in the same order. */
  files: string[];
  /** Names of the sub-folders, sorted. */
  folders: string[];
  /** How many files were left out, by ending. */
  leftOut: ReadonlyMap<string, number>;
}

/** Folders in folders; nobody sorts images deeper. */
const MOST_DEPTH = 64;

/** All images below a folder. Links are followed, loops are not. @throws InputError where it cannot be read */
export async function findImages(folder: string, isImage: (name: string) => boolean): Promise<FoundImages> {
  const found: string[] = [];
  const folders: string[] = [];
  const leftOut = new Map<string, number>();
  const walk = async (relative: string, above: readonly string[]): Promise<void> => {
    const here = join(folder, relative);
    if (above.length > MOST_DEPTH) {
      throw new InputError(
        `the folders in ${folder} are nested deeper than ${MOST_DEPTH} levels; give one further inside, or put the images into one sub-folder for each class`,
      );
    }
    const real = await realpath(here);
    if (above.includes(real)) return;
    for (const entry of await readdir(here, {withFileTypes: true})) {
      if (isLitter(entry.name)) continue;
      const path = relative ? `${relative}/${entry.name}` : entry.name;
      // A link that leads nowhere counts as a file: it is reported as unreadable, not lost.
      const isFolder = entry.isSymbolicLink()
        ? await stat(join(folder, path)).then(
            (target) => target.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      if (isFolder) {
        if (!relative) folders.push(entry.name.normalize('NFC'));
        await walk(path, [...above, real]);
      } else if (isImage(entry.name)) found.push(path);
      else if (!isText(entry.name)) {
        leftOut.set(endingOf(entry.name), (leftOut.get(endingOf(entry.name)) ?? 0) + 1);
      }
    }
  };
  try {
    await walk('', []);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError(`no image folder ${folder}; give the path of a folder of images`);
    if (code === 'ENOTDIR') {
      throw new InputError(
        `${folder} is no folder of images; give a folder, a tar archive, or a list of files (.txt, .csv, .tsv, .jsonl)`,
      );
    }
    throw new InputError(`cannot read the image folder ${folder}: ${message}`);
  }
  const composed = new Map(found.map((path) => [path.normalize('NFC'), path]));
  // Two names that differ in their form alone stay two images.
  const paths = composed.size === found.length ? [...composed.keys()].sort() : found.sort();
  const files = paths.map((path) => join(folder, composed.size === found.length ? composed.get(path)! : path));
  return {paths, files, folders: folders.sort(), leftOut};
}

/** What was left out, in a sentence; none where nothing was. */
export function leftOutNotes(
  name: string,
  {paths, folders, leftOut}: Omit<FoundImages, 'files'>,
  read: string,
  option: (name: string) => string,
): string[] {
  const notes: string[] = [];
  const count = [...leftOut.values()].reduce((sum, files) => sum + files, 0);
  if (count > 0) {
    const endings = [...leftOut]
      .sort(([, one], [, other]) => other - one)
      .map(([ending, files]) => `${files} ${ending === '' ? 'without an ending' : `.${ending}`}`);
    notes.push(
      `${counted(count, 'file')} in ${name} ${count === 1 ? 'was' : 'were'} left out (${few(endings)}), since only ${read} files are taken for images; give ${option('extensions')} to take others`,
    );
  }
  const filled = new Set(paths.map((path) => path.split('/')[0]));
  const empty = folders.filter((folder) => !filled.has(folder));
  if (empty.length > 0 && empty.length < folders.length) {
    notes.push(`${counted(empty.length, 'class folder')} in ${name} without images: ${few(empty)}`);
  }
  return notes;
}

const SPLIT =
  /^(\w+[_-])?(train(ing)?|val(id(ation)?)?|test(ing)?|dev|eval(uation)?|hold-?out)([_-]?(set|data|images|\d+))?$/i;

/** A sentence where a folder's sub-folders are called as the splits of a data set are. */
export function splitNote(name: string, folders: readonly string[]): string | undefined {
  if (folders.length < 2 || !folders.every((folder) => SPLIT.test(folder))) return undefined;
  return `the folders of ${name}, ${folders.join(' and ')}, look like the splits of a data set, not like classes; open one of them`;
}
