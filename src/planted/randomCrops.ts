import {resizeAndCrop} from '../images/resize';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {uniforms} from '../common/random';
import {seedFor} from './seedFor';

export interface RandomCropOptions {
  /** Crops of each image, from this one on, so that two lists can have different ones. @default 0 */
  from?: number;
  /** Crops of each image. */
  count: number;
  /** Smallest share of the image's area. @default 0.4 */
  area?: number;
  /** A whole number. @default 0 */
  seed?: number;
}

/** The widest a crop is, against its height; its inverse is the narrowest. */
const ASPECT = 4 / 3;

/**
 * Random crops of images, half of them flipped left to right, resized to the image's own size: several images of a class where there is
 * one photograph. They share a source, so what holds on held-out crops need not hold on other photographs. Each crop is the same
 * whenever it is asked for.
 * @throws InputError for a count that is not a whole number from 1, or an area beyond 0..1
 */
export function randomCrops(
  images: LabelledImages,
  {from = 0, count, area = 0.4, seed = 0}: RandomCropOptions,
): LabelledImages {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InputError(`invalid number of crops: ${count}; give a whole number from 1`);
  if (!(area > 0 && area <= 1)) throw new InputError(`invalid area: ${area}; give a share above 0 and up to 1`);
  const total = images.paths.length * count;
  const originalOf = (index: number) => Math.floor(index / count);
  const paths = Array.from(
    {length: total},
    (_, index) => `${images.paths[originalOf(index)]}#crop${from + (index % count)}`,
  );
  // Neighbouring crops are of one image, which is decoded once.
  let last: {original: number; key: string; pixels: Promise<Uint8Array>} | undefined;
  return {
    name: `crops of ${images.name}`,
    paths,
    preset: images.preset,
    source: images.source,
    decoding: `${images.decoding ?? ''} random crops ${JSON.stringify({area, seed})}`,
    labelsFor(outputs) {
      const labels = images.labelsFor(outputs);
      return Int32Array.from(paths, (_, index) => labels[originalOf(index)]);
    },
    classNamesFor: (outputs) => images.classNamesFor(outputs),
    async pixels(index, size) {
      const original = originalOf(index);
      const key = JSON.stringify(size);
      if (last?.original !== original || last.key !== key) {
        last = {original, key, pixels: images.pixels(original, size)};
      }
      const data = await last.pixels; // [height, width, 3]
      return cropped(data, size, area, uniforms(5, seedFor('crop', seed, paths[index])));
    },
    toString: () => `crops of ${images.name}: ${total} images`,
  };
}

function cropped(
  data: Uint8Array,
  {height, width}: {height: number; width: number},
  area: number,
  [share, shape, top, left, flip]: Float64Array,
): Uint8Array {
  const scale = area + (1 - area) * share;
  const aspect = ASPECT ** (2 * shape - 1);
  const rows = Math.min(height, Math.floor(height * Math.sqrt(scale / aspect)));
  const columns = Math.min(width, Math.floor(width * Math.sqrt(scale * aspect)));
  const y = Math.floor(top * (height - rows + 1));
  const x = Math.floor(left * (width - columns + 1));
  const crop = new Uint8Array(rows * columns * 3);
  for (let row = 0; row < rows; row++) {
    const start = ((y + row) * width + x) * 3;
    crop.set(data.subarray(start, start + columns * 3), row * columns * 3);
  }
  const whole = {left: 0, top: 0, width, height};
  const resized = resizeAndCrop({data: crop, width: columns, height: rows}, {width, height}, whole); // [height, width, 3]
  return flip < 0.5 ? flipped(resized, height, width) : resized;
}

/** Left and right exchanged. */
function flipped(pixels: Uint8Array, height: number, width: number): Uint8Array {
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] = pixels[(y * width + width - 1 - x) * 3 + c];
    }
  }
  return out;
}
