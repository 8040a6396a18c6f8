import * as tf from '@tensorflow/tfjs-core';
import type {Model} from '../network/types';
import {layerOn} from './objectiveOn';

/** A picture that the images are to stay near to, as a layer of the network sees both. */
export interface Nearness {
  /** Pull towards the picture against push of the objective: the ratio of their gradients at the start. */
  weight: number;
  /** [1, H, W, C], 0..1 */
  picture: tf.Tensor4D;
}

/** How far images are from pictures at a layer. */
export interface LayerDistance {
  /** [B]; differentiable. @param images, pictures [B, H, W, C], preprocessed */
  value(images: tf.Tensor4D, pictures: tf.Tensor4D): tf.Tensor1D;
  dispose(): void;
}

/** Keeps the gradient of a root finite where a picture is compared with itself. */
const EPSILON = 1e-6;

/**
 * ‖h(image) − h(picture)‖ / ‖h(picture)‖ with h the layer's output.
 * @throws InputError for a layer that the model has not, or a size that does not fit
 */
export function layerDistance(model: Model, layer: string, size: readonly [number, number]): LayerDistance {
  const {observe, dispose} = layerOn(model, layer, size);
  const lengths = (rows: tf.Tensor) => tf.sqrt(tf.add(tf.sum(tf.square(rows), 1), EPSILON)); // [B]
  return {
    value: (images, pictures) =>
      tf.tidy(() => {
        const count = images.shape[0];
        const all = observe(tf.concat([images, pictures], 0)); // [2B, H', W', C]
        const [own, wanted] = tf.split(tf.reshape(all, [2 * count, -1]), 2, 0); // [B, N] each
        return tf.div(lengths(tf.sub(own, wanted)), lengths(wanted)) as tf.Tensor1D;
      }),
    dispose,
  };
}
