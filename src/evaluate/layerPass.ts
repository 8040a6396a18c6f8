import * as tf from '@tensorflow/tfjs-core';
import {subset} from '../images';
import type {LabelledImages, PresetOption} from '../images/types';
import {applyLayer} from '../network/linearLayer';
import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {runPass, type BatchCollector} from '../pass/runPass';
import type {LayerBatch} from '../pass/types';
import {stackKernels} from '../split/kernels';
import {imagesByConcept} from '../split/members';
import type {Split} from '../split/types';

/** Options of every evaluation of a split. */
export interface EvaluationOptions extends LongCallOptions {
  /** How pixels become input. @default the images' preset, else what the split recorded, else the model's */
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
  /** Random splits of the same sizes that the split is held against. */
  randomSplits?: number;
  /** Seed of the random splits, a whole number. @default 0 */
  seed?: number;
}

/** Values of one batch, row-major with the batch axis first, and the images that they are of. */
export type BatchValues<K extends string> = {images: number[]} & Record<K, Float32Array | Int32Array>;

/**
 * Goes through some images with the network before the split, at its layer.
 * @param indices the images to run on
 * @param measure what is wanted of a batch
 * @throws InputError where no image can be read; InterruptError when stopped
 */
export async function passLayer<K extends string>(
  split: Split,
  images: LabelledImages,
  indices: readonly number[],
  label: string,
  options: EvaluationOptions,
  measure: (batch: LayerBatch) => Record<K, tf.Tensor>,
  receive: (values: BatchValues<K>) => void,
): Promise<void> {
  const collector: BatchCollector = {
    init: () => undefined,
    measure,
    add: (_state, about, values) =>
      receive({images: about.indices.map((at) => indices[at]), ...values} as BatchValues<K>),
  };
  const {preset, batchSize, progress, signal} = options;
  const pass = {preset, recordedPreset: split.preset, batchSize, progress, signal, label, layers: [split.layer]};
  await runPass(split.before, subset(images, {indices}), pass, [collector]);
}

/**
 * The layer's geometry with other kernels, side by side as one. Each carries the channel's bias, which is a source that all own.
 * @param kernels N kernels [taps, Cin]
 * @returns [B, H', W', N]
 */
export function applyKernels(
  {layer, input}: Pick<LayerBatch, 'layer' | 'input'>,
  split: Pick<Split, 'kernelShape' | 'bias'>,
  kernels: readonly Float32Array[],
): tf.Tensor4D {
  return tf.tidy(() => {
    const stacked = tf.tensor4d(stackKernels(kernels), [...split.kernelShape, kernels.length]); // [kh, kw, Cin, N]
    const bias = split.bias === 0 ? undefined : (tf.fill([kernels.length], split.bias) as tf.Tensor1D);
    return applyLayer(layer, input(), stacked, bias);
  });
}

/**
 * Z with one channel replaced.
 * @param z [B, H', W', Cout]
 * @param replacement [B, H', W', 1]
 */
export function replaceChannel(z: tf.Tensor4D, channel: number, replacement: tf.Tensor4D): tf.Tensor4D {
  const outputs = z.shape[3];
  const parts = [
    ...(channel > 0 ? [tf.slice(z, [0, 0, 0, 0], [-1, -1, -1, channel])] : []),
    replacement,
    ...(channel + 1 < outputs ? [tf.slice(z, [0, 0, 0, channel + 1], [-1, -1, -1, outputs - channel - 1])] : []),
  ];
  return tf.concat(parts, 3); // [B, H', W', Cout]
}

/** One channel of [B, H', W', N], [B, H', W', 1]. */
export function channelOf(z: tf.Tensor4D, channel: number): tf.Tensor4D {
  return tf.slice(z, [0, 0, 0, channel], [-1, -1, -1, 1]);
}

/**
 * Images of each concept's classes.
 * @throws InputError for a concept without images
 */
export function imagesOfConcepts(split: Split, images: LabelledImages): number[][] {
  checkArgument('split', split, 'before', 'disentangle(…) or loadSplit(…)');
  checkArgument('images', images, 'labelsFor', 'imageFolder(…)');
  return imagesByConcept(images, split.before.classes, split.concepts);
}

/** @throws InputError for a number of random splits or a seed that is not a whole number */
export function checkControls(randomSplits: number, seed: number): void {
  if (!Number.isSafeInteger(randomSplits) || randomSplits < 0)
    throw new InputError(`invalid number of random splits: ${randomSplits}; give a whole number from 0, such as 20`);
  if (!Number.isSafeInteger(seed)) throw new InputError(`invalid seed: ${seed}; give a whole number, such as 0`);
}
