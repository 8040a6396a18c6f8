import type * as tfl from '@tensorflow/tfjs-layers';
import type {Graph} from '../network/graph';
import {makeModel, type ModelDetails} from '../network/model';
import type {Model} from '../network/types';
import {buildGraph} from './keras/build';
import {presetInside} from './keras/preprocessing';
import {layerNames, readTopology} from './keras/topology';
import {NamedWeights, type StoredArray} from './keras/weights';
import {resolvePreset} from '../images/presets';

/**
 * The graph of a tfjs LayersModel in memory, with its weights as they are now.
 * @throws InputError for a layer that is not known
 */
export function graphFrom(network: tfl.LayersModel): Graph {
  const topology = readTopology(network.toJSON(null, false));
  const arrays = network.weights.map((variable): StoredArray => {
    const value = variable.read();
    return {
      name: variable.originalName,
      shape: value.shape.slice(),
      data: () => Float32Array.from(value.dataSync()),
    };
  });
  return buildGraph(topology, new NamedWeights(arrays, layerNames(topology)), {dialect: 'tfjs'});
}

/**
 * A model from a tfjs LayersModel in memory, for instance one that was trained here. The network is read, not kept: training it further
 * changes nothing, and it can be disposed of.
 * @throws InputError for a layer that is not known, more than one input, fewer than two classes
 */
export function modelFrom(network: tfl.LayersModel, details: Partial<ModelDetails> = {}): Model {
  const graph = graphFrom(network);
  const preset = details.preset ?? presetInside(graph) ?? {...resolvePreset('tf'), assumed: true};
  return makeModel(graph, {name: network.name, ...details, preset});
}
