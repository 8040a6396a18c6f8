import {option} from '../common/options';
import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
import {inLockedFolder} from '../files/folderLock';
import {HASH_VERSION} from '../network/hash';
import {layersModelFiles, networkFiles, type LayersModelFiles, type SavedWith} from './layersModel/writeFolder';
import {entriesOf, holdsSomethingElse, refuseInput} from '../files/output';
import {decodeText, readRegularFile} from '../files/regularFile';
import {commitFolder, isOwnEntry, removeLeftovers} from '../files/transaction';
import type {Model} from '../network/types';

const MANIFEST = 'model.json';
const WEIGHTS = 'weights.bin';

/**
 * Saves a model as an ordinary tfjs LayersModel: `model.json`, which is written last and names its weight file, and `weights.bin` (under a
 * further name where a saved model is replaced by another one). Its hash, preset and class names travel in the user-defined metadata.
 * Saving the same model again replaces it; whenever it is cut short, the folder holds the model before or this one.
 * @param folder made where it is absent
 * @param options.force write whatever the folder holds
 * @throws InputError where the folder holds something else or another model, unless `force`; always where the model was loaded from
 *   there, or where it cannot be written
 */
export async function saveModel(model: Model, folder: string, {force = false}: {force?: boolean} = {}): Promise<void> {
  await refuseInput(folder, [model.source]);
  if (!force) await refuseOther(model, folder);
  await inLockedFolder(folder, async () => {
    const {named, plain, taken} = await stateOf(folder);
    await removeLeftovers(folder, {kinds: ['weights'], manifests: [MANIFEST], named, plain});
    const {weights, manifest} = modelFiles(model, taken);
    await commitFolder(folder, {files: [weights], manifest, obsolete: named, kept: [weights.file], again: true});
  });
}

/** What a folder that a model is saved into holds already. */
export interface FolderState {
  /** Files that a model.json of ours names. */
  named: string[];
  /** Names of which whatever is called so is ours. */
  plain: string[];
  /** Names that new files must not take, with the content for which they may. */
  taken: Map<string, string | undefined>;
}

/** @param others further names that are given, beside the weights' */
export async function stateOf(folder: string, others: readonly string[] = []): Promise<FolderState> {
  const files = await savedFiles(folder);
  const plain = [WEIGHTS, ...others];
  if (files) return {named: [...files.keys()], plain, taken: files};
  // Somebody else's model.json may name such files.
  const foreign = (await entriesOf(folder)).includes(MANIFEST);
  return {
    named: [],
    plain: !foreign && (await isCutShort(folder, others)) ? plain : [],
    taken: new Map(foreign ? plain.map((name) => [name, undefined] as const) : []),
  };
}

/** What a split's model is saved as: a LayersModel, or the graph itself where tfjs has no layers for it. */
export function splitModelFiles(model: Model, named?: ReadonlyMap<string, string | undefined>): LayersModelFiles {
  return networkFiles(model.graph, model.name, recordOf(model), named);
}

/** What a model is saved as. @param named the files of the model.json that is there, as `savedFiles` gives them */
function modelFiles(model: Model, named?: ReadonlyMap<string, string | undefined>): LayersModelFiles {
  return layersModelFiles(model.graph, model.name, recordOf(model), named);
}

function recordOf({hash, preset, classNames, origins}: Model): SavedWith {
  return {hashVersion: HASH_VERSION, hash, preset, classNames: classNames && [...classNames], origins: [...origins]};
}

/**
 * Whether a first save into the folder was killed before its model.json stood: only its own files are there, and its lock.
 * @param others further names that such a save gives
 */
export async function isCutShort(folder: string, others: readonly string[] = []): Promise<boolean> {
  const entries = await readdir(folder).catch((): string[] => []);
  const locked = entries.some((name) => name.startsWith('.unweave-lock'));
  const ours = (name: string) =>
    isOwnEntry(name, ['weights', 'split'], MANIFEST) || (locked && [WEIGHTS, ...others].includes(name));
  return !entries.includes(MANIFEST) && (await entriesOf(folder)).every(ours);
}

async function refuseOther(model: Model, folder: string): Promise<void> {
  const entries = await entriesOf(folder);
  if (entries.length === 0 || (await isCutShort(folder))) return;
  const found = entries.includes(MANIFEST) ? await savedMetadata(folder) : undefined;
  if (!found) throw holdsSomethingElse(folder, entries);
  if (entries.includes('split.json')) {
    throw new InputError(`"${folder}" holds a split; choose another folder, or overwrite it (${option('force')})`);
  }
  const same = (key: 'hash' | 'preset' | 'classNames') =>
    JSON.stringify(found[key]) === JSON.stringify(recordOf(model)[key]);
  if (!same('hash')) {
    throw new InputError(
      `"${folder}" holds another model (${String(found.hash).slice(0, 8)}) than ${model.name} (${model.hash.slice(0, 8)}); choose another folder, or overwrite it (${option('force')})`,
    );
  }
  if (!same('preset') || !same('classNames')) {
    throw new InputError(
      `"${folder}" holds ${model.name} with another preset or other class names; choose another folder, or overwrite it (${option('force')})`,
    );
  }
}

interface SavedJson {
  generatedBy?: unknown;
  weightsManifest?: {paths: string[]}[];
  userDefinedMetadata?: {unweave?: SavedWith & {sha256?: {weights?: string}}};
}

/** The model.json there; undefined where unweave did not write it. */
async function savedJson(folder: string): Promise<SavedJson | undefined> {
  try {
    const json = parseJson(decodeText(await readRegularFile(path.join(folder, MANIFEST), 2 ** 29))) as SavedJson | null;
    return json?.generatedBy === 'unweave' ? json : undefined;
  } catch {
    return undefined;
  }
}

/** What unweave keeps in the model.json there; undefined where it did not write it. */
export async function savedMetadata(folder: string): Promise<Partial<SavedWith> | undefined> {
  const json = await savedJson(folder);
  return json && (json.userDefinedMetadata?.unweave ?? {});
}

/** The weight files that unweave's model.json there names, with their checksum where it has one; undefined where it is none of ours. */
async function savedFiles(folder: string): Promise<Map<string, string | undefined> | undefined> {
  const json = await savedJson(folder);
  if (!json) return undefined;
  const paths = Array.isArray(json.weightsManifest) ? json.weightsManifest.flatMap((group) => group?.paths ?? []) : [];
  // Only what has a name of ours is ever taken away.
  const own = paths.filter((name) => name === WEIGHTS || isOwnEntry(String(name), ['weights'], WEIGHTS));
  const checksum = own.length === 1 ? json.userDefinedMetadata?.unweave?.sha256?.weights : undefined;
  return new Map(own.map((name) => [name, checksum] as const));
}
