import {InputError} from '../../common/errors';
import {HOST_ORDER, toHostOrder} from '../../files/binaryFile';
import {commitFolder, namedPlainly, type NewFile} from '../../files/transaction';
import type {Graph} from '../../network/graph';
import {FORMAT_VERSION, topologyChecksum, type Metadata} from './metadata';
import {OWN_FORMAT, writeOwnGraph} from './ownGraph';
import {writeLayersModel, type WrittenModel} from './write';

/** What is known of a network beside its graph. */
export type SavedWith = Pick<Metadata, 'preset' | 'classNames' | 'origins' | 'hash' | 'hashVersion'>;

/** The files of a tfjs LayersModel, to be written as one change of a folder: `manifest` is its model.json, which comes last. */
export interface LayersModelFiles {
  weights: NewFile;
  manifest: {file: 'model.json'; content: string};
  /** Sentences about what is written otherwise than it is. */
  notes: string[];
}

/**
 * A network as a tfjs LayersModel: `weights.bin` and `model.json`.
 * @param named files of the model.json that is there, with their SHA-256 where it is known: the weights get another name than those
 * @throws InputError that lists the nodes that a LayersModel cannot express
 */
export function layersModelFiles(
  graph: Graph,
  name: string,
  savedWith: SavedWith = {},
  named: ReadonlyMap<string, string | undefined> = new Map(),
): LayersModelFiles {
  return filesOf('layers-model', writeLayersModel(graph, name), savedWith, named);
}

/** The same files for any network: as a LayersModel, or node by node, which unweave alone reads, where tfjs has no layers for it. */
export function networkFiles(
  ...[graph, name, savedWith = {}, named = new Map()]: Parameters<typeof layersModelFiles>
): LayersModelFiles {
  try {
    return layersModelFiles(graph, name, savedWith, named);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return filesOf(OWN_FORMAT, writeOwnGraph(graph), savedWith, named);
  }
}

function filesOf(
  format: string,
  {modelTopology, weights, expressed, names, marks, notes}: WrittenModel,
  savedWith: SavedWith,
  named: ReadonlyMap<string, string | undefined>,
): LayersModelFiles {
  const pieces = weights.map(({data}) => {
    const view = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return HOST_ORDER === 'little' ? view : toHostOrder(view.slice(), 4, 'little');
  });
  const file = namedPlainly('weights', 'bin', pieces, named);
  const metadata: Metadata = {
    formatVersion: FORMAT_VERSION,
    ...savedWith,
    // As it will be parsed: what is undefined is left out.
    sha256: {topology: topologyChecksum(JSON.parse(JSON.stringify(modelTopology))), weights: file.sha256},
    marks,
    expressed,
    names,
  };
  const described = weights.map(({name: weight, shape, dtype}) => ({name: weight, shape, dtype}));
  const json = {
    format,
    generatedBy: 'unweave',
    modelTopology,
    weightsManifest: [{paths: [file.file], weights: described}],
    userDefinedMetadata: {unweave: metadata},
  };
  return {weights: file, manifest: {file: 'model.json', content: JSON.stringify(json)}, notes};
}

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
  const {weights, manifest, notes} = layersModelFiles(graph, name, savedWith);
  await commitFolder(folder, {files: [weights], manifest, kept: [weights.file]});
  return notes;
}
