import {InputError} from '../common/errors';
import {countText} from '../common/numbers';
import {fitTo} from '../images/geometry';
import type {LabelledImages, Preset} from '../images/types';
import {CLASS_PARTS, KNOWN_CLASSES, PARTS} from './parts';
import {KNOWN_SIZE, knownPicture, type KnownPicture} from './pictures';

/** Pixels as the known networks take them: x / 255 − 0.5. */
export const KNOWN_PRESET: Preset = {name: 'known', mean: [0.5, 0.5, 0.5], std: [1, 1, 1]};

/**
 * Seeds of the pictures: `training` is what the networks learned from, `train` what statistics are collected and splits are fitted on,
 * `test` what is measured on. No picture occurs in two of them.
 */
export const KNOWN_SEEDS = {training: 11, test: 12, train: 13, single: 14} as const;

/** Picture `index` of a class; `without` leaves one of its parts out. */
export function classPicture(
  set: 'training' | 'test' | 'train',
  k: number,
  index: number,
  without?: number,
): KnownPicture {
  return knownPicture(CLASS_PARTS[k], [KNOWN_SEEDS[set], k, index], without);
}

/** Picture `index` of a part alone. */
export function singlePicture(part: number, index: number): KnownPicture {
  return knownPicture([part], [KNOWN_SEEDS.single, part, index]);
}

/** Where pictures come from. */
export interface Pictures {
  ofClass: typeof classPicture;
  single: typeof singlePicture;
}

/** Every picture is drawn when it is asked for. */
export const drawnAnew: Pictures = {ofClass: classPicture, single: singlePicture};

/** Every picture is drawn once and kept, 12 kB each: for several networks that see the same pictures. */
export function keptPictures(): Pictures {
  const kept = new Map<string, KnownPicture>();
  const once = <A extends unknown[]>(name: string, draw: (...args: A) => KnownPicture) => {
    return (...args: A) => {
      const key = [name, ...args].join();
      const picture = kept.get(key) ?? draw(...args);
      kept.set(key, picture);
      return picture;
    };
  };
  return {ofClass: once('class', classPicture), single: once('single', singlePicture)};
}

/**
 * Pictures of all 24 classes, class after class, each drawn when it is asked for.
 * @throws InputError where `perClass` is not a whole number from 1 to 100,000
 */
export function knownImages(
  set: 'training' | 'test' | 'train',
  perClass: number,
  {ofClass}: Pictures = drawnAnew,
): LabelledImages {
  if (!Number.isInteger(perClass) || perClass < 1 || perClass > 100_000) {
    throw new InputError(
      `invalid number of ${set} images per class: ${perClass}; it is a whole number from 1 to 100000`,
    );
  }
  const count = perClass * CLASS_PARTS.length;
  const name = `known ${set}`;
  const paths = Array.from({length: count}, (_, image) => {
    const parts = CLASS_PARTS[Math.floor(image / perClass)].map((part) => PARTS[part]).join('-');
    return `${set}/${parts}/${String(image % perClass).padStart(5, '0')}`;
  });
  return {
    name,
    paths,
    preset: KNOWN_PRESET,
    labelsFor(classes) {
      if (classes !== CLASS_PARTS.length) {
        throw new InputError(
          `these pictures are of ${CLASS_PARTS.length} classes, but the model has ${classes} outputs; use a model of knownNetwork()`,
        );
      }
      return Int32Array.from(paths, (_, image) => Math.floor(image / perClass));
    },
    classNamesFor: (classes) => Array.from({length: classes}, (_, k) => KNOWN_CLASSES[k] ?? `class ${k}`),
    async pixels(image, size) {
      const data = ofClass(set, Math.floor(image / perClass), image % perClass).pixels; // [64, 64, 3]
      return fitTo({data, width: KNOWN_SIZE, height: KNOWN_SIZE}, size, paths[image]);
    },
    toString: () =>
      `${name}: ${countText(count)} images of ${CLASS_PARTS.length} classes, ${KNOWN_SIZE} × ${KNOWN_SIZE} pixels`,
  };
}
