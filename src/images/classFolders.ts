import {InputError} from '../common/errors';
import {option} from '../common/options';
import {counted} from '../common/words';
import {classNames, few, imagenetClasses, imagenetOffset, shownName, wordNetId} from './classes';
import {splitNote} from './fileNames';
import type {Labelling} from './labelling';

/** How class folders become class indices, see `ImageFolderOptions`. */
export type ClassOrder = 'name' | 'number';

/** No class folders, or images beside them: their labels must be given. */
export class UnlabelledImagesError extends InputError {}

/**
 * Class indices from the folders that images lie in.
 * @param folder what messages call it
 * @param folders all sub-folders, those without images too
 * @param options.archive whether they lie in an archive
 */
export function folderLabelling(
  folder: string,
  paths: readonly string[],
  folders: readonly string[],
  {order, archive = false}: {order?: ClassOrder; archive?: boolean} = {},
): Labelling {
  const loose = paths.filter((path) => !path.includes('/'));
  if (loose.length === paths.length) {
    throw new UnlabelledImagesError(
      `no labels for the flat ${archive ? 'archive' : 'folder'} ${folder}; ${archive ? 'pack' : 'sort'} its images into one ${archive ? 'folder' : 'sub-folder'} for each class, or give ${option('labels')}: a JSON or CSV file of file name to class index`,
    );
  }
  if (loose.length) {
    throw new InputError(
      `${loose.length} of the images in ${folder} lie outside its class sub-folders: ${few(loose)}; move them into one, remove them or give ${option('labels')}`,
    );
  }
  if (order !== undefined && order !== 'name' && order !== 'number') {
    throw new InputError(`invalid ${option('classOrder')}: ${String(order)}; give name or number`);
  }
  const filled = [...new Set(paths.map((path) => path.split('/')[0]))].sort();
  const numbers = numbersOf(folders);
  if (order === 'number' && !numbers) {
    const other = folders.filter((name) => !/^\d+$/.test(name));
    throw new InputError(
      `${option('classOrder')} number needs folders that are named by different numbers, and ${folder} has ${few(other.length ? other : folders)}; rename them or give ${option('labels')}`,
    );
  }
  const indices = (outputs: number): ReadonlyMap<string, number> => {
    if (numbers && order !== 'name') {
      const found = byNumber(filled, folders, numbers, outputs, order);
      if (found) return found;
    }
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
    // The folder's note has said why.
    const splits = splitNote(folder, folders) && 'open one of them, or ';
    throw new InputError(
      `${counted(filled.length, 'class folder')} in ${folder} (${few(filled)}), but the model has ${outputs} outputs; ${splits ?? (filled.length === 1 ? 'open that folder, or ' : '')}give ${option('labels')}, a JSON or CSV file of folder to class index`,
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
    notes: [
      ...(numbers ? numberNotes(folder, folders, numbers, order) : []),
      ...[splitNote(folder, folders)].filter((note) => note !== undefined),
    ],
  };
}

/** The numbers that all folders are named by, whatever zeros they begin with; undefined where one is none, or two are the same. */
function numbersOf(folders: readonly string[]): ReadonlyMap<string, number> | undefined {
  if (!folders.every((name) => /^\d{1,9}$/.test(name))) return undefined;
  const numbers = new Map(folders.map((name) => [name, Number(name)]));
  return new Set(numbers.values()).size === folders.length ? numbers : undefined;
}

/** Whether the numbers are 0 … K − 1. */
function isIndices(numbers: ReadonlyMap<string, number>): boolean {
  return [...numbers.values()].every((number) => number < numbers.size);
}

function byNumber(
  filled: readonly string[],
  folders: readonly string[],
  numbers: ReadonlyMap<string, number>,
  outputs: number,
  order: ClassOrder | undefined,
): ReadonlyMap<string, number> | undefined {
  const largest = Math.max(...numbers.values());
  // Of 1001 outputs TensorFlow's first is a background: whether 0 … 999 count it, names do not tell.
  const shifted = outputs === 1001 && largest < 1000 && order === undefined;
  if (folders.length === outputs && isIndices(numbers)) return numbers;
  if (order === 'number') {
    const ranked = [filled, folders].find((names) => names.length === outputs);
    if (ranked) {
      const sorted = [...ranked].sort((a, b) => numbers.get(a)! - numbers.get(b)!);
      return new Map(sorted.map((name, index) => [name, index]));
    }
  }
  // Fewer folders than outputs: they can be nothing but indices.
  if (folders.length < outputs && largest < outputs && !shifted) return numbers;
  return undefined;
}

function numberNotes(
  folder: string,
  folders: readonly string[],
  numbers: ReadonlyMap<string, number>,
  order: ClassOrder | undefined,
): string[] {
  const sorted = [...folders].sort((a, b) => numbers.get(a)! - numbers.get(b)!);
  const differs = sorted.some((name, at) => name !== folders[at]);
  const asText = `${folders.slice(0, 4).join(', ')}${folders.length > 4 ? ', …' : ''}`;
  if (order === 'name') return [];
  if (isIndices(numbers)) {
    const said = `the class folders of ${folder} are named by the numbers 0 to ${folders.length - 1}: the name is the class index`;
    if (!differs) return [said];
    return [
      `${said}; a network that was trained with torchvision's ImageFolder counts them in the order of text (${asText}): give ${option('classOrder')} name for that`,
    ];
  }
  if (!differs || order === 'number') return [];
  return [
    `the class folders of ${folder} are named by numbers; where they are as many as the network's outputs they are counted in the order of text (${asText}), as torchvision's ImageFolder does: give ${option('classOrder')} number for the order of numbers`,
  ];
}
