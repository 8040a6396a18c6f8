import {readFileSync} from 'node:fs';
import {basename} from 'node:path';
import {InputError} from '../common/errors';
import type {PixelSize, Preset, PresetOption} from './types';

const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
const IMAGENET_DEVIATION = [0.229, 0.224, 0.225] as const;

/**
 * - `torch-imagenet`: torchvision's evaluation transform: shorter side 256, centre crop 224, ImageNet mean and deviation.
 * - `tf`: shorter side 256, centre crop 224, −1..1.
 * - `cifar`: ImageNet mean and deviation, no resize.
 *
 * For an input other than 224 × 224 the shorter side of the first two is 256/224 of it.
 */
export const PRESETS: Readonly<Record<'torch-imagenet' | 'tf' | 'cifar', Preset>> = {
  'torch-imagenet': {
    name: 'torch-imagenet',
    shorterSide: 256,
    cropSide: 224,
    rounding: 'torchvision',
    mean: IMAGENET_MEAN,
    deviation: IMAGENET_DEVIATION,
  },
  tf: {
    name: 'tf',
    shorterSide: 256,
    cropSide: 224,
    rounding: 'nearest',
    mean: [0.5, 0.5, 0.5],
    deviation: [0.5, 0.5, 0.5],
  },
  cifar: {name: 'cifar', mean: IMAGENET_MEAN, deviation: IMAGENET_DEVIATION},
};

/**
 * The preset of a name, of a JSON file's path (ends in `.json`) or of one's own fields.
 * @throws InputError where there is no such preset or a field of it is invalid
 */
export function resolvePreset(option: PresetOption): Preset {
  if (typeof option !== 'string') return checkedPreset(option, 'preset');
  if (Object.hasOwn(PRESETS, option)) return PRESETS[option as keyof typeof PRESETS];
  if (!option.toLowerCase().endsWith('.json')) {
    throw new InputError(
      `no preset "${option}"; presets: ${Object.keys(PRESETS).join(', ')}, or the path of a JSON file with mean, deviation and perhaps shorterSide`,
    );
  }
  let fields: unknown;
  try {
    fields = JSON.parse(readFileSync(option, 'utf8'));
  } catch (error) {
    throw new InputError(`cannot read the preset ${option}: ${(error as Error).message}`);
  }
  if (typeof fields !== 'object' || fields === null) {
    throw new InputError(`invalid preset ${option}: not a JSON object; it needs mean and deviation`);
  }
  return checkedPreset({name: basename(option, '.json'), ...fields} as Preset, option);
}

function checkedPreset(preset: Preset, where: string): Preset {
  const {name, shorterSide, cropSide, rounding, mean, deviation} = preset;
  const refuse = (field: string, value: unknown, valid: string): never => {
    throw new InputError(`invalid ${field} in ${where}: ${JSON.stringify(value)}; ${valid}`);
  };
  if (typeof name !== 'string') refuse('name', name, 'it is a word');
  for (const [field, side] of [
    ['shorterSide', shorterSide],
    ['cropSide', cropSide],
  ] as const) {
    if (side !== undefined && !(Number.isInteger(side) && side >= 1 && side <= 16384)) {
      refuse(field, side, 'it is a whole number of pixels from 1 to 16384');
    }
  }
  if (rounding !== undefined && rounding !== 'torchvision' && rounding !== 'nearest') {
    refuse('rounding', rounding, 'it is torchvision or nearest');
  }
  const triple = (values: unknown): values is readonly number[] =>
    Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);
  if (!triple(mean)) refuse('mean', mean, 'it is three numbers on the scale 0..1, red, green and blue');
  if (!triple(deviation) || deviation.some((value) => value <= 0)) {
    refuse('deviation', deviation, 'it is three numbers above 0 on the scale 0..1, red, green and blue');
  }
  return {name, shorterSide, cropSide, rounding, mean, deviation};
}

/**
 * The geometry that a preset asks for at an input of `height` × `width` pixels.
 * @throws InputError where the shorter side is less than the crop
 */
export function pixelSize(preset: Preset, height: number, width: number): PixelSize {
  const {shorterSide, cropSide, rounding} = preset;
  if (shorterSide === undefined) return {height, width};
  const larger = Math.max(height, width);
  const side = cropSide === undefined ? shorterSide : Math.round((shorterSide * larger) / cropSide);
  if (side < larger) {
    throw new InputError(
      `preset ${preset.name} resizes the shorter side to ${side} pixels, less than the input of ${height} × ${width}; give a preset with shorterSide ${larger} or more`,
    );
  }
  return {height, width, shorterSide: side, rounding};
}
