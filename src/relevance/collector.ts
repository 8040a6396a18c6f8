import * as tf from '@tensorflow/tfjs-core';
import {asPositions} from '../network/linearLayer';
import type {BatchImages, BatchValues, LayerBatch} from '../pass/types';
import type {RelevanceStatistics} from '../numerics/statistics';
import {addBatch} from './accumulate';

type Wanted = 'relevance' | 'activation' | 'inputSums' | 'predictions' | 'confidence' | 'zeros' | 'positions';

/** What relevance statistics want of a batch at their layer, inside a tidy. */
export function measureRelevance(batch: LayerBatch): Record<Wanted, tf.Tensor> {
  const z = batch.output(); // [B, H', W', Cout]
  const input = asPositions(batch.input()); // [B, H, W, Cin]
  const relevance = batch.relevance(); // [B, Cout]
  const logits = batch.logits(); // [B, K]
  return {
    relevance,
    activation: tf.sum(tf.relu(z), [1, 2]), // [B, Cout]
    inputSums: batch.inputSums(), // [B, taps, Cin]
    predictions: tf.argMax(logits, 1), // [B]
    confidence: tf.max(tf.softmax(logits), 1), // [B]
    // By image and channel, so that every count is far below 2^24, where float32 stops counting.
    zeros: tf.sum(tf.cast(tf.equal(input, 0), 'float32'), [1, 2]), // [B, Cin]
    positions: tf.scalar(input.shape[1] * input.shape[2]),
  };
}

/** Adds a batch in place. */
export function addRelevance(
  stats: RelevanceStatistics,
  batch: BatchImages,
  values: Record<Wanted, BatchValues>,
): void {
  let zeros = 0;
  for (const count of values.zeros) zeros += count;
  addBatch(stats, {
    ...batch,
    ...values,
    zeroInputs: {zeros, total: values.zeros.length * values.positions[0]},
  });
}
