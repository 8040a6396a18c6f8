import path from 'node:path';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
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
import {sha256} from '../files/checksum';
import {decodeText, readRegularFile} from '../files/regularFile';
import type {NamedFile} from '../files/transaction';
import {savedMetadata} from '../formats/save';
import type {Preset} from '../images/types';
import type {RhoChoice, Split} from './types';

/**
 * A split on disk: the split network as an ordinary LayersModel (`model.json`, `weights.bin`; where tfjs has no layers for it, in a form that
 * unweave alone reads), and beside it `split.json` with `split.safetensors`: the kernels of the parts, so that it can be evaluated against the
 * model before.
 *
 * `model.json` decides which split a folder holds. Where one is replaced, `split.json` describes both until the new `model.json` stands,
 * so that a write that is killed leaves the one or the other.
 */
export const FORMAT = 'unweave split';
/** 2 since a model's hash is that of its function; the hashes in version 1 fit no model any more. */
const FORMAT_VERSION = 2;

export interface SplitManifest {
  format: string;
  formatVersion: number;
  layer: string;
  channel: number;
  concepts: {classes: number[]; classNames: string[]; images?: string[]}[];
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
  fittedOn?: string;
  notes?: string[];
  hardOwnership: boolean;
  arrays: NamedFile;
  /** SHA-256 of all fields before this one, as JSON. */
  sha256: string;
  /** What is in the folder until the new model.json stands. */
  replaces?: SplitManifest;
}

export const MANIFEST = 'split.json';
export const ARRAYS = 'split.safetensors';
const MAX_BYTES = 64 * 2 ** 20;

const FIELDS: Readonly<Record<string, FieldRule>> = {
  layer: text,
  channel: wholeFrom(0),
  concepts: records({classes: wholeNumbers(0), classNames: texts, images: optional(texts)}, 2),
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
  fittedOn: optional(text),
  notes: optional(texts),
  hardOwnership: flag,
  'arrays.file': text,
  'arrays.sha256': text,
  sha256: text,
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
  const file = path.join(folder, MANIFEST);
  const content = await readRegularFile(file, MAX_BYTES).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      error.code === 'ENOENT' || error.code === 'ENOTDIR'
        ? `no split in "${folder}": split.json is missing; make one with disentangle and saveSplit (unweave split)`
        : `cannot read "${file}": ${error.message}`,
    );
  });
  let manifest: SplitManifest | null;
  try {
    manifest = parseJson(decodeText(content)) as SplitManifest | null;
  } catch {
    throw new InputError(`"${file}" is not valid JSON; split again`);
  }
  return checkedManifest(await present(folder, manifest), file);
}

/** Of a split.json that describes two splits, the one whose network is in the folder. */
async function present(folder: string, manifest: SplitManifest | null): Promise<SplitManifest | null> {
  if (typeof manifest !== 'object' || !manifest?.replaces) return manifest;
  const {replaces, ...newer} = manifest;
  const hash = (await savedMetadata(folder))?.hash;
  return hash !== newer.after && hash === replaces.after ? replaces : newer;
}

/** @throws InputError that names the first field that is not what it must be */
function checkedManifest(manifest: SplitManifest | null, file: string): SplitManifest {
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
  const {sha256: recorded, ...others} = manifest;
  const checksum = checksumOf(others);
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
    concepts.some(({classes, classNames, images}) => (images ? 1 : classes.length || NaN) !== classNames.length)
  )
    throw new InputError(
      `"${file}" is damaged: sources and classNames must be as many as concepts and their classes; split again`,
    );
  if (manifest.arrays.file !== path.basename(manifest.arrays.file)) {
    throw new InputError(
      `"${file}" names a file outside its folder: "${manifest.arrays.file}"; such a split is refused`,
    );
  }
  if (recorded !== checksum) {
    throw new InputError(
      `"${file}" is damaged: its fields are not those that were saved (their checksum differs); split again`,
    );
  }
  return manifest;
}

/** What is written of a split, beside its arrays. */
export function manifestOf(split: Split, arrays: NamedFile): SplitManifest {
  const fields = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    layer: split.layer,
    channel: split.channel,
    concepts: split.concepts.map(({classes, classNames, images}) => ({classes, classNames, images})),
    rule: split.rule,
    rho: split.rho,
    sources: split.sources,
    kernelShape: split.kernelShape,
    bias: split.bias,
    zeroInputShare: split.zeroInputShare,
    before: split.before.hash,
    after: split.model.hash,
    origins: [...split.before.origins],
    arch: split.before.arch,
    preset: split.preset,
    labelsFile: split.labelsFile,
    fittedOn: split.fittedOn,
    notes: split.notes && [...split.notes],
    hardOwnership: split.ownership !== undefined,
    arrays: {file: arrays.file, sha256: arrays.sha256},
  };
  return {...fields, sha256: checksumOf(fields)};
}

/** What is undefined is left out, as it is in the file. */
const checksumOf = (fields: object) => sha256(JSON.stringify(fields));
