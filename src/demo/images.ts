import {fitTo} from '../images/geometry';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {DEMO_CLASSES, DEMO_SIZE, demoImage} from './generator';
import {DEMO_PRESET} from './network';

/**
 * Seeds of the pictures: `training` is what the networks learned from, `train` what a notebook collects relevance on,
 * `test` what every figure is measured on. No picture occurs in two of them.
 */
export const IMAGE_SEEDS = {training: 1, test: 2, train: 3} as const;

/**
 * Pictures of all 24 classes, class after class, each drawn when it is asked for.
 * @param perClass pictures of each class; more of them begin with the same ones
 * @throws InputError where `perClass` is not a whole number from 1 to 100,000
 */
export function demoImages(set: keyof typeof IMAGE_SEEDS, perClass: number): LabelledImages {
  if (!Number.isInteger(perClass) || perClass < 1 || perClass > 100_000) {
    throw new InputError(
      `invalid number of ${set} images per class: ${perClass}; it is a whole number from 1 to 100000`,
    );
  }
  const name = `demo ${set}`;
  const count = perClass * DEMO_CLASSES.length;
  const paths = Array.from({length: count}, (_, image) => {
    const [k, index] = [Math.floor(image / perClass), image % perClass];
    return `${set}/${DEMO_CLASSES[k]}/${String(index).padStart(5, '0')}`;
  });
  return {
    name,
    paths,
    preset: DEMO_PRESET,
    labelsFor(classes) {
      if (classes !== DEMO_CLASSES.length) {
        throw new InputError(
          `the demo's images are of ${DEMO_CLASSES.length} classes, but the model has ${classes} outputs; use the model that demo() returns with them`,
        );
      }
      return Int32Array.from(paths, (_, image) => Math.floor(image / perClass));
    },
    classNamesFor: (classes) => Array.from({length: classes}, (_, k) => DEMO_CLASSES[k] ?? `class ${k}`),
    async pixels(image, size) {
      const data = demoImage(Math.floor(image / perClass), image % perClass, IMAGE_SEEDS[set]); // [48, 48, 3]
      return fitTo({data, width: DEMO_SIZE, height: DEMO_SIZE}, size, paths[image]);
    },
    toString: () => `${name}: ${count} images of ${DEMO_CLASSES.length} classes, ${DEMO_SIZE} × ${DEMO_SIZE} pixels`,
  };
}
