import * as tf from '@tensorflow/tfjs-core';
import type {LabelledImages} from '../images/types';
import type {Split} from '../split/types';
import {applyKernels, passLayer, type EvaluationOptions} from './layerPass';

/**
 * Summed activation of each kernel's output: Σ_hw relu, or the signed Σ_hw.
 * @param indices images to measure
 * @returns the images that could be read, and for each kernel one value per image
 */
export async function summedActivations(
  split: Split,
  images: LabelledImages,
  indices: readonly number[],
  kernels: readonly Float32Array[],
  {sums = 'relu', ...options}: EvaluationOptions & {sums?: 'relu' | 'signed'},
): Promise<{images: number[]; activations: number[][]}> {
  const seen: number[] = [];
  const activations = kernels.map((): number[] => []);
  await passLayer(
    split,
    images,
    indices,
    `computing the parts of channel ${split.channel}`,
    options,
    (batch) => {
      const outputs = applyKernels(batch, split, kernels); // [B, H', W', N]
      return {sums: tf.sum(sums === 'signed' ? outputs : tf.relu(outputs), [1, 2])}; // [B, N]
    },
    (batch) => {
      seen.push(...batch.images);
      batch.sums.forEach((value, at) => activations[at % kernels.length].push(value));
    },
  );
  return {images: seen, activations};
}

/** `original`, `d1` … `dk`. */
export function channelNames(split: Split): string[] {
  return ['original', ...split.parts.map((_, j) => `d${j + 1}`)];
}
