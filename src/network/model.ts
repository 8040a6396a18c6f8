import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {readable} from '../common/readable';
import type {Preset} from '../images/types';
import {presetText} from '../numerics/statistics';
import {nodeOf, type Graph} from './graph';
import {graphHash} from './hash';
import {linearLayers} from './linearLayer';
import {logitsOf} from './logits';
import {checkGraph, shapesOf} from './operators';
import {compileGraph, type Compiled} from './run';
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
  /** What its user should know, in sentences. */
  notes?: readonly string[];
}

/**
 * A model from its graph. Nothing is put on an engine until it computes.
 * @throws InputError for more than one input or output, an input that is no image, weights that are not finite, an operator or argument
 *   that is not known, fewer than two classes
 */
export function makeModel(graph: Graph, details: ModelDetails): Model {
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) {
    throw new InputError(
      `model "${details.name}" has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs; one image input and one output are needed`,
    );
  }
  checkGraph(graph);
  checkFinite(graph);
  const inputShape = imageShape(graph, details.name);
  const {graph: logits, classes} = logitsOf(graph, `model "${details.name}"`);
  const shapes = shapesOf(graph);
  let compiled: Compiled | undefined;
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
    notes: details.notes ?? [],
    layers: () => layerTable(graph, shapes),
    logits(images) {
      const network = (compiled ??= compileGraph(logits));
      return tf.tidy(() => tf.reshape(Object.values(network.run(images))[0], [images.shape[0], classes]));
    },
    dispose() {
      compiled?.dispose();
      compiled = undefined;
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
      // A plain loop: a network has tens of millions of weights.
      let position = 0;
      while (position < data.length && Math.abs(data[position]) < Infinity) position++;
      if (position < data.length) {
        throw new InputError(
          `layer "${node.name}" has a weight that is not finite: ${name}[${position}] is ${data[position]}; the model file is damaged or its training diverged`,
        );
      }
    }
  }
}

function imageShape(graph: Graph, name: string): [number, number, number] {
  const image = nodeOf(graph, graph.inputs[0]).args.shape as (number | null)[];
  if (image.length !== 3 || image.some((size) => size === null || !(size > 0))) {
    throw new InputError(
      `model "${name}" takes input [${image.map((size) => size ?? '?').join(', ')}]; a fixed image size [height, width, channels] is needed`,
    );
  }
  return image as [number, number, number];
}

function layerTable(graph: Graph, shapes: ReadonlyMap<string, number[]>): LayerInfo[] {
  return linearLayers(graph).map(({name, kind, shape, bias, groups}) => ({
    name,
    kind,
    kernel: shape,
    output: shapes.get(name) as number[],
    bias: bias !== undefined,
    ...(groups > 1 && {groups}),
  }));
}
