import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {readSafetensors, writeSafetensors} from '../models/checkpoint/safetensors';
import {replaceFile, saveModel} from '../models/save';
import type {Preset} from '../images/types';
import type {Model} from '../models/types';
import {InputError} from '../numerics/errors';
import {makeSplit} from './split';
import type {RhoChoice, Split} from './types';

/**
 * A split on disk: the split network as an ordinary LayersModel (`model.json`, `weights.bin`), and beside it `split.json` with
 * `split.safetensors`: the kernels of the parts, so that it can be evaluated against the model before.
 */
const FORMAT = 'unweave split';
const FORMAT_VERSION = 1;

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
  /** Hash of the model that was split. */
  before: string;
  arch?: string;
  preset?: Preset;
  labelsFile?: string;
  hardOwnership: boolean;
}

/** @throws InputError where the folder holds something else, or cannot be written */
export async function saveSplit(split: Split, folder: string, options: {force?: boolean} = {}): Promise<void> {
  const manifest = manifestOf(split);
  if (!options.force) await refuseOtherSplit(folder, manifest);
  await saveModel(split.model, folder, options);
  const [kh, kw, inputs] = split.kernelShape;
  const shape = [kh * kw, inputs];
  const arrays: Record<string, {shape: number[]; data: Float32Array | Float64Array}> = {
    original: {shape, data: split.original},
    residue: {shape, data: split.residue},
  };
  split.parts.forEach((part, j) => (arrays[`part_${j + 1}`] = {shape, data: part}));
  split.concepts.forEach(({arv}, j) => (arrays[`arv_${j + 1}`] = {shape: [inputs], data: arv}));
  split.ownership?.forEach((lambda, j) => (arrays[`ownership_${j + 1}`] = {shape: [inputs], data: lambda}));
  await writeSafetensors(path.join(folder, 'split.safetensors'), arrays, {format: FORMAT});
  await replaceFile(path.join(folder, 'split.json'), JSON.stringify(manifest));
}

function manifestOf(split: Split): SplitManifest {
  return {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    layer: split.layer,
    channel: split.channel,
    concepts: split.concepts.map(({classes, classNames}) => ({classes, classNames})),
    rule: split.rule,
    rho: split.rho,
    sources: split.sources,
    kernelShape: split.kernelShape,
    bias: split.bias,
    zeroInputShare: split.zeroInputShare,
    before: split.before.hash,
    arch: split.before.arch,
    preset: split.preset,
    labelsFile: split.labelsFile,
    hardOwnership: split.ownership !== undefined,
  };
}

/** @throws InputError where the folder holds another split: nothing is lost without being asked for */
async function refuseOtherSplit(folder: string, manifest: SplitManifest): Promise<void> {
  const text = await readFile(path.join(folder, 'split.json'), 'utf8').catch(() => undefined);
  if (text !== undefined && text !== JSON.stringify(manifest)) {
    throw new InputError(`"${folder}" holds another split; choose another folder, or overwrite it (force)`);
  }
}

/**
 * What a saved split was made with, read before its model is loaded.
 * @throws InputError for a folder without a split
 */
export async function readSplitManifest(folder: string): Promise<SplitManifest> {
  const file = path.join(folder, 'split.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new InputError(
      `no split in "${folder}": split.json is missing; make one with disentangle and saveSplit (unweave split)`,
    );
  });
  let manifest: SplitManifest;
  try {
    manifest = JSON.parse(text) as SplitManifest;
  } catch {
    throw new InputError(`"${file}" is not valid JSON; split again`);
  }
  if (manifest.format !== FORMAT || manifest.formatVersion !== FORMAT_VERSION) {
    throw new InputError(
      `"${file}" is not a split of format version ${FORMAT_VERSION}; split again with this version of unweave`,
    );
  }
  return manifest;
}

/**
 * @param before the model that was split
 * @throws InputError for a folder without a split, a split of another model, or files that do not fit together
 */
export async function loadSplit(folder: string, before: Model): Promise<Split> {
  const manifest = await readSplitManifest(folder);
  if (manifest.before !== before.hash) {
    throw new InputError(
      `the split in "${folder}" is of another model (${manifest.before.slice(0, 8)}) than ${before.name} (${before.hash.slice(0, 8)}); give the model that was split`,
    );
  }
  const {arrays} = await readSafetensors(path.join(folder, 'split.safetensors'));
  const [kh, kw, inputs] = manifest.kernelShape;
  const read = <A extends Float32Array | Float64Array>(name: string, length: number): A => {
    const data = arrays.get(name)?.data;
    if (data?.length !== length)
      throw new InputError(
        `the split in "${folder}" is damaged: array ${name} has ${data?.length ?? 0} values instead of ${length}; split again`,
      );
    return data as A;
  };
  const size = kh * kw * inputs;
  return makeSplit({
    layer: manifest.layer,
    channel: manifest.channel,
    concepts: manifest.concepts.map((concept, j) => ({...concept, arv: read<Float64Array>(`arv_${j + 1}`, inputs)})),
    rule: manifest.rule,
    rho: manifest.rho,
    ownership: manifest.hardOwnership
      ? manifest.concepts.map((_, j) => read<Float64Array>(`ownership_${j + 1}`, inputs))
      : undefined,
    sources: manifest.sources,
    kernelShape: manifest.kernelShape,
    original: read<Float32Array>('original', size),
    bias: manifest.bias,
    parts: manifest.concepts.map((_, j) => read<Float32Array>(`part_${j + 1}`, size)),
    residue: read<Float32Array>('residue', size),
    zeroInputShare: manifest.zeroInputShare,
    preset: manifest.preset,
    labelsFile: manifest.labelsFile,
    before,
  });
}
