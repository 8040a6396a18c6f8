import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {
  checkFields,
  finite,
  currentPreset,
  flag,
  listsOfWholeNumbers,
  optional,
  PRESET_FIELDS,
  records,
  share,
  sizes,
  text,
  texts,
  wholeFrom,
  wholeNumbers,
  type FieldRule,
} from '../common/fields';
import type {Preset} from '../images/types';
import type {RhoChoice} from './types';

/**
 * A split on disk: the split network as an ordinary LayersModel (`model.json`, `weights.bin`), or as ONNX where tfjs has no layers for it, and beside it `split.json` with
 * `split.safetensors`: the kernels of the parts, so that it can be evaluated against the model before.
 */
export const FORMAT = 'unweave split';
/** 2 since a model's hash is that of its function; the hashes in version 1 fit no model any more. */
export const FORMAT_VERSION = 2;

export interface SplitManifest {
  format: string;
  formatVersion: number;
  layer: string;
  channel: number;
  concepts: {classes: number[]; classNames: string[]}[];
  rule: string;
  rho?: RhoChoice;
  sources: number[][];
  kernelShape: [number, number, number];
  bias: number;
  zeroInputShare: number;
  /** Hashes of the model that was split, and of the split model. */
  before: string;
  after: string;
  /** Hashes of the models that the model before was split from, oldest first. */
  origins: string[];
  arch?: string;
  preset?: Preset;
  labelsFile?: string;
  hardOwnership: boolean;
}

const FIELDS: Readonly<Record<string, FieldRule>> = {
  layer: text,
  channel: wholeFrom(0),
  concepts: records({classes: wholeNumbers(1), classNames: texts}, 2),
  rule: text,
  sources: listsOfWholeNumbers,
  kernelShape: sizes(3),
  bias: finite,
  zeroInputShare: share,
  before: text,
  after: text,
  origins: texts,
  arch: optional(text),
  labelsFile: optional(text),
  hardOwnership: flag,
};
const RHO_FIELDS: Readonly<Record<string, FieldRule>> = {
  'rho.rho': share,
  'rho.scores': records({rho: share, score: finite}),
  'rho.zeroDenominators': wholeFrom(0),
};

/**
 * What a saved split was made with, read before its model is loaded.
 * @throws InputError for a folder without a split
 */
export async function readSplitManifest(folder: string): Promise<SplitManifest> {
  const file = path.join(folder, 'split.json');
  const content = await readFile(file, 'utf8').catch(() => {
    throw new InputError(
      `no split in "${folder}": split.json is missing; make one with disentangle and saveSplit (unweave split)`,
    );
  });
  let manifest: SplitManifest | null;
  try {
    manifest = JSON.parse(content) as SplitManifest | null;
  } catch {
    throw new InputError(`"${file}" is not valid JSON; split again`);
  }
  if (manifest?.format === FORMAT && manifest.formatVersion === 1) {
    throw new InputError(
      `"${file}" is a split of unweave 0.1, which knew models by another hash; collect the statistics and split again with this version`,
    );
  }
  if (manifest?.format !== FORMAT || manifest.formatVersion !== FORMAT_VERSION) {
    throw new InputError(
      `"${file}" is not a split of format version ${FORMAT_VERSION}; split again with this version of unweave`,
    );
  }
  manifest.preset = currentPreset(manifest.preset) as SplitManifest['preset'];
  const rules = {
    ...FIELDS,
    ...(manifest.rho !== undefined && RHO_FIELDS),
    ...(manifest.preset !== undefined && PRESET_FIELDS),
  };
  checkFields(manifest, rules, file, 'split again');
  const {concepts, sources} = manifest;
  if (
    sources.length !== concepts.length ||
    concepts.some(({classes, classNames}) => classes.length !== classNames.length)
  )
    throw new InputError(
      `"${file}" is damaged: sources and classNames must be as many as concepts and their classes; split again`,
    );
  return manifest;
}
