import {option} from '../common/options';
import {readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {readSafetensors, writeSafetensors} from '../files/safetensors';
import {linearLayer} from '../network/linearLayer';
import {makeModel} from '../network/model';
import {loadModel} from '../formats/load';
import {entriesOf, holdsSomethingElse, refuseInput, writeTogether} from '../files/output';
import {isLayersModel} from '../formats/layersModel/write';
import {saveOnnx} from '../formats/onnx';
import {MODEL_FILES, writeModel} from '../formats/save';
import type {Model} from '../network/types';
import {InputError} from '../common/errors';
import {FORMAT, FORMAT_VERSION, readSplitManifest, type SplitManifest} from './manifest';
import {undivideChannel} from './rewrite';
import {makeSplit} from './split';
import type {Split} from './types';

const ONNX_FILE = 'model.onnx';

/**
 * Saves a split; saving the same split again replaces it.
 * @param folder made where it is absent
 * @param options.force write whatever the folder holds
 * @throws InputError where the folder holds something else or another split, unless `force`; always where the model was loaded from
 *   there, or where it cannot be written
 */
export async function saveSplit(split: Split, folder: string, {force = false}: {force?: boolean} = {}): Promise<void> {
  await refuseInput(folder, [split.before.source]);
  const manifest = JSON.stringify(manifestOf(split));
  if (!force) await refuseOtherSplit(folder, manifest);
  const [kh, kw, inputs] = split.kernelShape;
  const shape = [kh * kw, inputs];
  const arrays: Record<string, {shape: number[]; data: Float32Array | Float64Array}> = {
    original: {shape, data: split.original},
    residue: {shape, data: split.residue},
  };
  split.parts.forEach((part, j) => (arrays[`part_${j + 1}`] = {shape, data: part}));
  split.concepts.forEach(({arv}, j) => (arrays[`arv_${j + 1}`] = {shape: [inputs], data: arv}));
  split.ownership?.forEach((lambda, j) => (arrays[`ownership_${j + 1}`] = {shape: [inputs], data: lambda}));
  const [files, others] = isLayersModel(split.model.graph) ? [MODEL_FILES, [ONNX_FILE]] : [[ONNX_FILE], MODEL_FILES];
  await writeTogether(folder, [...files, 'split.safetensors', 'split.json'], async (stage) => {
    await (files === MODEL_FILES ? writeModel(split.model, stage) : writeAsOnnx(split.model, stage));
    await writeSafetensors(path.join(stage, 'split.safetensors'), arrays, {format: FORMAT});
    await writeFile(path.join(stage, 'split.json'), manifest);
  });
  for (const name of others) await rm(path.join(folder, name), {force: true});
}

/** @throws InputError for a network that would be read from it as another one */
async function writeAsOnnx(model: Model, folder: string): Promise<void> {
  const file = path.join(folder, ONNX_FILE);
  // Node by node: a file that is widened holds the parts beside the layer, which is another graph.
  await saveOnnx({...model, source: undefined}, file);
  const again = await loadModel(file);
  if (again.hash === model.hash) return;
  throw new InputError(
    `the split of ${model.name} cannot be saved: neither a tfjs LayersModel nor ONNX keeps the network as it is; save its parts (saveTorchSplit), or divide the network in memory`,
  );
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
    after: split.model.hash,
    origins: [...split.before.origins],
    arch: split.before.arch,
    preset: split.preset,
    labelsFile: split.labelsFile,
    hardOwnership: split.ownership !== undefined,
  };
}

/**
 * Refuses a folder that holds something else, or a split of another channel, other concepts or another rule, before the work is done;
 * `saveSplit` compares the rest.
 * @throws InputError
 */
export async function refuseOtherTarget(
  folder: string,
  target: {layer: string; channel: number; concepts: readonly (readonly number[])[]; rule: string},
): Promise<void> {
  if (!(await holdsSplit(folder))) return;
  const {layer, channel, concepts, rule} = await readSplitManifest(folder);
  const ascending = (classes: readonly number[]) => [...classes].sort((a, b) => a - b);
  const found = {layer, channel, concepts: concepts.map(({classes}) => ascending(classes)), rule};
  const wanted = {...target, concepts: target.concepts.map(ascending)};
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw holdsAnotherSplit(folder);
}

/** Whether a split is in the folder. @throws InputError where something else is */
async function holdsSplit(folder: string): Promise<boolean> {
  const entries = await entriesOf(folder);
  if (entries.length > 0 && !entries.includes('split.json')) throw holdsSomethingElse(folder, entries);
  return entries.length > 0;
}

const holdsAnotherSplit = (folder: string) =>
  new InputError(`"${folder}" holds another split; choose another folder, or overwrite it (${option('force')})`);

/** @throws InputError where the folder holds another split, or something else: nothing is lost without being asked for */
async function refuseOtherSplit(folder: string, manifest: string): Promise<void> {
  if (!(await holdsSplit(folder))) return;
  const found = await readFile(path.join(folder, 'split.json'), 'utf8').catch(() => undefined);
  if (found !== undefined && found !== manifest) throw holdsAnotherSplit(folder);
}

/** @throws InputError that names the first field that does not fit the model */
function checkAgainstModel(manifest: SplitManifest, before: Model, folder: string): void {
  const {layer, channel, kernelShape, concepts, sources} = manifest;
  const [kh, kw, inputs, outputs] = linearLayer(before.graph, layer).shape;
  const refuse = (what: string, valid: string) =>
    new InputError(
      `the split in "${folder}" does not fit ${before.name}: ${what}; layer ${layer} has ${valid}; split again`,
    );
  if (kernelShape.join() !== [kh, kw, inputs].join()) {
    throw refuse(`its kernelShape is [${kernelShape.join(', ')}]`, `[${[kh, kw, inputs].join(', ')}]`);
  }
  if (channel >= outputs) throw refuse(`its channel is ${channel}`, `channels 0 to ${outputs - 1}`);
  const source = sources.flat().find((i) => i >= inputs);
  if (source !== undefined) throw refuse(`a source is ${source}`, `sources 0 to ${inputs - 1}`);
  const k = concepts.flatMap(({classes}) => classes).find((label) => label >= before.classes);
  if (k !== undefined) {
    throw new InputError(
      `the split in "${folder}" does not fit ${before.name}: a concept has class ${k}; the model has classes 0 to ${before.classes - 1}; split again`,
    );
  }
}

/** The split network as it was saved. @throws InputError where it is missing or is not the one that was saved */
async function savedNetwork(folder: string, {after}: SplitManifest, before: Model): Promise<Model> {
  const isOnnx = (await entriesOf(folder)).includes(ONNX_FILE);
  const file = path.join(folder, isOnnx ? ONNX_FILE : 'model.json');
  const saved = await loadModel(file, {preset: before.preset}).catch((error: Error) => {
    throw new InputError(`the split in "${folder}" is damaged: ${error.message}; split again`);
  });
  if (saved.hash !== after) {
    throw new InputError(
      `the split in "${folder}" is damaged: ${isOnnx ? ONNX_FILE : 'model.json and weights.bin'} hold a network (${saved.hash.slice(0, 8)}) other than the one that was saved (${after.slice(0, 8)}); split again`,
    );
  }
  return saved;
}

/**
 * Loads a split: its kernels, and as its `model` the network that was saved, as any program would load it.
 * @param model the model that was split; of a split of an already split model, the one before all of them serves too
 * @throws InputError for a folder without a split, a split of another model, or files that do not fit together
 */
export async function loadSplit(folder: string, model: Model): Promise<Split> {
  const manifest = await readSplitManifest(folder);
  const chained = manifest.origins.includes(model.hash);
  if (manifest.before !== model.hash && !chained) {
    throw new InputError(
      `the split in "${folder}" is of another model (${manifest.before.slice(0, 8)}) than ${model.name} (${model.hash.slice(0, 8)}); give the model that was split`,
    );
  }
  checkAgainstModel(manifest, model, folder);
  const saved = await savedNetwork(folder, manifest, model);
  const {arrays} = await readSafetensors(path.join(folder, 'split.safetensors'));
  const [kh, kw, inputs] = manifest.kernelShape;
  const read = <A extends Float32Array | Float64Array>(name: string, length: number): A => {
    const found = arrays.get(name);
    const dtype = /^(arv|ownership)_/.test(name) ? 'float64' : 'float32';
    if (found?.data.length !== length || found.dtype !== dtype)
      throw new InputError(
        `the split in "${folder}" is damaged: array ${name} has ${found?.data.length ?? 0} values instead of ${length} of type ${dtype}; split again`,
      );
    return found.data as A;
  };
  const size = kh * kw * inputs;
  const original = read<Float32Array>('original', size);
  const before = chained ? modelBefore(saved, manifest, original, model, folder) : model;
  const data = {
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
    original,
    bias: manifest.bias,
    parts: manifest.concepts.map((_, j) => read<Float32Array>(`part_${j + 1}`, size)),
    residue: read<Float32Array>('residue', size),
    zeroInputShare: manifest.zeroInputShare,
    preset: manifest.preset,
    labelsFile: manifest.labelsFile,
    before,
  };
  return makeSplit(data, saved);
}

/** The model that a chained split divided, from the saved network: it holds the earlier splits. */
function modelBefore(
  saved: Model,
  {layer, channel, concepts, before: hash, origins}: SplitManifest,
  original: Float32Array,
  model: Model,
  folder: string,
): Model {
  const graph = undivideChannel(saved.graph, layer, channel, {original, added: concepts.length});
  const {preset, classNames, arch, source} = model;
  const before = makeModel(graph, {name: `${model.name} before the split`, preset, classNames, arch, source, origins});
  if (before.hash === hash) return before;
  throw new InputError(
    `the split in "${folder}" is damaged: without it the saved network is not the model that was split (${hash.slice(0, 8)}); split again`,
  );
}
