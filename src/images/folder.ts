import {option} from '../common/options';
import {readdir, realpath, stat} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {checkedLabels, classNames, few, imagenetClasses, imagenetOffset, shownName, wordNetId} from './classes';
import {decodeRgb, type DecodeOptions} from './decode';
import {fitTo} from './geometry';
import {entriesFor, labelIndex, readLabels, type LabelOption} from './labelMap';
import {resolvePreset} from './presets';
import type {LabelledImages, PresetOption} from './types';

export interface FileImageOptions extends DecodeOptions {
  /** The preprocessing. @default the model's */
  preset?: PresetOption;
}

export interface ImageFolderOptions extends FileImageOptions {
  /** Class indices: needed for a flat folder, and where the class folders' names do not say them. */
  labels?: LabelOption;
  /** Extensions of image files, without the dot. @default jpg, jpeg, png, webp */
  extensions?: readonly string[];
}

interface Labelling {
  labels(outputs: number): Int32Array;
  names(outputs: number): string[];
}

/**
 * The images of a folder, ordered by relative path (UTF-16 code units). With class sub-folders, sorted folder names are the
 * class indices where there are as many as the model has outputs; WordNet ids are known to a model with ImageNet's 1000 outputs;
 * otherwise, and for a flat folder, `labels` is required. Hidden files and files with other extensions are left out.
 * @throws InputError where there are no images or labels do not fit them; `labelsFor` throws where they do not fit the model
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<LabelledImages> {
  const extensions = new Set(
    (options.extensions ?? ['jpg', 'jpeg', 'png', 'webp']).map((e) => e.replace(/^\./, '').toLowerCase()),
  );
  const isImage = (name: string) => extensions.has(/\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? '');
  const {paths, folders} = await listImages(folder, isImage);
  if (paths.length === 0) {
    throw new InputError(
      `no images in ${folder}; it needs ${[...extensions].join(', ')} files, in one sub-folder for each class or with labels`,
    );
  }
  const labelling = options.labels
    ? mappedLabelling(paths, entriesFor(readLabels(options.labels), paths), labelSource(options.labels))
    : folderLabelling(folder, paths, folders);
  const images = fileImages(
    {name: basename(resolve(folder)), paths, files: paths.map((path) => join(folder, path)), labelling},
    options,
  );
  const source = resolve(folder);
  return typeof options.labels === 'string'
    ? {...images, source, labelsFile: resolve(options.labels)}
    : {...images, source};
}

/**
 * Images of an array, each a file with its class index, in the order of the array.
 * @throws InputError where the array is empty or an entry lacks its file or label
 */
export function imageFiles(
  list: readonly {file: string; label: number}[],
  options: FileImageOptions = {},
): LabelledImages {
  checkEntries(list);
  const files = list.map(({file}) => file);
  const paths = files.map((file) => file.replaceAll('\\', '/'));
  const labels = list.map(({label}) => label);
  return fileImages(
    {
      name: `${list.length} files`,
      paths,
      files,
      labelling: {labels: (outputs) => checkedLabels(labels, paths, outputs), names: flatNames},
    },
    options,
  );
}

function checkEntries(list: readonly {file: string; label: number}[]): void {
  const entry = '{file: "a.png", label: 3}';
  if (!Array.isArray(list)) throw new InputError(`the files are no array; give [${entry}, …]`);
  if (list.length === 0) throw new InputError('no images in the array; give at least one {file, label}');
  const wrong = list.findIndex((one) => typeof one?.file !== 'string' || typeof one.label !== 'number');
  if (wrong >= 0) {
    throw new InputError(
      `invalid entry ${wrong} of the files: ${JSON.stringify(list[wrong])}; give ${entry}, a path and a class index`,
    );
  }
}

function fileImages(
  {name, paths, files, labelling}: {name: string; paths: string[]; files: string[]; labelling: Labelling},
  {preset, exif = false, icc = false}: FileImageOptions,
): LabelledImages {
  return {
    name,
    paths,
    preset: preset === undefined ? undefined : resolvePreset(preset),
    decoding: [exif && 'exif', icc && 'icc'].filter(Boolean).join(' ') || undefined,
    labelsFor: labelling.labels,
    classNamesFor: labelling.names,
    pixels: async (index, size) => fitTo(await decodeRgb(files[index], paths[index], {exif, icc}), size, paths[index]),
    toString: () => `${name}: ${paths.length} images`,
  };
}

function labelSource(option: LabelOption): string {
  return typeof option === 'string' ? option : 'labels';
}

function mappedLabelling(paths: readonly string[], entries: readonly (number | string)[], source: string): Labelling {
  const labels = (outputs: number) =>
    Int32Array.from(entries, (entry, i) => labelIndex(entry, paths[i], source, outputs));
  return {
    labels,
    names: (outputs) => {
      if (paths.every((path) => !path.includes('/'))) return flatNames(outputs);
      const known = new Map<number, string>();
      labels(outputs).forEach((label, i) => {
        const folder = paths[i].includes('/') ? paths[i].split('/')[0] : undefined;
        const name = shownName(wordNetId(String(entries[i])) ?? folder ?? `class ${label}`);
        // Of several folders for one class none is its name.
        known.set(label, (known.get(label) ?? name) === name ? name : `class ${label}`);
      });
      return classNames(outputs, known);
    },
  };
}

/** Names where no folder gives any: ImageNet's, of a model with its outputs. */
function flatNames(outputs: number): string[] {
  const offset = imagenetOffset(outputs);
  if (offset === undefined) return classNames(outputs);
  return classNames(
    outputs,
    [...imagenetClasses().values()].map(({index, name}) => [index + offset, name] as const),
  );
}

/** No class folders, or images beside them: their labels must be given. */
export class UnlabelledImagesError extends InputError {}

function folderLabelling(folder: string, paths: readonly string[], folders: readonly string[]): Labelling {
  const loose = paths.filter((path) => !path.includes('/'));
  if (loose.length === paths.length) {
    throw new UnlabelledImagesError(
      `no labels for the flat folder ${folder}; sort its images into one sub-folder for each class, or give ${option('labels')}: a JSON or CSV file of file name to class index`,
    );
  }
  if (loose.length) {
    throw new InputError(
      `${loose.length} of the images in ${folder} lie outside its class sub-folders: ${few(loose)}; move them into one, remove them or give ${option('labels')}`,
    );
  }
  const filled = [...new Set(paths.map((path) => path.split('/')[0]))].sort();
  const indices = (outputs: number): ReadonlyMap<string, number> => {
    const classes = filled.length === outputs ? filled : folders.length === outputs ? folders : undefined;
    if (classes) return new Map(classes.map((name, index) => [name, index]));
    const offset = imagenetOffset(outputs);
    if (offset !== undefined) {
      const known = imagenetClasses();
      const found = filled.map((name) => [name, known.get(wordNetId(name) ?? '')?.index] as const);
      const unknown = found.filter(([, index]) => index === undefined).map(([name]) => name);
      if (unknown.length === 0) return new Map(found.map(([name, index]) => [name, index! + offset]));
      if (unknown.length < filled.length) {
        throw new InputError(
          `class folders in ${folder} that are none of ImageNet's 1000 WordNet ids: ${few(unknown)}; remove them or give ${option('labels')}, a JSON or CSV file of folder to class index`,
        );
      }
    }
    throw new InputError(
      `${filled.length} class folders in ${folder} (${few(filled)}), but the model has ${outputs} outputs; give ${option('labels')}, a JSON or CSV file of folder to class index`,
    );
  };
  return {
    labels: (outputs) => {
      const index = indices(outputs);
      return Int32Array.from(paths, (path) => index.get(path.split('/')[0])!);
    },
    names: (outputs) =>
      classNames(
        outputs,
        [...indices(outputs)].map(([name, index]) => [index, shownName(name)] as const),
      ),
  };
}

/** Relative paths of all images below a folder, sorted, and the names of its sub-folders, sorted. Links are followed, loops are not. */
async function listImages(folder: string, isImage: (name: string) => boolean) {
  const paths: string[] = [];
  const folders: string[] = [];
  const walk = async (relative: string, above: readonly string[]): Promise<void> => {
    const here = join(folder, relative);
    const real = await realpath(here);
    if (above.includes(real)) return;
    for (const entry of await readdir(here, {withFileTypes: true})) {
      if (entry.name.startsWith('.')) continue;
      const path = relative ? `${relative}/${entry.name}` : entry.name;
      // A link that leads nowhere counts as a file: it is reported as unreadable, not lost.
      const isFolder = entry.isSymbolicLink()
        ? await stat(join(folder, path)).then(
            (target) => target.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      if (isFolder) {
        if (!relative) folders.push(entry.name);
        await walk(path, [...above, real]);
      } else if (isImage(entry.name)) paths.push(path);
    }
  };
  try {
    await walk('', []);
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError(`no image folder ${folder}; give the path of a folder of images`);
    throw new InputError(`cannot read the image folder ${folder}: ${message}`);
  }
  return {paths: paths.sort(), folders: folders.sort()};
}
