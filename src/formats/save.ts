import {option} from '../common/options';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {HASH_VERSION} from '../network/hash';
import {writeLayersModelFolder, type SavedWith} from './layersModel/writeFolder';
import {entriesOf, holdsSomethingElse, refuseInput, writeTogether} from '../files/output';
import type {Model} from '../network/types';

/** Files of a saved model. model.json comes last: a folder that has it is complete. */
export const MODEL_FILES = ['weights.bin', 'model.json'] as const;

/**
 * Saves a model as an ordinary tfjs LayersModel: `model.json` and `weights.bin`. Its hash, preset and class names travel in the
 * user-defined metadata. Saving the same model again replaces it.
 * @param folder made where it is absent
 * @param options.force write whatever the folder holds
 * @throws InputError where the folder holds something else or another model, unless `force`; always where the model was loaded from
 *   there, or where it cannot be written
 */
export async function saveModel(model: Model, folder: string, {force = false}: {force?: boolean} = {}): Promise<void> {
  await refuseInput(folder, [model.source]);
  if (!force) await refuseOther(model, folder);
  await writeTogether(folder, MODEL_FILES, (stage) => writeModel(model, stage));
}

/** Writes the model's files into a folder that exists. */
export async function writeModel(model: Model, folder: string): Promise<void> {
  await writeLayersModelFolder(folder, model.graph, model.name, recordOf(model));
}

function recordOf({hash, preset, classNames, origins}: Model): SavedWith {
  return {hashVersion: HASH_VERSION, hash, preset, classNames: classNames && [...classNames], origins: [...origins]};
}

async function refuseOther(model: Model, folder: string): Promise<void> {
  const entries = await entriesOf(folder);
  if (entries.length === 0) return;
  const found = entries.includes('model.json') ? await savedMetadata(folder) : undefined;
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

/** What unweave keeps in the model.json there; undefined where it did not write it. */
async function savedMetadata(folder: string): Promise<SavedWith | undefined> {
  try {
    const json = JSON.parse(await readFile(path.join(folder, 'model.json'), 'utf8')) as {
      generatedBy?: unknown;
      userDefinedMetadata?: {unweave?: SavedWith};
    } | null;
    return json?.generatedBy === 'unweave' ? (json.userDefinedMetadata?.unweave ?? {}) : undefined;
  } catch {
    return undefined;
  }
}
