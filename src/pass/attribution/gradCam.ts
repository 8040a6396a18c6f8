import * as tf from '@tensorflow/tfjs-core';
import type {Attribution} from '../types';

/**
 * Grad-CAM's weights (Selvaraju et al. 2017, equation 1) at the layer: R_c = (mean_hw ∂y_k/∂Z_c) · Σ_hw Z_c, so that a channel counts by its
 * gradient's mean and not by the gradient where it is active.
 */
export const gradCam: Attribution = {
  name: 'Grad-CAM',
  cost: 'one backward pass from the logits to the layer',
  relevance: (batch) => tf.mul(tf.mean(batch.gradient(), [1, 2]), tf.sum(batch.output(), [1, 2])), // [B, Cout]
};
