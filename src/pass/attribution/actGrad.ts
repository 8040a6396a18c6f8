import * as tf from '@tensorflow/tfjs-core';
import type {Attribution} from '../types';

/** Activation × gradient: R_c = Σ_hw Z_c · ∂y_k/∂Z_c (Hesse et al. 2025, section 3.1). */
export const actGrad: Attribution = {
  name: 'activation × gradient',
  cost: 'one backward pass from the logits to the layer',
  relevance: (batch) => tf.sum(tf.mul(batch.output(), batch.gradient()), [1, 2]), // [B, Cout]
};
