import * as tf from '@tensorflow/tfjs-core';
import {nodeOf} from '../network/graph';
import {asPositions} from '../network/linearLayer';
import {logitsGraph} from '../network/logits';
import {networkAtLayer, type NetworkAtLayer} from '../network/networkAtLayer';
import {compileGraph} from '../network/run';
import type {Model} from '../network/types';
import {layerBatch} from './layerBatch';
import type {Attribution, BatchImages, LayerBatch} from './types';

/** Layers of a model on the engine: a batch at each of them. */
export interface LayersOnEngine {
  networks(): NetworkAtLayer[];
  /**
   * Inside the tidy that the tensors live in.
   * @param images [B, H, W, C], preprocessed
   * @param chosen numbers of the layers that are wanted
   */
  batches(images: tf.Tensor4D, about: BatchImages, attribution: Attribution, chosen: readonly number[]): LayerBatch[];
  dispose(): void;
}

/** @throws InputError for a layer that the model lacks or that cannot be analysed */
export function layersOnEngine(model: Model, layers: readonly string[]): LayersOnEngine {
  return layers.length === 1 ? oneLayer(model, layers[0]) : severalLayers(model, layers);
}

function oneLayer(model: Model, layer: string): LayersOnEngine {
  const network = networkAtLayer(model, layer);
  return {
    networks: () => [network],
    batches: (images, about, attribution, chosen) => chosen.map(() => layerBatch(network, images, about, attribution)),
    dispose: () => network.dispose(),
  };
}

/** One forward pass for all layers, and one backward pass from the logits to the earliest of them. */
function severalLayers(model: Model, layers: readonly string[]): LayersOnEngine {
  // Taken apart at each layer for what asks for more than X, Z and the gradient.
  const networks = layers.map((layer) => networkAtLayer(model, layer));
  const graph = logitsGraph(model.graph);
  const inputs = layers.map((layer) => nodeOf(graph, layer).inputs[0]);
  const [logitsNode] = graph.outputs;
  const compiled = compileGraph(graph, {outputs: [...new Set([logitsNode, ...inputs])], taps: layers});
  return {
    networks: () => networks,
    batches(images, about, attribution, chosen) {
      let found: ReturnType<typeof compiled.runWithGradients> | undefined;
      const all = () => (found ??= compiled.runWithGradients(images, {labels: about.labels}));
      return chosen.map((n) => {
        const tap = () => all().taps[layers[n]];
        return layerBatch(networks[n], images, about, attribution, {
          input: () => all().outputs[inputs[n]],
          output: () => asPositions(tap().value),
          gradient: () => asPositions(tap().gradient),
          logits: () => tf.reshape(all().outputs[logitsNode], [about.indices.length, model.classes]),
        });
      });
    },
    dispose() {
      for (const network of networks) network.dispose();
      compiled.dispose();
    },
  };
}
