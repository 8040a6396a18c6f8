import type * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {upTo} from '../network/graph';
import {logitsGraph} from '../network/logits';
import {operatorOf} from '../network/operators';
import {compileGraph} from '../network/run';
import type {Model} from '../network/types';

/** A network that hands out tensors on its way, with no more layers than these need, all with fixed weights. */
export interface Observer {
  /** The output of each node that was asked for, by its name. @param images [B, H, W, C], preprocessed */
  observe(images: tf.Tensor4D): Map<string, tf.Tensor>;
  dispose(): void;
}

type Size = readonly [height: number, width: number];

/**
 * @param size [H, W] of the images
 * @throws InputError where a layer on the way takes the model's own input size only
 */
export function observer(model: Model, names: Iterable<string>, size: Size): Observer {
  const wanted = [...new Set(names)];
  checkSize(model, wanted, size);
  const network = compileGraph(logitsGraph(model.graph), {outputs: wanted});
  return {
    observe: (images) => new Map(Object.entries(network.run(images))),
    dispose: () => network.dispose(),
  };
}

/** Operators that need so much of an image, and those that take what is left of it: they tell a size that is too small. */
const WINDOWED = /Conv2D|Pooling2D/;

/**
 * Whether the outputs of these layers have any positions at a size of the images.
 * @throws InputError that names the first layer without, or says that a layer takes one size only
 */
export function checkSize(model: Model, layers: readonly string[], size: Size): void {
  const {name, inputShape, graph: whole} = model;
  const [height, width, channels] = inputShape;
  if ((size[0] === height && size[1] === width) || layers.length === 0) return;
  const graph = upTo(logitsGraph(whole), [...new Set(layers)]);
  const shapes = new Map<string, number[]>();
  const own = `${height} × ${width}`;
  for (const node of graph.nodes) {
    if (graph.inputs.includes(node.name)) {
      shapes.set(node.name, [...size, channels]);
      continue;
    }
    try {
      const inputs = node.inputs.map((input) => shapes.get(input) as number[]);
      shapes.set(node.name, operatorOf(node.operator).shape(node, inputs));
    } catch {
      throw new InputError(
        WINDOWED.test(node.operator)
          ? `size ${size.join(' × ')} is too small for model ${name}: the output of layer ${node.name} would be empty; give a larger size, or leave it out for ${own}`
          : `size ${size.join(' × ')} does not fit model ${name}: layer ${node.name} takes the model's own input only; leave size out for ${own}`,
      );
    }
  }
}
