import {InputError} from '../common/errors';
import {option} from '../common/options';
import {classNames} from './classes';
import type {Labelling} from './labelling';
import type {LabelledImages} from './types';

/** The labelling of images that have none: what needs no label goes through them all the same. */
export function noLabelling(name: string): Labelling {
  return {
    labels() {
      throw new InputError(
        `the images of ${name} were opened without labels; give ${option('labels')}: a JSON or CSV file of file name to class index, or "predicted" for what the network itself says`,
      );
    },
    names: (outputs) => classNames(outputs),
    notes: [],
  };
}

/** The same images for a pass that looks at no label: all are of class 0. */
export function whateverLabels(images: LabelledImages): LabelledImages {
  return {
    ...images,
    labelsFor: () => new Int32Array(images.paths.length),
    classNamesFor: (outputs) => classNames(outputs),
  };
}
