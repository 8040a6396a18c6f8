import {createHash} from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {InputError} from '../common/errors';
import type {Preset} from '../images/types';
import {stripSoftmax} from './fold';
import {nodeOf, type Graph} from './graph';
import {outputShapes, toLayersModel} from './layersModel';
import {readable} from '../common/readable';
import {presetText} from '../numerics/statistics';
import {linearLayers} from './linearLayer';
import type {LayerInfo, Model} from './types';

export interface ModelDetails {
  name: string;
  arch?: string;
  preset?: Preset;
  classNames?: readonly string[];
  /** Hashes of the models that this one was split from, oldest first. */
  origins?: readonly string[];
  /** Folder or file that it was loaded from. */
  source?: string;
}

/** SHA-256 over topology and weights, hexadecimal. */
export function graphHash(graph: Graph): string {
  const hash = createHash('sha256');
  for (const node of graph.nodes) {
    hash.update(JSON.stringify([node.name, node.operator, node.inputs]));
    for (const {name, shape, data} of node.weights) {
      hash.update(JSON.stringify([name, shape]));
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }
  hash.update(JSON.stringify([graph.inputs, graph.outputs]));
  return hash.digest('hex');
}

/**
 * A model from its graph. Nothing is built on an engine until it computes.
 * @throws InputError for more than one input or output, an input that is no image, weights that are not finite
 */
export function makeModel(graph: Graph, details: ModelDetails): Model {
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) {
    throw new InputError(
      `model "${details.name}" has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs; one image input and one output are needed`,
    );
  }
  checkFinite(graph);
  const inputShape = imageShape(graph, details.name);
  const logitsGraph = stripSoftmax(graph);
  const shapes = outputShapes(graph);
  const classes = (shapes.get(graph.outputs[0]) as number[]).slice(1).reduce((product, size) => product * size, 1);
  if (!(classes >= 2)) {
    throw new InputError(
      `model "${details.name}" has ${classes} outputs; a classifier with at least 2 classes is needed`,
    );
  }
  let built: tfl.LayersModel | undefined;
  let hash: string | undefined;
  const model: Omit<Model, 'toString'> = {
    name: details.name,
    graph,
    get hash() {
      return (hash ??= graphHash(graph));
    },
    inputShape,
    classes,
    arch: details.arch,
    preset: details.preset,
    classNames: details.classNames,
    origins: details.origins ?? [],
    source: details.source,
    layers: () => layerTable(graph, shapes),
    logits(images) {
      // Variables that are made inside a tidy outlive it, so building here is safe.
      built ??= toLayersModel(logitsGraph, details.name);
      const network = built;
      return tf.tidy(() =>
        tf.reshape(network.apply(images, {training: false}) as tf.Tensor, [images.shape[0], classes]),
      );
    },
    dispose() {
      built?.dispose();
      built = undefined;
    },
  };
  return readable(
    model,
    () =>
      `model ${details.name}: input ${inputShape.join('×')}, ${classes} classes, ${linearLayers(graph).length} layers that can be analysed` +
      (details.preset ? `, preset ${presetText(details.preset)}` : ''),
  );
}

function checkFinite(graph: Graph): void {
  for (const node of graph.nodes) {
    for (const {name, data} of node.weights) {
      const position = data.findIndex((value) => !Number.isFinite(value));
      if (position >= 0) {
        throw new InputError(
          `layer "${node.name}" has a weight that is not finite: ${name}[${position}] is ${data[position]}; the model file is damaged or its training diverged`,
        );
      }
    }
  }
}

function imageShape(graph: Graph, name: string): [number, number, number] {
  const shape = nodeOf(graph, graph.inputs[0]).args.batchInputShape as (number | null)[];
  const image = shape.slice(1);
  if (image.length !== 3 || image.some((size) => size === null || !(size > 0))) {
    throw new InputError(
      `model "${name}" takes input [${image.map((size) => size ?? '?').join(', ')}]; a fixed image size [height, width, channels] is needed`,
    );
  }
  return image as [number, number, number];
}

function layerTable(graph: Graph, shapes: Map<string, (number | null)[]>): LayerInfo[] {
  return linearLayers(graph).map(({name, kind, shape, bias}) => ({
    name,
    kind,
    kernel: shape,
    output: (shapes.get(name) as number[]).slice(1),
    bias: bias !== undefined,
  }));
}
