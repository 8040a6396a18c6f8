import {option} from '../common/options';
import {stat} from 'node:fs/promises';
import path from 'node:path';
import {ensureBackend} from '../engine';
import {InputError} from '../common/errors';
import {resolvePreset} from '../images/presets';
import type {PresetOption} from '../images/types';
import {ARCHITECTURES, buildArchitecture} from './architectures';
import {readLayersModelJson, readModelJson} from './layersModel/read';
import {readCheckpoint} from './torch';
import {HASH_VERSION} from '../network/hash';
import {makeModel} from '../network/model';
import type {Model} from '../network/types';

export interface LoadModelOptions {
  /** Architecture of a PyTorch checkpoint, e.g. `resnet50` (torchvision) or `resnet20` (CIFAR); see `ARCHITECTURES`. */
  arch?: string;
  /**
   * How pixels become input.
   * @default what the model was saved with, else the architecture's; for another tfjs model `tf`, marked as assumed
   */
  preset?: PresetOption;
  /** Names of the classes, by output index. */
  classNames?: readonly string[];
}

/**
 * Loads a tfjs LayersModel (its folder or its model.json), or a PyTorch checkpoint (`.pth`, `.pt`, `.th`, `.safetensors`) with
 * the name of its architecture. Pickled code is never run.
 * @throws InputError for a file that is missing, foreign, truncated, or does not fit the architecture
 */
export async function loadModel(source: string, options: LoadModelOptions = {}): Promise<Model> {
  const info = await stat(source).catch(() => undefined);
  if (!info) throw new InputError(`no model at "${source}"; give a tfjs model's folder or a PyTorch checkpoint's file`);
  await ensureBackend();
  const preset = options.preset === undefined ? undefined : resolvePreset(options.preset);
  const name = path.basename(path.resolve(source)).replace(/\.(json|pth|pt|th|safetensors)$/i, '');
  if (info.isDirectory() || /\.json$/i.test(source)) {
    if (options.arch !== undefined) {
      throw new InputError(
        `arch "${options.arch}" was given, but "${source}" is a tfjs model, which describes itself; leave it out`,
      );
    }
    const file = info.isDirectory() ? path.join(source, 'model.json') : source;
    const json = await readModelJson(file);
    if (json.format === 'graph-model') {
      throw new InputError(
        `"${file}" is a tfjs graph model, whose layers are gone; convert the original to a LayersModel (--output_format=tfjs_layers_model)`,
      );
    }
    const read = await readLayersModelJson(json, file);
    const current = read.hashVersion === HASH_VERSION;
    const outdated =
      !current && (read.origins ?? []).length > 0
        ? [
            'it was split by unweave 0.1, which knew models by another hash: statistics of the model before do not fit it any more; split that model again',
          ]
        : [];
    return makeModel(read.graph, {
      name,
      preset: preset ?? read.preset ?? {...resolvePreset('tf'), assumed: true},
      classNames: options.classNames ?? read.classNames,
      origins: current ? read.origins : [],
      source: path.resolve(source),
      notes: [...(read.notes ?? []), ...outdated],
    });
  }
  if (/\.(h5|hdf5|keras|pb|onnx|tflite)$/i.test(source)) {
    throw new InputError(
      `"${source}" is in a format that is not read; convert it to a tfjs LayersModel (tensorflowjs_converter --output_format=tfjs_layers_model) and give that folder`,
    );
  }
  const architectures = ARCHITECTURES.map((architecture) => architecture.name).join(', ');
  if (options.arch === undefined) {
    // First what the file is: a text file needs no architecture, but another path.
    await readCheckpoint(source);
    throw new InputError(
      `a PyTorch checkpoint needs its architecture: give ${option('arch')}, one of ${architectures}`,
    );
  }
  const architecture = ARCHITECTURES.find((candidate) => candidate.name === options.arch);
  if (!architecture) throw new InputError(`unknown architecture "${options.arch}"; known are ${architectures}`);
  const graph = buildArchitecture(architecture.name, await readCheckpoint(source));
  return makeModel(graph, {
    name,
    arch: architecture.name,
    preset: preset ?? resolvePreset(architecture.preset),
    classNames: options.classNames,
    source: path.resolve(source),
  });
}
