import {option} from '../common/options';
import {readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {ensureBackend} from '../engine';
import {InputError} from '../common/errors';
import {currentPreset} from '../common/fields';
import {resolvePreset} from '../images/presets';
import type {Preset, PresetOption} from '../images/types';
import {ARCHITECTURES, buildArchitecture} from './architectures';
import {readCheckpoint} from './torch';
import {fromLayersModel} from '../network/layersModel';
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

/** What unweave keeps in a saved model.json's `userDefinedMetadata`. */
export interface ModelMetadata {
  preset?: Preset;
  classNames?: readonly string[];
  origins?: readonly string[];
  /** The model's hash. */
  hash?: string;
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
    const {artifacts, metadata} = await readLayersModel(file);
    const network = await buildLayersModel(artifacts, file);
    try {
      return makeModel(fromLayersModel(network), {
        name,
        preset: preset ?? metadata.preset ?? {...resolvePreset('tf'), assumed: true},
        classNames: options.classNames ?? metadata.classNames,
        origins: metadata.origins,
        source: path.resolve(source),
      });
    } finally {
      network.dispose();
    }
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

interface WeightsGroup {
  paths: string[];
  weights: tf.io.WeightsManifestEntry[];
}

async function readLayersModel(file: string): Promise<{artifacts: tf.io.ModelArtifacts; metadata: ModelMetadata}> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new InputError(
      `no "${path.basename(file)}" in "${path.dirname(file)}"; a tfjs model's folder holds model.json and its weight files`,
    );
  });
  const json = parse(text, file);
  if (json.format === 'graph-model') {
    throw new InputError(
      `"${file}" is a tfjs graph model, whose layers are gone; convert the original to a LayersModel (--output_format=tfjs_layers_model)`,
    );
  }
  const groups = json.weightsManifest as WeightsGroup[] | undefined;
  if (!json.modelTopology || !Array.isArray(groups)) {
    throw new InputError(`"${file}" is not a tfjs LayersModel: modelTopology or weightsManifest is missing`);
  }
  const folder = path.resolve(path.dirname(file));
  const parts: Buffer[] = [];
  for (const group of groups) {
    const files = group.paths.map((name) => insideFolder(folder, name, file));
    const expected = group.weights.reduce((sum, entry) => sum + bytesOf(entry, file), 0);
    let found = 0;
    for (const weightsFile of files) {
      const info = await stat(weightsFile).catch(() => undefined);
      if (!info?.isFile())
        throw new InputError(
          `weight file "${path.basename(weightsFile)}" named by "${file}" is missing; copy it beside model.json`,
        );
      found += info.size;
    }
    if (found !== expected) {
      throw new InputError(
        `the weight files ${group.paths.slice(0, 3).join(', ')} hold ${found} bytes, but "${file}" describes ${expected}; the model is truncated or from another version`,
      );
    }
    for (const weightsFile of files) parts.push(await readFile(weightsFile));
  }
  const joined = Buffer.concat(parts);
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology: json.modelTopology as object,
    weightSpecs: groups.flatMap((group) => group.weights),
    weightData: joined.buffer.slice(joined.byteOffset, joined.byteOffset + joined.byteLength) as ArrayBuffer,
  };
  const metadata = (json.userDefinedMetadata as {unweave?: ModelMetadata} | undefined)?.unweave ?? {};
  return {artifacts, metadata: {...metadata, preset: currentPreset(metadata.preset) as Preset | undefined}};
}

function parse(text: string, file: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) return json as Record<string, unknown>;
  } catch {
    // Told below: a JSON parser's own message names a character, not a file.
  }
  throw new InputError(`"${file}" is not valid JSON; give a tfjs LayersModel's model.json`);
}

/** @throws InputError for a path that leaves the folder */
function insideFolder(folder: string, name: string, manifest: string): string {
  const file = path.resolve(folder, name);
  if (!file.startsWith(folder + path.sep)) {
    throw new InputError(`"${manifest}" names a weight file outside its folder: "${name}"; such a model is refused`);
  }
  return file;
}

const BYTES: Record<string, number> = {float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1};

function bytesOf(entry: tf.io.WeightsManifestEntry, file: string): number {
  const dtype = entry.quantization?.dtype ?? entry.dtype;
  const count = entry.shape.reduce((product, size) => product * size, 1);
  if (!(dtype in BYTES) || !Number.isSafeInteger(count) || count < 0) {
    throw new InputError(
      `weight "${entry.name}" of "${file}" has dtype ${dtype} and shape [${entry.shape.join(', ')}]; this model is damaged`,
    );
  }
  return count * BYTES[dtype];
}

async function buildLayersModel(artifacts: tf.io.ModelArtifacts, file: string): Promise<tfl.LayersModel> {
  try {
    return await tfl.loadLayersModel(tf.io.fromMemory(artifacts));
  } catch (error) {
    throw new InputError(`"${file}" cannot be built: ${(error as Error).message}`);
  }
}
