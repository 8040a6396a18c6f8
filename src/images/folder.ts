import {basename, resolve} from 'node:path';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {folderLabelling, type ClassOrder} from './classFolders';
import {checkedLabels} from './classes';
import {fileImages, type FileImageOptions} from './fileImages';
import {endingTest, findImages, leftOutNotes} from './fileNames';
import {flatNames, mappedLabelling, type LabelOption} from './labelMap';
import type {LabelledImages} from './types';
import {noLabelling} from './unlabelled';

export interface ImageFolderOptions extends FileImageOptions {
  /** Class indices: needed for a flat folder, and where the class folders' names do not say them. */
  labels?: LabelOption;
  /** Extensions of image files, without the dot. @default jpg, jpeg, jpe, jif, jfif, png, webp */
  extensions?: readonly string[];
  /**
   * How class folders are counted: `name`, in the order of their names as text, as torchvision's ImageFolder does; `number`, in the order
   * of the numbers that they are named by. @default `number` where their names are the numbers 0 to K − 1, else `name`
   */
  classOrder?: ClassOrder;
  /** Open the images without labels, whatever folders they lie in: for `discoverConcepts` and `predictedLabels`. @default false */
  unlabelled?: boolean;
}

/**
 * The images of a folder, ordered by relative path (UTF-16 code units). With class sub-folders, sorted folder names are the
 * class indices where there are as many as the model has outputs, and names that are the numbers 0 to K − 1 are the indices themselves;
 * WordNet ids are known to a model with ImageNet's 1000 outputs; otherwise, and for a flat folder, `labels` is required. Hidden files,
 * what NAS boxes and archives leave, and files with other extensions are left out; `notes` says how many of the last.
 * @throws InputError where there are no images or labels do not fit them; `labelsFor` throws where they do not fit the model
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<LabelledImages> {
  const isImage = endingTest(options.extensions);
  const found = await findImages(folder, isImage);
  const {paths, files, folders} = found;
  const name = basename(resolve(folder));
  const leftOut = leftOutNotes(name, found, isImage.words, option);
  if (paths.length === 0) {
    throw new InputError(
      `no images in ${folder}; it needs ${isImage.words} files, in one sub-folder for each class or with labels${leftOut.length > 0 ? `. ${leftOut[0]}` : ''}`,
    );
  }
  const source = resolve(folder);
  const labelling = options.unlabelled
    ? noLabelling(name)
    : options.labels
      ? mappedLabelling(options.labels, paths, source)
      : folderLabelling(folder, paths, folders, {order: options.classOrder});
  const images = fileImages(
    {name, paths, sourceOf: (index) => ({file: files[index]}), labelling, notes: leftOut},
    options,
  );
  return typeof options.labels === 'string' && !options.unlabelled
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
      sourceOf: (index) => ({file: files[index]}),
      labelling: {labels: (outputs) => checkedLabels(labels, paths, outputs), names: flatNames, notes: []},
      notes: [],
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
