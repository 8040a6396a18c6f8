import {mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../backend';
import {InputError} from '../numerics/errors';
import {toLayersModel} from './layersModel';
import type {ModelMetadata} from './load';
import type {Model} from './types';

/**
 * Saves a model as an ordinary tfjs LayersModel: `model.json` and `weights.bin`. Its preset and class names travel in the
 * user-defined metadata.
 * @param folder made where it is absent
 * @throws InputError where the folder holds something other than a model of unweave's, unless `force`
 */
export async function saveModel(model: Model, folder: string, {force = false}: {force?: boolean} = {}): Promise<void> {
  await checkFolder(folder, force);
  await ensureBackend();
  const network = toLayersModel(model.graph, model.name);
  let artifacts: tf.io.ModelArtifacts | undefined;
  try {
    await network.save(
      tf.io.withSaveHandler(async (saved) => {
        artifacts = saved;
        return {modelArtifactsInfo: {dateSaved: new Date(0), modelTopologyType: 'JSON'}};
      }),
    );
  } finally {
    network.dispose();
  }
  const {modelTopology, weightSpecs, weightData} = artifacts as tf.io.ModelArtifacts;
  const unweave: ModelMetadata = {preset: model.preset, classNames: model.classNames, origins: model.origins};
  const json = {
    format: 'layers-model',
    generatedBy: 'unweave',
    modelTopology,
    weightsManifest: [{paths: ['weights.bin'], weights: weightSpecs}],
    userDefinedMetadata: {unweave},
  };
  await mkdir(folder, {recursive: true}).catch((error: Error) => {
    throw new InputError(`cannot make the folder "${folder}": ${error.message}; choose a folder that you may write to`);
  });
  // model.json last: a folder that has it is complete.
  await replaceFile(
    path.join(folder, 'weights.bin'),
    new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData as tf.io.WeightData)),
  );
  await replaceFile(path.join(folder, 'model.json'), JSON.stringify(json));
}

/** Writes by temporary name and rename, so that a reader never meets half a file. */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.part`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, {force: true});
    throw new InputError(`cannot write "${file}": ${(error as Error).message}`);
  }
}

async function checkFolder(folder: string, force: boolean): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`cannot write the model to "${folder}": it is not a folder`);
  });
  if (force || entries.length === 0) return;
  const text = entries.includes('model.json')
    ? await readFile(path.join(folder, 'model.json'), 'utf8').catch(() => '')
    : '';
  if (!text.includes('"generatedBy":"unweave"')) {
    throw new InputError(
      `"${folder}" holds something else (${entries.slice(0, 3).join(', ')}); choose an empty folder, or overwrite it (force)`,
    );
  }
}
