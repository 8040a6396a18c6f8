import {fitTo} from '../images/geometry';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {countText} from '../common/numbers';
import {DEMO_CLASSES, DEMO_SIZE, demoImage} from './generator';
import {DEMO_PRESET} from './network';

/**
 * Seeds of the pictures: `training` is what the networks learned from, `train` what a notebook collects relevance on,
 * `test` what every figure is measured on. No picture occurs in two of them.
 */
export const IMAGE_SEEDS = {training: 1, test: 2, train: 3} as const;

/** Pictures that are kept once they are drawn, at 7 kB each: a notebook passes over the same ones again and again. */
const KEPT = 5000;

/**
 * Pictures of all 24 classes, class after class, each drawn when it is first asked for.
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
  const kept = new Map<number, Uint8Array>();
  const drawn = (image: number): Uint8Array => {
    const known = kept.get(image);
    if (known) return known;
    const data = demoImage(Math.floor(image / perClass), image % perClass, IMAGE_SEEDS[set]); // [48, 48, 3]
    if (kept.size < KEPT) kept.set(image, data);
    return data;
  };
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
      // The caller's own: what it does to it stays out of the kept picture.
      return fitTo({data: drawn(image).slice(), width: DEMO_SIZE, height: DEMO_SIZE}, size, paths[image]);
    },
    toString: () =>
      `${name}: ${countText(count)} images of ${DEMO_CLASSES.length} classes, ${DEMO_SIZE} × ${DEMO_SIZE} pixels`,
  };
}
