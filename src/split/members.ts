import {InputError} from '../common/errors';
import {namedClasses} from '../common/words';
import {subset} from '../images';
import {imageListHash} from '../images/listHash';
import type {LabelledImages} from '../images/types';

/** Fewer images of a concept than this say little. */
export const FEW_IMAGES = 10;

/** The images that belong to a concept: those named, else those of its classes. */
export interface Members {
  classes: readonly number[];
  /** Paths of its images, where it was found without labels. */
  images?: readonly string[];
}

/** The concept that each image belongs to, −1 for none, [N]; labels are not asked for where all concepts name their images. */
export function conceptsOfImages(images: LabelledImages, outputs: number, concepts: readonly Members[]): Int32Array {
  const named = new Map(concepts.flatMap((concept, j) => (concept.images ?? []).map((path) => [path, j] as const)));
  const labels = concepts.every((concept) => concept.images) ? undefined : images.labelsFor(outputs);
  return Int32Array.from(images.paths, (path, n) => {
    const byName = named.get(path);
    if (byName !== undefined || !labels) return byName ?? -1;
    return concepts.findIndex((concept) => !concept.images && concept.classes.includes(labels[n]));
  });
}

/**
 * The images of each concept, ascending.
 * @throws InputError for a concept without images
 */
export function imagesByConcept(
  images: LabelledImages,
  outputs: number,
  concepts: readonly (Members & {classNames: readonly string[]})[],
): number[][] {
  const owners = conceptsOfImages(images, outputs, concepts);
  return concepts.map(({classes, classNames}, j) => {
    const own = [...owners.keys()].filter((index) => owners[index] === j);
    if (own.length === 0) {
      throw new InputError(
        `the images ${images.name} have none of ${namedClasses({classes, classNames})}; give images of every concept's classes`,
      );
    }
    return own;
  });
}

/** Equal for the same images of the same list's name, by which an evaluation notices that it looks at those a rule was fitted on. */
export function conceptImagesHash(images: LabelledImages, byConcept: readonly (readonly number[])[]): string {
  const indices = byConcept.flat().sort((a, b) => a - b);
  return `${images.name} ${imageListHash(subset(images, {indices}))}`;
}
