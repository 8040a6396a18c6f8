import * as tf from '@tensorflow/tfjs-core';
import {pathHash} from '../../numerics/pathHash';
import {averagedGradient} from './integratedGradients';
import {numberFrom, wholeNumberFrom} from './parameters';
import type {Attribution} from '../types';

/**
 * SmoothGrad at the layer (Smilkov et al. 2017): R_c = Σ_hw Z_c · mean over n of ∂y_k/∂Z_c (Z + noise), the noise normal with the deviation
 * σ·(max Z − min Z) of the image. It depends on the image's path and the seed alone, so that batches and shards agree.
 * @param options.n noisy gradients that are averaged. @default 16
 * @param options.sigma σ, a share of the range of Z. @default 0.1
 * @param options.seed whole number. @default 0
 * @throws InputError for parameters out of range
 */
export function smoothGrad({
  n = 16,
  sigma = 0.1,
  seed = 0,
}: {n?: number; sigma?: number; seed?: number} = {}): Attribution {
  wholeNumberFrom(1, 'n', n);
  numberFrom(0, 'sigma', sigma);
  wholeNumberFrom(0, 'seed', seed);
  return {
    name: `SmoothGrad (n ${n}, sigma ${sigma}, seed ${seed})`,
    cost: `${n} forward and backward passes between the layer and the logits`,
    relevance: (batch) => {
      const z = batch.output(); // [B, H', W', Cout]
      const range = tf.sub(tf.max(z, [1, 2, 3], true), tf.min(z, [1, 2, 3], true)); // [B, 1, 1, 1]
      const deviation = tf.mul(range, sigma);
      const noise = (draw: number) =>
        tf.stack(
          batch.paths.map((path) =>
            tf.randomNormal(
              z.shape.slice(1) as [number, number, number],
              0,
              1,
              'float32',
              pathHash(`${seed} ${draw} ${path}`),
            ),
          ),
        ) as tf.Tensor4D; // [B, H', W', Cout]
      return averagedGradient(batch, n, (draw) => tf.add(z, tf.mul(noise(draw), deviation)));
    },
  };
}
