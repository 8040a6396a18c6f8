import {InputError} from '../common/errors';
import {countText} from '../common/numbers';
import {checkedLabels, classNames} from './classes';
import {fitTo} from './geometry';
import {resolvePreset} from './presets';
import type {LabelledImages, PresetOption} from './types';

export interface PixelImages {
  name: string;
  /** RGB of each image, [height, width, 3], 0..255, or a function that makes it. */
  pixels: readonly Uint8Array[] | ((index: number) => Uint8Array | Promise<Uint8Array>);
  height: number;
  width: number;
  /** Class index of each image. */
  labels: ArrayLike<number>;
  /** What identifies each image. @default image number, five digits */
  paths?: readonly string[];
  /** By class index. */
  classNames?: readonly string[];
  /** The preprocessing. @default the model's */
  preset?: PresetOption;
}

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;

/**
 * Images in memory, or made when they are needed.
 * @throws InputError where there are none, or the lists do not have one length
 */
export function imagesFromPixels(source: PixelImages): LabelledImages {
  const {name, pixels, height, width, labels} = source;
  const count = labels.length;
  if (count === 0) throw new InputError(`no images in ${name}; give at least one label`);
  const paths = source.paths ?? Array.from({length: count}, (_, index) => String(index).padStart(5, '0'));
  for (const [list, length] of [
    ['paths', paths.length],
    ['pixels', typeof pixels === 'function' ? count : pixels.length],
  ] as const) {
    if (length !== count)
      throw new InputError(`${length} ${list} for ${count} labels of ${name}; give one for each image`);
  }
  return {
    name,
    paths,
    preset: source.preset === undefined ? undefined : resolvePreset(source.preset),
    labelsFor: (outputs) => checkedLabels(labels, paths, outputs),
    classNamesFor: (outputs) => classNames(outputs, source.classNames?.entries()),
    async pixels(index, size) {
      const data = await (typeof pixels === 'function' ? pixels(index) : pixels[index]); // [height, width, 3]
      if (data.length !== height * width * 3) {
        throw new InputError(
          `image ${paths[index]} of ${name} has ${data.length} values; ${height} × ${width} × 3 are needed`,
        );
      }
      const wrong =
        data instanceof Uint8Array ? -1 : Array.from(data as ArrayLike<number>).findIndex((value) => !isByte(value));
      if (wrong >= 0) {
        throw new InputError(
          `image ${paths[index]} of ${name} has the value ${data[wrong]}; pixels are whole numbers from 0 to 255, as a Uint8Array`,
        );
      }
      return fitTo({data, height, width}, size, paths[index]);
    },
    toString: () => `${name}: ${countText(count)} images`,
  };
}
