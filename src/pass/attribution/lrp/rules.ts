import * as tf from '@tensorflow/tfjs-core';

/**
 * How a layer's relevance is given to what it reads: in proportion to the contributions c_ij = a_i w_ij of input i to output j, z_j = Σ_i c_ij + b_j.
 * All rules have the form R_i = Σ_j (share of i in z'_j) R_j, with z' the sum of the shares.
 */
export type LinearRule =
  /** c_ij / (z_j + ε sign z_j): Bach et al. 2015, equation 58. */
  | {rule: 'epsilon'; epsilon: number}
  /**
   * c + γ·c of the sign of z_j, the bias alike: Montavon et al. 2019, section 10.2.3, as Andéol et al. 2021 extend it to inputs and outputs of
   * either sign.
   */
  | {rule: 'gamma'; gamma: number; epsilon: number}
  /** Positive contributions alone, and no bias: Montavon et al. 2017, equation 17; Bach et al. 2015's α = 1, β = 0. */
  | {rule: 'zPlus'; epsilon: number};

/** A layer with a kernel, linear in its input. */
export interface KernelLayer {
  /** x ∗ W + b */
  apply(x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor): tf.Tensor;
  kernel: tf.Tensor;
  /** W⁺ and W⁻ */
  positive: tf.Tensor;
  negative: tf.Tensor;
  bias?: tf.Tensor;
}

/** z + ε sign z, with sign 0 = 1. */
function stabilised(z: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.add(z, tf.sub(tf.mul(tf.cast(tf.greaterEqual(z, 0), 'float32'), 2 * epsilon), epsilon));
}

/**
 * R_i = a_i · Σ_j (∂z_j/∂a_i) R_j / (z_j + ε sign z_j), of every input a of a function that is linear in all of them together.
 * @returns shaped as the inputs
 */
export function inProportion(
  z: (inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  relevance: tf.Tensor,
  epsilon: number,
): tf.Tensor[] {
  const divided = tf.customGrad((sum, save) => {
    (save as tf.GradSaveFunc)([sum as tf.Tensor]);
    return {
      value: tf.clone(sum as tf.Tensor),
      gradFunc: (_dy: tf.Tensor, [kept]: tf.Tensor[]) => tf.div(relevance, stabilised(kept, epsilon)),
    };
  });
  const slopes = tf.grads((...given: tf.Tensor[]) => divided(z(given)))(inputs);
  return inputs.map((input, n) => tf.mul(input, slopes[n]));
}

/** R of a layer's input from R of its output, shaped as the input. */
export function throughKernel(layer: KernelLayer, x: tf.Tensor, relevance: tf.Tensor, rule: LinearRule): tf.Tensor {
  const {apply, kernel, positive, negative, bias} = layer;
  if (rule.rule === 'epsilon') return inProportion(([a]) => apply(a, kernel, bias), [x], relevance, rule.epsilon)[0];
  // Behind a ReLU there are no negative inputs, which saves half of the work.
  const signed = tf.min(x).dataSync()[0] < 0 ? [tf.relu(x), tf.minimum(x, 0)] : [x];
  const sum = (kernels: tf.Tensor[], given: tf.Tensor[], offset?: tf.Tensor) =>
    given.map((a, n) => apply(a, kernels[n], n === 0 ? offset : undefined)).reduce((a, b) => tf.add(a, b));
  const raised = (given: tf.Tensor[]) => sum([positive, negative], given);
  if (rule.rule === 'zPlus') return tf.addN(inProportion(raised, signed, relevance, rule.epsilon));
  const favoured = (given: tf.Tensor[]) => {
    const above = sum([positive, negative], given, bias && tf.relu(bias));
    const below = sum([negative, positive], given, bias && tf.minimum(bias, 0));
    const isAbove = tf.cast(tf.greater(tf.add(above, below), 0), 'float32');
    return tf.add(
      tf.mul(above, tf.add(1, tf.mul(isAbove, rule.gamma))),
      tf.mul(below, tf.add(1, tf.mul(tf.sub(1, isAbove), rule.gamma))),
    );
  };
  return tf.addN(inProportion(favoured, signed, relevance, rule.epsilon));
}
