import {InputError} from '../common/errors';
import {countText} from '../common/numbers';
import {option} from '../common/options';
import {few} from './classes';
import type {LabelledImages} from './types';

export interface SubsetOptions {
  /**
   * So many images, after the other choices: of each class as many, as far as it has them, the first ones; without `classCount` of each
   * top folder. They keep their order. @default all
   */
  limit?: number;
  /** At most so many images of each class (of each top folder without `classCount`), the first ones. @default all */
  perClass?: number;
  /** Images of these classes only; `classCount` is needed with it. @default all */
  classes?: readonly number[];
  /** The number of the model's outputs, by which images have their classes. */
  classCount?: number;
  /** These images, in this order. @default all, in order */
  indices?: ArrayLike<number>;
}

/**
 * A view of some of the images.
 * @throws InputError where an index is out of range, a class has no images or nothing is left
 */
export function subset(
  images: LabelledImages,
  {limit, perClass, classes, classCount, indices}: SubsetOptions,
): LabelledImages {
  const count = images.paths.length;
  let chosen = indices ? Array.from(indices) : Array.from({length: count}, (_, i) => i);
  const wrong = chosen.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (wrong !== undefined) throw new InputError(`invalid image: ${wrong}; ${images.name} has images 0 to ${count - 1}`);
  if (classes) chosen = ofClasses(images, chosen, classes, classCount);
  for (const [name, value] of Object.entries({limit, perClass})) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      throw new InputError(`invalid ${option(name)}: ${value}; it is a whole number from 1`);
  }
  if (perClass !== undefined || limit !== undefined) chosen = spread(images, chosen, {limit, perClass, classCount});
  if (chosen.length === 0) throw new InputError(`no images are left of ${images.name}; choose at least one`);
  return {
    name: images.name,
    paths: chosen.map((index) => images.paths[index]),
    preset: images.preset,
    decoding: images.decoding,
    concurrency: images.concurrency,
    notes: images.notes,
    labelsFile: images.labelsFile,
    source: images.source,
    labelsFor(outputs) {
      const labels = images.labelsFor(outputs);
      return Int32Array.from(chosen, (index) => labels[index]);
    },
    sourceOf: images.sourceOf && ((index) => images.sourceOf?.(chosen[index])),
    classNamesFor: (outputs) => images.classNamesFor(outputs),
    pixels: (index, size) => images.pixels(chosen[index], size),
    toString: () => `${images.name}: ${countText(chosen.length)} of ${countText(count)} images`,
  };
}

/**
 * Of each group as many as the others, the first ones of each, in their order. Where `limit` is no multiple of the groups, large
 * ones, and of equal ones the first, have one more.
 */
function spread(
  images: LabelledImages,
  chosen: readonly number[],
  {limit = Infinity, perClass = Infinity, classCount}: Pick<SubsetOptions, 'limit' | 'perClass' | 'classCount'>,
): number[] {
  const labels = classCount === undefined ? undefined : images.labelsFor(classCount);
  const groupOf = (index: number) => {
    if (labels) return labels[index];
    const path = images.paths[index];
    return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
  };
  const sizes = new Map<number | string, number>();
  for (const index of chosen) sizes.set(groupOf(index), (sizes.get(groupOf(index)) ?? 0) + 1);
  const quotas = new Map([...sizes].map(([group, size]) => [group, Math.min(size, perClass)]));
  let left = limit;
  // From the smallest group on, each has its share of what those before it have left.
  const ascending = [...quotas].reverse().sort(([, one], [, other]) => one - other);
  const share = new Map<number | string, number>();
  ascending.forEach(([group, quota], at) => {
    const own = Math.min(quota, Math.floor(left / (ascending.length - at)));
    share.set(group, own);
    left -= own;
  });
  return chosen.filter((index) => {
    const group = groupOf(index);
    const own = share.get(group)!;
    share.set(group, own - 1);
    return own > 0;
  });
}

function ofClasses(
  images: LabelledImages,
  chosen: number[],
  classes: readonly number[],
  classCount?: number,
): number[] {
  if (classCount === undefined)
    throw new InputError("classes are chosen without classCount; give the number of the model's outputs");
  const labels = images.labelsFor(classCount);
  const wanted = new Set(classes);
  const present = new Set(chosen.map((index) => labels[index]));
  const absent = [...wanted].filter((label) => !present.has(label));
  if (absent.length) {
    const others = [...present].sort((a, b) => a - b).map(String);
    throw new InputError(
      `no images of class ${few(absent.map(String))} in ${images.name}; it has images of ${few(others)}`,
    );
  }
  return chosen.filter((index) => wanted.has(labels[index]));
}
