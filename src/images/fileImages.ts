import {InputError} from '../common/errors';
import {countText} from '../common/numbers';
import {option} from '../common/options';
import {printable} from '../common/printable';
import type {DecodeOptions, ImageSource} from './decode';
import {decodePool} from './decodePool';
import type {Labelling} from './labelling';
import {resolvePreset} from './presets';
import type {LabelledImages, PresetOption} from './types';

export interface FileImageOptions extends DecodeOptions {
  /** The preprocessing. @default the model's */
  preset?: PresetOption;
  /** Seconds after which decoding an image is given up: it counts as unreadable. @default 30 */
  decodeSeconds?: number;
}

/** Images that may wait in the pool, which bounds by itself what is decoded at a time. */
const AHEAD = 512;

/** What all lists of image files have. */
export interface FileList {
  name: string;
  paths: readonly string[];
  /** Where the bytes of an image are. */
  sourceOf(index: number): ImageSource;
  labelling: Labelling;
  notes: readonly string[];
}

/** Labelled images that are decoded from files, or parts of files. @throws InputError for options out of range */
export function fileImages(
  {name, paths, sourceOf, labelling, notes}: FileList,
  {preset, exif = false, icc = false, decodeSeconds: seconds = 30}: FileImageOptions,
): LabelledImages {
  if (!(seconds > 0)) {
    throw new InputError(`invalid ${option('decodeSeconds')}: ${String(seconds)}; give a number of seconds above 0`);
  }
  const said = [...notes, ...labelling.notes].map(printable);
  return {
    name,
    paths,
    preset: preset === undefined ? undefined : resolvePreset(preset, said),
    notes: said,
    decoding: [exif && 'exif', icc && 'icc'].filter(Boolean).join(' ') || undefined,
    sourceOf,
    labelsFor: labelling.labels,
    classNamesFor: labelling.names,
    concurrency: AHEAD,
    pixels: (index, size) =>
      decodePool().decode({source: sourceOf(index), path: paths[index], size, options: {exif, icc}, seconds}),
    toString: () => `${name}: ${countText(paths.length)} images`,
  };
}
