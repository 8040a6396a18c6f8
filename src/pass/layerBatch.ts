import * as tf from '@tensorflow/tfjs-core';
import type {NetworkAtLayer} from '../network/networkAtLayer';
import {inputSums} from './inputSums';
import type {Attribution, BatchImages, LayerBatch} from './types';

function once<T>(compute: () => T): () => T {
  let value: {of: T} | undefined;
  return () => (value ??= {of: compute()}).of;
}

/** s_c = R_c / Σ_j max(R_j, 0) of each image, [B, Cout]; where no channel speaks for the class the sum is 0, and so is every share. */
export function sharesOf(relevance: ArrayLike<number>, outputs: number): Float64Array {
  const shares = new Float64Array(relevance.length);
  for (let row = 0; row < shares.length; row += outputs) {
    let positive = 0;
    for (let c = 0; c < outputs; c++) positive += Math.max(relevance[row + c], 0);
    if (positive > 0) for (let c = 0; c < outputs; c++) shares[row + c] = relevance[row + c] / positive;
  }
  return shares;
}

/**
 * A batch at a layer, inside the tidy that its tensors live in.
 * @param images [B, H, W, C], preprocessed
 * @param given what has been computed for several layers at once
 */
export function layerBatch(
  network: NetworkAtLayer,
  images: tf.Tensor4D,
  about: BatchImages,
  attribution: Attribution,
  given: Partial<Pick<LayerBatch, 'input' | 'output' | 'gradient' | 'logits'>> = {},
): LayerBatch {
  const trunk = once(() => network.trunk(images));
  const input = given.input ?? (() => trunk().input);
  const output = once(given.output ?? (() => network.linear(input())));
  const head = once(() => network.headGradient(output(), trunk().crossing, about.labels));
  let backward = false;
  const plainLogits = once(() => network.head(output(), trunk().crossing));
  const relevance = once(() => attribution.relevance(batch));
  const batch: LayerBatch = {
    ...about,
    network,
    layer: network.layer,
    input,
    crossing: () => trunk().crossing,
    output,
    logits: given.logits ?? (() => (backward ? head().logits : plainLogits())),
    gradient:
      given.gradient ??
      (() => {
        backward = true; // The logits come with the gradient.
        return head().gradient;
      }),
    relevance,
    shares: once(() => sharesOf(relevance().dataSync(), network.layer.shape[3])),
    inputSums: once(() => inputSums(network.layer, input())),
  };
  return batch;
}
