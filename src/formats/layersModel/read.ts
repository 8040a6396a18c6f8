import path from 'node:path';
import {InputError} from '../../common/errors';
import {parseJson} from '../../common/json';
import {isRecord} from '../../common/isRecord';
import {foreignKind} from '../../files/foreignKind';
import {decodeText, readRegularFile} from '../../files/regularFile';
import {buildGraph} from '../keras/build';
import {dialectOf} from '../keras/dialect';
import {notesOf} from '../keras/notes';
import {insideNotes, presetInside} from '../keras/preprocessing';
import {layerNames, readTopology} from '../keras/topology';
import {NamedWeights} from '../keras/weights';
import type {ReadNetwork, ReadOptions} from '../types';
import {readMetadata, topologyChecksum} from './metadata';
import {restoreGraph} from './restore';
import {readManifest, readWeightFiles} from './weightFiles';

/** model.json has no weights in it: the largest networks' has some megabytes. */
const MAX_JSON_BYTES = 512 * 2 ** 20;

/**
 * The JSON of a tfjs model; a byte order mark is accepted.
 * @throws InputError where it is missing or something else
 */
export async function readModelJson(file: string): Promise<Record<string, unknown>> {
  const bytes = await readRegularFile(file, MAX_JSON_BYTES).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      error.code === 'ENOENT'
        ? `no "${path.basename(file)}" in "${path.dirname(file)}"; a tfjs model's folder holds model.json and its weight files`
        : `cannot read "${file}": ${error.message}`,
    );
  });
  try {
    const json: unknown = parseJson(decodeText(bytes));
    if (isRecord(json)) return json;
  } catch {
    const kind = foreignKind(bytes.subarray(0, 512));
    if (!/JSON|text file|unknown format/.test(kind)) {
      throw new InputError(`"${file}" is ${kind}, not the description of a model`);
    }
  }
  throw new InputError(`"${file}" is not valid JSON; give a tfjs LayersModel's model.json`);
}

/**
 * Reads a tfjs LayersModel of any generation (Keras 1 to 3, tfjs itself): model.json and the weight files beside it, float32 or
 * quantised to uint8, uint16 or float16. What unweave saved is read with its marks.
 * @param file the model.json
 * @throws InputError for what is missing, damaged or not known
 */
export async function readLayersModel(file: string, options: ReadOptions = {}): Promise<ReadNetwork> {
  return readLayersModelJson(await readModelJson(file), file, options);
}

export async function readLayersModelJson(
  json: Record<string, unknown>,
  file: string,
  options: ReadOptions = {},
): Promise<ReadNetwork> {
  const outer = json.modelTopology;
  if (!isRecord(outer) || json.weightsManifest === undefined) {
    throw new InputError(`"${file}" is not a tfjs LayersModel: modelTopology or weightsManifest is missing`);
  }
  const config = outer.model_config ?? outer;
  const topology = readTopology(config);
  const dialect = dialectOf(outer.keras_version ?? json.generatedBy, config);
  const metadata = readMetadata(json, file);
  if (metadata?.sha256 && metadata.sha256.topology !== topologyChecksum(outer)) {
    throw new InputError(
      `"${file}" is damaged: its layers are not those that were saved (their checksum differs); save the model again, or copy it again`,
    );
  }
  const arrays = await readWeightFiles(readManifest(json.weightsManifest, file), file, metadata?.sha256?.weights);
  const weights = new NamedWeights(arrays, layerNames(topology));
  const built = buildGraph(topology, weights, {...options, dialect});
  const graph = metadata ? restoreGraph(built, metadata, file) : built;
  const preset = metadata?.preset ?? presetInside(graph);
  return {
    graph,
    preset,
    classNames: metadata?.classNames,
    origins: metadata?.origins,
    hash: metadata?.hash,
    hashVersion: metadata?.hashVersion,
    notes: [...notesOf(weights, topology), ...(metadata?.preset ? [] : insideNotes(preset))],
  };
}
