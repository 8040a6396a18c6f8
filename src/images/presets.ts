import {basename} from 'node:path';
import * as v from 'valibot';
import {InputError} from '../common/errors';
import {isRecord} from '../common/isRecord';
import {parseJson, repeatedKey} from '../common/json';
import {currentPreset} from '../common/fields';
import {readTextFile} from '../files/regularFile';
import {timmPreset} from './timmPresets';
import type {PixelSize, Preset, PresetOption} from './types';

const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/**
 * - `torch-imagenet`: torchvision's evaluation transform: shorter side 256, centre crop 224, ImageNet mean and standard deviation.
 * - `tf`: shorter side 256, centre crop 224, −1..1.
 * - `cifar`: ImageNet mean and standard deviation, no resize.
 * - `raw`: 0..255 as they are, for a network that begins with its own preprocessing; resized and cropped as `tf`.
 *
 * For an input other than 224 × 224 the shorter side of `torch-imagenet`, `tf` and `raw` is 256/224 of it.
 */
export const PRESETS: Readonly<Record<'torch-imagenet' | 'tf' | 'cifar' | 'raw', Preset>> = {
  'torch-imagenet': {
    name: 'torch-imagenet',
    shorterSide: 256,
    cropSide: 224,
    rounding: 'torchvision',
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
  },
  tf: {
    name: 'tf',
    shorterSide: 256,
    cropSide: 224,
    rounding: 'nearest',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  },
  cifar: {name: 'cifar', mean: IMAGENET_MEAN, std: IMAGENET_STD},
  raw: {
    name: 'raw',
    shorterSide: 256,
    cropSide: 224,
    rounding: 'nearest',
    mean: [0, 0, 0],
    std: [1 / 255, 1 / 255, 1 / 255],
  },
};

const PIXELS = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16384));
const number = v.pipe(v.number(), v.finite());
const positive = v.pipe(number, v.gtValue(0));

/** What each field must be, and the words for it. */
const FIELDS = {
  name: {schema: v.string(), wanted: 'a word'},
  mean: {
    schema: v.strictTuple([number, number, number]),
    wanted: 'three numbers on the scale 0..1, red, green and blue',
  },
  std: {
    schema: v.strictTuple([positive, positive, positive]),
    wanted: 'three numbers above 0 on the scale 0..1, red, green and blue',
  },
  shorterSide: {schema: v.optional(PIXELS), wanted: 'a whole number of pixels from 1 to 16384'},
  cropSide: {schema: v.optional(PIXELS), wanted: 'a whole number of pixels from 1 to 16384'},
  rounding: {schema: v.optional(v.picklist(['torchvision', 'nearest'])), wanted: 'torchvision or nearest'},
  interpolation: {schema: v.optional(v.picklist(['bilinear', 'bicubic'])), wanted: 'bilinear or bicubic'},
  assumed: {schema: v.optional(v.boolean()), wanted: 'true or false'},
} as const;
const PRESET = v.strictObject({
  name: FIELDS.name.schema,
  mean: FIELDS.mean.schema,
  std: FIELDS.std.schema,
  shorterSide: FIELDS.shorterSide.schema,
  cropSide: FIELDS.cropSide.schema,
  rounding: FIELDS.rounding.schema,
  interpolation: FIELDS.interpolation.schema,
  assumed: FIELDS.assumed.schema,
});
const MAX_FILE_BYTES = 2 ** 20;

/**
 * The preset of a name (of timm's published weights as `timm/resnet50.a1_in1k`), of a JSON file's path (ends in `.json`) or of one's own fields.
 * @param notes receives a sentence where the old name `deviation` stands for `std`
 * @throws InputError where there is no such preset, or a field of it is invalid or unknown
 */
export function resolvePreset(option: PresetOption, notes: string[] = []): Preset {
  if (typeof option !== 'string') return checkedPreset(option, 'preset', notes);
  if (Object.hasOwn(PRESETS, option)) return PRESETS[option as keyof typeof PRESETS];
  const timm = timmPreset(option);
  if (timm) return timm;
  if (!option.toLowerCase().endsWith('.json')) {
    throw new InputError(
      `no preset "${option}"; presets: ${Object.keys(PRESETS).join(', ')}, timm's as timm/resnet50.a1_in1k, or the path of a JSON file with mean, std and perhaps shorterSide`,
    );
  }
  let fields: unknown;
  let twice: string | undefined;
  try {
    const text = readTextFile(option, MAX_FILE_BYTES);
    fields = parseJson(text);
    twice = repeatedKey(text);
  } catch (error) {
    throw new InputError(
      `cannot read the preset ${option}: ${(error as Error).message}; it holds {"mean": [r, g, b], "std": [r, g, b]}`,
    );
  }
  if (twice !== undefined) throw new InputError(`${shown(twice)} stands twice in ${option}; keep one of them`);
  if (!isRecord(fields)) {
    throw new InputError(`invalid preset ${option}: not a JSON object; it needs mean and std`);
  }
  return checkedPreset({name: basename(option).replace(/\.json$/i, ''), ...fields}, option, notes);
}

function checkedPreset(given: unknown, where: string, notes: string[]): Preset {
  const fields = currentPreset(given);
  if (fields !== given) notes.push(`${where} names its std by the old word deviation; call it std`);
  const checked = v.safeParse(PRESET, fields);
  if (!checked.success) {
    const [{path, input}] = checked.issues;
    const field = path ? String(path[0].key) : '';
    const rule = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : undefined;
    if (rule === undefined) {
      throw new InputError(
        field === ''
          ? `invalid preset: ${shown(input)}; give a name, or {name, mean, std}`
          : `unknown field ${shown(field)} in ${where}; a preset has ${Object.keys(FIELDS).join(', ')}`,
      );
    }
    const value = (fields as Record<string, unknown>)[field];
    throw new InputError(`invalid ${field} in ${where}: ${shown(value)}; it is ${rule.wanted}`);
  }
  return checked.output;
}

/** A value in an error: whatever it is, and not too much of it. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * The geometry that a preset asks for at an input of `height` × `width` pixels.
 * @throws InputError where the shorter side is less than the crop
 */
export function pixelSize(preset: Preset, height: number, width: number): PixelSize {
  const {shorterSide, cropSide, rounding, interpolation} = preset;
  if (shorterSide === undefined) return {height, width};
  const larger = Math.max(height, width);
  const side = cropSide === undefined ? shorterSide : Math.round((shorterSide * larger) / cropSide);
  if (side < larger) {
    throw new InputError(
      `preset ${preset.name} resizes the shorter side to ${side} pixels, less than the input of ${height} × ${width}; give a preset with shorterSide ${larger} or more`,
    );
  }
  return {height, width, shorterSide: side, rounding, ...(interpolation && {interpolation})};
}
