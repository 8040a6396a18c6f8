import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {foldBatchNorm, stripSoftmax} from '../network/fold';
import {nodeOf, type Graph} from '../network/graph';
import {outputShapes, toLayersModel} from '../network/layersModel';
import type {Model} from '../network/types';
import {InputError} from '../common/errors';
import {freeze, fuseRelus} from './frozen';

/** A network that hands out tensors on its way, with no more layers than these need, all with fixed weights. */
export interface Observer {
  /** The output of each node that was asked for, by its name. @param images [B, H, W, C], preprocessed */
  observe(images: tf.Tensor4D): Map<string, tf.Tensor>;
  dispose(): void;
}

/**
 * @param size [H, W] of the images
 * @throws InputError where a layer on the way takes the model's own input size only
 */
export function observer(model: Model, names: Iterable<string>, size: Size): Observer {
  const wanted = [...new Set(names)];
  const whole = stripSoftmax(model.graph);
  const [input] = whole.inputs;
  // The outputs are set first: folding keeps them, and does not stop at layers that none of them needs.
  const graph = fuseRelus(foldBatchNorm(upTo({...whole, outputs: wanted})));
  const computed = [...new Set(graph.outputs)].filter((name) => name !== input);
  const network = computed.length > 0 ? build({...graph, outputs: computed}, model, size) : undefined;
  const free = network && freeze(network);
  return {
    observe(images) {
      const results = network ? tf.tidy(() => network.apply(images, {training: false}) as tf.Tensor | tf.Tensor[]) : [];
      const tensors = Array.isArray(results) ? results : [results];
      return new Map(
        wanted.map((asked, i) => {
          const name = graph.outputs[i];
          return [asked, name === input ? tf.clone(images) : tensors[computed.indexOf(name)]];
        }),
      );
    },
    dispose() {
      free?.();
      network?.dispose();
    },
  };
}

/** The graph without the nodes that its outputs do not depend on. */
function upTo(graph: Graph): Graph {
  const reached = new Set(graph.outputs);
  // A set hands out what is added to it on the way.
  for (const name of reached) nodeOf(graph, name).inputs.forEach((source) => reached.add(source));
  return {...graph, nodes: graph.nodes.filter(({name}) => reached.has(name) || graph.inputs.includes(name))};
}

type Size = readonly [height: number, width: number];

/**
 * Whether the outputs of these layers have any positions at a size of the images.
 * @throws InputError that names the first layer without
 */
export function checkSize(model: Model, layers: readonly string[], size: Size): void {
  if (isOwn(model, size) || layers.length === 0) return;
  const graph = upTo({...stripSoftmax(model.graph), outputs: [...new Set(layers)]});
  const shapes = fitting(model, size, () => outputShapes(resized(graph, model, size)));
  for (const [name, shape] of shapes) {
    if (!shape.some((length) => length !== null && length <= 0)) continue;
    throw new InputError(
      `size ${size.join(' × ')} is too small for model ${model.name}: the output of layer ${name} would be empty; give a larger size, or leave it out for ${model.inputShape.slice(0, 2).join(' × ')}`,
    );
  }
}

const isOwn = ({inputShape: [height, width]}: Model, size: Size) => size[0] === height && size[1] === width;

function build(graph: Graph, model: Model, size: Size): tfl.LayersModel {
  if (isOwn(model, size)) return toLayersModel(graph);
  return fitting(model, size, () => toLayersModel(resized(graph, model, size)));
}

function resized(graph: Graph, {inputShape}: Model, size: Size): Graph {
  const batchInputShape = [null, ...size, inputShape[2]];
  const nodes = graph.nodes.map((node) =>
    graph.inputs.includes(node.name) ? {...node, args: {...node.args, batchInputShape}} : node,
  );
  return {...graph, nodes};
}

/** @throws InputError where layers cannot be made at this size */
function fitting<T>({name: model, inputShape: [height, width]}: Model, size: Size, make: () => T): T {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  try {
    return make();
  } catch {
    // What was built before the layer that does not fit.
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
    throw new InputError(
      `size ${size.join(' × ')} does not fit model ${model}: a layer on the way takes the model's own input only; leave size out for ${height} × ${width}`,
    );
  }
}
