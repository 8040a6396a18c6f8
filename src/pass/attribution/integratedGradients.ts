import * as tf from '@tensorflow/tfjs-core';
import {wholeNumberFrom} from './parameters';
import type {Attribution, LayerBatch} from '../types';

/**
 * Integrated gradients at the layer (Sundararajan et al. 2017, equation 1), along the straight path from Z = 0 to Z, other tensors that pass
 * the layer by as they are: R_c = Σ_hw Z_c · ∫₀¹ ∂y_k/∂Z_c (αZ) dα, by the midpoints of `steps` intervals. Complete: Σ_c R_c is y_k(Z) − y_k(0)
 * up to the rule's error, which falls with the square of the steps.
 * @param options.steps gradients that are averaged. @default 32
 * @throws InputError for a number of steps that is no whole number from 1
 */
export function integratedGradients({steps = 32}: {steps?: number} = {}): Attribution {
  wholeNumberFrom(1, 'steps', steps);
  return {
    name: `integrated gradients (${steps} steps)`,
    cost: `${steps} forward and backward passes between the layer and the logits`,
    relevance: (batch) => {
      const z = batch.output(); // [B, H', W', Cout]
      return averagedGradient(batch, steps, (n) => tf.mul(z, (n + 0.5) / steps));
    },
  };
}

/** Σ_hw Z · mean of ∂y_k/∂Z at the points given, [B, Cout]. */
export function averagedGradient(batch: LayerBatch, count: number, at: (n: number) => tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    const z = batch.output();
    let sum = tf.zerosLike(z);
    for (let n = 0; n < count; n++) {
      const next = tf.tidy(() => {
        const {gradient} = batch.network.headGradient(at(n), batch.crossing(), batch.labels);
        return tf.add(sum, gradient) as tf.Tensor4D;
      });
      sum.dispose();
      sum = next;
    }
    return tf.sum(tf.mul(z, tf.div(sum, count)), [1, 2]) as tf.Tensor2D;
  });
}
