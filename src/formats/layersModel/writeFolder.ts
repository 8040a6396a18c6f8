import {createHash} from 'node:crypto';
import {open, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {HOST_ORDER, toHostOrder, writeBytes} from '../../files/binaryFile';
import type {Graph} from '../../network/graph';
import {FORMAT_VERSION, topologyChecksum, type Metadata} from './metadata';
import {writeLayersModel} from './write';

/** What is known of a network beside its graph. */
export type SavedWith = Pick<Metadata, 'preset' | 'classNames' | 'origins' | 'hash' | 'hashVersion'>;

/**
 * Writes a network into a folder that exists, as a tfjs LayersModel: `weights.bin`, then `model.json`.
 * @returns sentences about what is written otherwise than it is
 * @throws InputError that lists the nodes that a LayersModel cannot express; nothing is written then
 */
export async function writeLayersModelFolder(
  folder: string,
  graph: Graph,
  name: string,
  savedWith: SavedWith = {},
): Promise<string[]> {
  const {modelTopology, weights, expressed, names, marks, notes} = writeLayersModel(graph, name);
  const checksum = createHash('sha256');
  const file = await open(path.join(folder, 'weights.bin'), 'w');
  try {
    for (const {data} of weights) {
      const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const bytes = HOST_ORDER === 'little' ? view : toHostOrder(view.slice(), 4, 'little');
      checksum.update(bytes);
      await writeBytes(file, bytes);
    }
  } finally {
    await file.close();
  }
  const metadata: Metadata = {
    formatVersion: FORMAT_VERSION,
    ...savedWith,
    // As it will be parsed: what is undefined is left out.
    sha256: {topology: topologyChecksum(JSON.parse(JSON.stringify(modelTopology))), weights: checksum.digest('hex')},
    marks,
    expressed,
    names,
  };
  const manifest = weights.map(({name: weight, shape, dtype}) => ({name: weight, shape, dtype}));
  const json = {
    format: 'layers-model',
    generatedBy: 'unweave',
    modelTopology,
    weightsManifest: [{paths: ['weights.bin'], weights: manifest}],
    userDefinedMetadata: {unweave: metadata},
  };
  await writeFile(path.join(folder, 'model.json'), JSON.stringify(json));
  return notes;
}
