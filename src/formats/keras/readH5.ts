import {InputError} from '../../common/errors';
import {parseJson} from '../../common/json';
import type {ReadNetwork, ReadOptions} from '../types';
import {buildGraph} from './build';
import {dialectOf} from './dialect';
import {readHdf5, type Hdf5File} from './hdf5';
import {notesOf} from './notes';
import {insideNotes, presetInside} from './preprocessing';
import {layerNames, readTopology} from './topology';
import {NamedWeights, type StoredArray} from './weights';

/**
 * Reads a whole model that Keras 1 to 3 saved as HDF5 (`model.save('model.h5')`).
 * @throws InputError for weights alone, what is damaged, or what is not known
 */
export async function readKerasH5(file: string, options: ReadOptions = {}): Promise<ReadNetwork> {
  const opened = await readHdf5(file);
  const config = parsedConfig(opened);
  const topology = readTopology(config);
  const group = opened.keys('').includes('model_weights') ? 'model_weights' : '';
  const weights = new NamedWeights(storedArrays(opened, group), layerNames(topology));
  const version = opened.attribute('', 'keras_version') ?? opened.attribute(group, 'keras_version');
  const graph = buildGraph(topology, weights, {...options, dialect: dialectOf(textOf(version), config)});
  const preset = presetInside(graph);
  return {graph, preset, notes: [...notesOf(weights, topology), ...insideNotes(preset)]};
}

/** Text as the library gives it, or as bytes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return Array.isArray(value) && value.length === 1 ? textOf(value[0]) : undefined;
}

function parsedConfig(opened: Hdf5File): unknown {
  const text = textOf(opened.attribute('', 'model_config'));
  if (text === undefined) {
    const weightsOnly = ['layers', '_layer_checkpoint_dependencies', 'layer_names'].some((name) =>
      opened.keys('').includes(name),
    );
    const what =
      weightsOnly || opened.attribute('', 'layer_names') !== undefined
        ? 'holds weights alone, without the network; save the whole model (model.save, not save_weights)'
        : 'is an HDF5 file, but no Keras model; give what model.save wrote';
    throw new InputError(`"${opened.name}" ${what}`);
  }
  try {
    return parseJson(text);
  } catch {
    throw new InputError(`"${opened.name}" is damaged: its model_config is no JSON; save the model again`);
  }
}

/** Names in an attribute; long lists are split over `names0`, `names1`, …. */
function namesIn(opened: Hdf5File, group: string, attribute: string): string[] | undefined {
  const whole = opened.attribute(group, attribute);
  const parts: unknown[] = whole === undefined ? [] : [whole];
  for (let count = 0; whole === undefined; count++) {
    const part = opened.attribute(group, `${attribute}${count}`);
    if (part === undefined) break;
    parts.push(part);
  }
  if (parts.length === 0) return undefined;
  return parts.flat().flatMap((name) => textOf(name) ?? []);
}

/** The arrays of every layer in the file's order, named `<layer>/<weight name>`. */
function storedArrays(opened: Hdf5File, group: string): StoredArray[] {
  const join = (...parts: string[]) => parts.filter(Boolean).join('/');
  const layers = namesIn(opened, group, 'layer_names') ?? opened.keys(group);
  return layers.flatMap((layer) => {
    const names = namesIn(opened, join(group, layer), 'weight_names') ?? [];
    return names.map((name) => {
      const array = opened.array(join(group, layer, name));
      if (!array)
        throw new InputError(`"${opened.name}" is damaged: the array "${name}" of layer "${layer}" is missing`);
      return {...array, name: `${layer}/${name}`};
    });
  });
}
