import {option} from '../common/options';
import path from 'node:path';
import {readCheckedArrays} from '../files/checkedArrays';
import {inLockedFolder} from '../files/folderLock';
import {safetensorsPieces, type SafetensorsArrays} from '../files/safetensors';
import {commitFolder, namedPlainly, removeLeftovers} from '../files/transaction';
import {linearLayer} from '../network/linearLayer';
import {makeModel} from '../network/model';
import {loadModel} from '../formats/load';
import {entriesOf, holdsSomethingElse, refuseInput, replaceFile} from '../files/output';
import {isCutShort, splitModelFiles, stateOf} from '../formats/save';
import type {Model} from '../network/types';
import {InputError} from '../common/errors';
import {misfitsOf} from './fits';
import {ARRAYS, FORMAT, MANIFEST, manifestOf, readSplitManifest, type SplitManifest} from './manifest';
import {undivideChannel} from './rewrite';
import {makeSplit} from './split';
import type {Split} from './types';

export {readSplitManifest} from './manifest';

/**
 * Saves a split; saving the same split again replaces it.
 * @param folder made where it is absent
 * @param options.force write whatever the folder holds
 * @throws InputError where the folder holds something else or another split, unless `force`; always where the model was loaded from
 *   there, or where it cannot be written
 */
export async function saveSplit(split: Split, folder: string, {force = false}: {force?: boolean} = {}): Promise<void> {
  await refuseInput(folder, [split.before.source]);
  const pieces = safetensorsPieces(ARRAYS, arraysOf(split), {format: FORMAT});
  if (!force) await refuseOtherSplit(folder, split, pieces);
  await inLockedFolder(folder, async () => {
    const there = await manifestIn(folder);
    const {named, plain, taken} = await stateOf(folder, [ARRAYS, MANIFEST]);
    const files = [...named, ...(there ? [there.arrays.file, MANIFEST] : [])];
    await removeLeftovers(folder, {kinds: KINDS, manifests: [MANIFEST, 'model.json'], named: files, plain});
    if (there) taken.set(there.arrays.file, there.arrays.sha256);
    const arrays = namedPlainly('split', 'safetensors', pieces, taken);
    const model = splitModelFiles(split.model, taken);
    const kept = [model.weights.file, arrays.file, MANIFEST];
    const manifest = manifestOf(split, arrays);
    const both = there ? {...manifest, replaces: there} : manifest;
    const change = {obsolete: files, kept: [...files, ...kept], again: true};
    await commitFolder(folder, {
      ...change,
      files: [model.weights, arrays],
      manifest: {file: MANIFEST, content: JSON.stringify(both)},
    });
    try {
      await commitFolder(folder, {...change, files: [], manifest: model.manifest});
    } catch (error) {
      if (there) await replaceFile(path.join(folder, MANIFEST), JSON.stringify(there)).catch(() => {});
      await removeLeftovers(folder, {kinds: KINDS, manifests: [], named: files, plain: there ? [] : plain});
      throw error;
    }
    if (!there) return;
    const content = JSON.stringify(manifest);
    await commitFolder(folder, {...change, files: [], manifest: {file: MANIFEST, content}, kept});
  });
}

const KINDS = ['weights', 'split'];

function arraysOf(split: Split): SafetensorsArrays {
  const [kh, kw, inputs] = split.kernelShape;
  const shape = [kh * kw, inputs];
  const arrays: Record<string, {shape: number[]; data: Float32Array | Float64Array}> = {
    original: {shape, data: split.original},
    residue: {shape, data: split.residue},
  };
  split.parts.forEach((part, j) => (arrays[`part_${j + 1}`] = {shape, data: part}));
  split.concepts.forEach(({arv}, j) => (arrays[`arv_${j + 1}`] = {shape: [inputs], data: arv}));
  split.ownership?.forEach((lambda, j) => (arrays[`ownership_${j + 1}`] = {shape: [inputs], data: lambda}));
  return arrays;
}

/** The manifest of the split that the folder holds; undefined where it holds none that can be read. */
async function manifestIn(folder: string): Promise<SplitManifest | undefined> {
  return readSplitManifest(folder).catch(() => undefined);
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

/** Whether a split is in the folder, or was being written there. @throws InputError where something else is */
async function holdsSplit(folder: string): Promise<boolean> {
  const entries = await entriesOf(folder);
  if (entries.length === 0 || (await isCutShort(folder, [ARRAYS, MANIFEST]))) return false;
  if (!entries.includes(MANIFEST)) throw holdsSomethingElse(folder, entries);
  return true;
}

const holdsAnotherSplit = (folder: string) =>
  new InputError(`"${folder}" holds another split; choose another folder, or overwrite it (${option('force')})`);

/** @throws InputError where the folder holds another split, or something else: nothing is lost without being asked for */
async function refuseOtherSplit(folder: string, split: Split, pieces: readonly Uint8Array[]): Promise<void> {
  if (!(await holdsSplit(folder))) return;
  const found = await manifestIn(folder);
  // What cannot be read is kept too.
  if (found === undefined) throw holdsAnotherSplit(folder);
  const arrays = {...namedPlainly('split', 'safetensors', pieces, new Map()), file: found.arrays.file};
  if (manifestOf(split, arrays).sha256 !== found.sha256) throw holdsAnotherSplit(folder);
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
  const saved = await loadModel(path.join(folder, 'model.json'), {preset: before.preset}).catch((error: Error) => {
    throw new InputError(`the split in "${folder}" is damaged: ${error.message}; split again`);
  });
  if (saved.hash !== after) {
    throw new InputError(
      `the split in "${folder}" is damaged: model.json and weights.bin hold a network (${saved.hash.slice(0, 8)}) other than the one that was saved (${after.slice(0, 8)}); split again`,
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
  const arrays = await readCheckedArrays(folder, manifest.arrays, 'split again');
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
    fittedOn: manifest.fittedOn,
    notes: manifest.notes,
    before,
  };
  const split = makeSplit(data, saved);
  const [misfit] = misfitsOf(split);
  if (misfit !== undefined) {
    throw new InputError(
      `the split in "${folder}" does not fit its networks, ${before.name} and model.json beside it: ${misfit}; split again`,
    );
  }
  return split;
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
