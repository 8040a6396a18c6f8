import {InputError} from '../common/errors';
import {few} from './classes';
import type {LabelledImages} from './types';

export interface SubsetOptions {
  /** The first images, after the other choices. @default all */
  limit?: number;
  /** Images of these classes only; `classCount`, the number of the model's outputs, is needed with it. @default all */
  classes?: readonly number[];
  classCount?: number;
  /** These images, in this order. @default all, in order */
  indices?: ArrayLike<number>;
}

/**
 * A view of some of the images.
 * @throws InputError where an index is out of range, a class has no images or nothing is left
 */
export function subset(images: LabelledImages, {limit, classes, classCount, indices}: SubsetOptions): LabelledImages {
  const count = images.paths.length;
  let chosen = indices ? Array.from(indices) : Array.from({length: count}, (_, i) => i);
  const wrong = chosen.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (wrong !== undefined) throw new InputError(`invalid image: ${wrong}; ${images.name} has images 0 to ${count - 1}`);
  if (classes) chosen = ofClasses(images, chosen, classes, classCount);
  if (limit !== undefined) {
    if (!Number.isInteger(limit) || limit < 1)
      throw new InputError(`invalid limit: ${limit}; it is a whole number from 1`);
    chosen = chosen.slice(0, limit);
  }
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
    fileOf: images.fileOf && ((index) => images.fileOf?.(chosen[index])),
    classNamesFor: (outputs) => images.classNamesFor(outputs),
    pixels: (index, size) => images.pixels(chosen[index], size),
    toString: () => `${images.name}: ${chosen.length} of ${count} images`,
  };
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
