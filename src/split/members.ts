import {subset} from '../images';
import {imageListHash} from '../images/listHash';
import type {LabelledImages} from '../images/types';

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

/** Equal for the same images of the same list's name, by which an evaluation notices that it looks at those a rule was fitted on. */
export function conceptImagesHash(images: LabelledImages, owners: Int32Array): string {
  const indices = [...owners.keys()].filter((index) => owners[index] >= 0);
  return `${images.name} ${imageListHash(subset(images, {indices}))}`;
}
