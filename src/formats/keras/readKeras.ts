import {mkdtemp, open, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {InputError} from '../../common/errors';
import {parseJson} from '../../common/json';
import {isRecord} from '../../common/isRecord';
import {readBytes, withBinaryFile, writeBytes, type BinaryFile} from '../../files/binaryFile';
import {readZipDirectory, type ZipArchive} from '../../files/zipArchive';
import type {ReadNetwork, ReadOptions} from '../types';
import {buildGraph} from './build';
import {dialectOf} from './dialect';
import {readHdf5} from './hdf5';
import {notesOf} from './notes';
import {insideNotes, presetInside} from './preprocessing';
import {StateWeights} from './stateWeights';
import {readTopology} from './topology';

const CONFIG = 'config.json';
const WEIGHTS = 'model.weights.h5';
const MAX_JSON_BYTES = 256 * 2 ** 20;
const PIECE = 2 ** 26;

/** Whether a zip archive is one of Keras'. */
export const isKerasArchive = (names: readonly string[]) => names.includes(CONFIG) && names.includes('metadata.json');

/**
 * Reads a `.keras` archive, Keras' own format since 2.12: a description and the weights as HDF5, which are named by class and count.
 * @throws InputError for another archive, what is damaged, or what is not known
 */
export async function readKeras(file: string, options: ReadOptions = {}): Promise<ReadNetwork> {
  return withBinaryFile(file, async (opened) => {
    const zip = await readZipDirectory(
      opened,
      'save the model again with Keras, or unpack the archive and pack it without compression (zip -0)',
    );
    if (!isKerasArchive(zip.names) || !zip.names.includes(WEIGHTS)) {
      throw new InputError(
        `"${file}" is a zip archive, but no Keras model: it lacks ${[CONFIG, 'metadata.json', WEIGHTS].filter((name) => !zip.names.includes(name)).join(', ')}`,
      );
    }
    const config = await readJson(opened, zip, CONFIG);
    const metadata = await readJson(opened, zip, 'metadata.json');
    const topology = readTopology(config);
    const dialect = dialectOf(isRecord(metadata) ? metadata.keras_version : undefined, config);
    const folder = await mkdtemp(path.join(tmpdir(), 'unweave-keras-'));
    try {
      // The library opens files by path alone.
      const unpacked = path.join(folder, WEIGHTS);
      await unpack(opened, zip, unpacked);
      const weights = new StateWeights(await readHdf5(unpacked, `${file} (${WEIGHTS})`));
      const graph = buildGraph(topology, weights, {...options, dialect});
      const preset = presetInside(graph);
      return {graph, preset, notes: [...notesOf(weights, topology), ...insideNotes(preset)]};
    } finally {
      await rm(folder, {recursive: true, force: true});
    }
  });
}

async function readJson(file: BinaryFile, zip: ZipArchive, name: string): Promise<unknown> {
  const {position, length} = await zip.locate(name);
  if (length > MAX_JSON_BYTES)
    throw new InputError(`"${name}" in "${file.name}" has ${length} bytes; the file is damaged`);
  const text = Buffer.from(await readBytes(file, position, length)).toString('utf8');
  try {
    return parseJson(text);
  } catch {
    throw new InputError(`"${name}" in "${file.name}" is no JSON; the file is damaged, save the model again`);
  }
}

async function unpack(file: BinaryFile, zip: ZipArchive, target: string): Promise<void> {
  const {position, length} = await zip.locate(WEIGHTS);
  const handle = await open(target, 'wx', 0o600);
  try {
    for (let done = 0; done < length; done += PIECE) {
      await writeBytes(handle, await readBytes(file, position + done, Math.min(PIECE, length - done)));
    }
  } finally {
    await handle.close();
  }
}
