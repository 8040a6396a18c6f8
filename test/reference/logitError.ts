import * as tf from '@tensorflow/tfjs-core';
import type {Graph} from '../../src/network/graph';
import {toLayersModel} from '../../src/network/layersModel';

/** Largest difference between a network's logits and those expected, [B][K], each relative to the image's largest logit. */
export function logitError(graph: Graph, images: Float32Array, expected: readonly (readonly number[])[]): number {
  const model = toLayersModel(graph);
  try {
    const [, ...inputShape] = model.inputs[0].shape as number[];
    const logits = tf.tidy(() => {
      const input = tf.tensor(images, [expected.length, ...inputShape]); // [B, H, W, C]
      return (model.predict(input) as tf.Tensor2D).arraySync(); // [B, K]
    });
    const errors = expected.map((row, b) => {
      const largest = Math.max(...row.map(Math.abs));
      return Math.max(...row.map((logit, k) => Math.abs(logit - logits[b][k]))) / largest;
    });
    return Math.max(...errors);
  } finally {
    model.dispose();
  }
}
