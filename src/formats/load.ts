import path from 'node:path';
import * as v from 'valibot';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {ensureBackend} from '../engine';
import {resolvePreset} from '../images/presets';
import type {PresetOption} from '../images/types';
import {HASH_VERSION} from '../network/hash';
import {makeModel} from '../network/model';
import type {Model} from '../network/types';
import {readKerasH5} from './keras/readH5';
import {readKeras} from './keras/readKeras';
import {OWN_FORMAT, readOwnGraphJson} from './layersModel/ownGraph';
import {readLayersModelJson, readModelJson} from './layersModel/read';
import {formatOf, type FoundFormat} from './sniff';
import {readGraphModelJson} from './graphModel';
import {readOnnx} from './onnx';
import {loadCheckpoint} from './torch';
import type {ReadNetwork, ReadOptions} from './types';

export interface LoadModelOptions {
  /**
   * Architecture of a PyTorch checkpoint, e.g. `resnet50` (torchvision) or `resnet20` (CIFAR); see `ARCHITECTURES`.
   * @default the only one that its weights fit
   */
  arch?: string;
  /** Which state dict of a checkpoint, where several fit, e.g. `state_dict_ema`. @default the weights rather than their average */
  state?: string;
  /**
   * How pixels become input.
   * @default what the model was saved with, or does itself (`raw` for one that begins with Rescaling), else the architecture's; for
   *   an ONNX file with channels first `torch-imagenet`, for all else `tf`, marked as assumed
   */
  preset?: PresetOption;
  /** Names of the classes, by output index. */
  classNames?: readonly string[];
  /** The size of the images, one number or [height, width], for a network that takes any size. */
  inputSize?: number | readonly [height: number, width: number];
  /** Name of the output with the classes, for a network of several. */
  output?: string;
}

/** A network as its file holds it, and what only some formats know. */
interface Opened extends ReadNetwork {
  arch?: string;
}

/**
 * Loads a network, whatever its file is called: a tfjs LayersModel or graph model (its folder or its model.json), a Keras model (`.keras`,
 * `.h5`), an ONNX file (`.onnx`), or a PyTorch checkpoint of a known architecture. No code in a file is ever run.
 * @throws InputError for a file that is missing, foreign, truncated or damaged, or a network that cannot be read: says what, and what
 *   to do
 */
export async function loadModel(source: string, options: LoadModelOptions = {}): Promise<Model> {
  const {format, file} = await formatOf(source);
  if (options.arch !== undefined && format !== 'checkpoint') {
    throw new InputError(
      `arch "${options.arch}" was given, but "${source}" ${DESCRIBES_ITSELF[format]}; leave ${option('arch')} out`,
    );
  }
  const preset = options.preset === undefined ? undefined : resolvePreset(options.preset);
  const inputSize = checkedSize(options.inputSize);
  checkNames(options.classNames);
  await ensureBackend();
  const read = await OPENERS[format](file, {...options, inputSize});
  const current = read.hashVersion === HASH_VERSION;
  const model = makeModel(read.graph, {
    name: path.basename(path.resolve(source)).replace(/\.(json|pth|pt|th|safetensors|h5|hdf5|keras|onnx)$/i, ''),
    arch: read.arch,
    preset: preset ?? read.preset ?? {...resolvePreset('tf'), assumed: true},
    classNames: options.classNames ?? read.classNames,
    origins: current ? read.origins : [],
    source: path.resolve(source),
    notes: [...(read.notes ?? []), ...(current ? [] : outdated(read))],
  });
  if (current && read.hash !== undefined && read.hash !== model.hash) {
    throw new InputError(
      `"${source}" is damaged: it computes something else (${model.hash.slice(0, 8)}) than what was saved there (${read.hash.slice(0, 8)}); save the model again, or copy it again`,
    );
  }
  return model;
}

const DESCRIBES_ITSELF: Readonly<Record<FoundFormat['format'], string>> = {
  tfjs: 'is a tfjs model, which describes itself',
  h5: 'is a Keras model, which describes itself',
  keras: 'is a Keras model, which describes itself',
  onnx: 'is an ONNX model, which describes itself',
  checkpoint: 'is a PyTorch checkpoint',
};

type Options = ReadOptions & Pick<LoadModelOptions, 'arch' | 'state'>;

const OPENERS: Readonly<Record<FoundFormat['format'], (file: string, options: Options) => Promise<Opened>>> = {
  tfjs: openTfjs,
  h5: readKerasH5,
  keras: readKeras,
  onnx: openOnnx,
  checkpoint: openCheckpoint,
};

async function openTfjs(file: string, options: Options): Promise<Opened> {
  const json = await readModelJson(file);
  if (json.format === OWN_FORMAT) return readOwnGraphJson(json, file);
  if (json.format === 'graph-model') return readGraphModelJson(json, file, options);
  return readLayersModelJson(json, file, options);
}

async function openOnnx(file: string, options: Options): Promise<Opened> {
  const {channelsLast, ...read} = await readOnnx(file, options);
  // Exports of TensorFlow keep channels last; whatever else there is comes from PyTorch.
  return channelsLast || read.preset ? read : {...read, preset: {...resolvePreset('torch-imagenet'), assumed: true}};
}

async function openCheckpoint(file: string, options: Options): Promise<Opened> {
  const {graph, architecture, notes} = await loadCheckpoint(file, options);
  return {graph, arch: architecture.name, preset: resolvePreset(architecture.preset), notes};
}

/** What is to be said of a model that unweave 0.1 split. */
function outdated({origins = []}: ReadNetwork): string[] {
  if (origins.length === 0) return [];
  return [
    'it was split by unweave 0.1, which knew models by another hash: statistics of the model before do not fit it any more; split that model again',
  ];
}

const NAMES = v.optional(v.pipe(v.array(v.string()), v.minLength(1)));

function checkNames(names: unknown): void {
  const checked = v.safeParse(NAMES, names);
  if (checked.success) return;
  throw new InputError(
    `invalid classNames: ${(JSON.stringify(names) ?? typeof names).slice(0, 60)}; it is a list of texts, one for each output`,
  );
}

function checkedSize(size: LoadModelOptions['inputSize']): readonly [number, number] | undefined {
  if (size === undefined) return undefined;
  const pair = typeof size === 'number' ? ([size, size] as const) : size;
  const valid =
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every((side) => Number.isInteger(side) && side >= 1 && side <= 16384);
  if (!valid) {
    throw new InputError(
      `invalid ${option('inputSize')}: ${JSON.stringify(size)}; it is a whole number of pixels from 1 to 16384, or [height, width]`,
    );
  }
  return pair;
}
