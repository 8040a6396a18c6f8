import * as tf from '@tensorflow/tfjs-core';
import type {Model} from '../../src';
import {networkAtLayer} from '../../src/network/networkAtLayer';

/** What a framework's autodiff through the whole network makes of each layer, for two images. */
export interface ExpectedRelevances {
  labels: number[];
  /** Base64 of float32 [B, Cout]: Σ over positions of Z · ∂y_label/∂Z. */
  layers: Record<string, string>;
}

/**
 * Largest difference of a relevance, as the one pass computes it, from the framework's, over the largest relevance; undefined for a layer that the
 * framework has under no such name.
 * @param images [B, H, W, C]
 */
export function relevanceError(
  model: Model,
  layer: string,
  images: tf.Tensor4D,
  {labels, layers}: ExpectedRelevances,
): number | undefined {
  const stored = layers[layer];
  if (stored === undefined) return undefined;
  const expected = new Float32Array(Uint8Array.from(Buffer.from(stored, 'base64')).buffer);
  const network = networkAtLayer(model, layer);
  const found = tf.tidy(() => {
    const {input, crossing} = network.trunk(images);
    const z = network.linear(input); // [B, H', W', Cout]
    const {gradient} = network.headGradient(z, crossing, Int32Array.from(labels));
    return tf.sum(tf.mul(z, gradient), [1, 2]).dataSync(); // [B, Cout]
  });
  network.dispose();
  if (found.length !== expected.length) return Infinity;
  let [difference, largest] = [0, 0];
  expected.forEach((value, at) => {
    difference = Math.max(difference, Math.abs(value - found[at]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}

/** Numbers as {@link ExpectedRelevances} holds them. */
export const encoded = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
