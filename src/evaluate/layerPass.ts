import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../engine';
import {longCall} from '../engine/longCall';
import {imageBatches, subset} from '../images';
import type {LabelledImages, PresetOption} from '../images/types';
import {applyLayer} from '../network/linearLayer';
import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {namedClasses} from '../common/words';
import {presetFor} from '../images/presetFor';
import {networkAtLayer, type NetworkAtLayer} from '../network/networkAtLayer';
import {stackKernels} from '../split/kernels';
import type {Split} from '../split/types';

/** Options of every evaluation of a split. */
export interface EvaluationOptions extends LongCallOptions {
  /** How pixels become input. @default the images' preset, else what the split recorded, else the model's */
  preset?: PresetOption;
  /** Images a batch. @default 32 */
  batchSize?: number;
  /** Random splits of the same sizes that the split is held against. */
  randomSplits?: number;
  /** Seed of the random splits, a whole number. @default 0 */
  seed?: number;
}

/** One batch at the layer, inside a tidy. */
export interface LayerBatch {
  network: NetworkAtLayer;
  /** The network's input, [B, H, W, C]. */
  pixels: tf.Tensor4D;
  /** X, [B, H, W, Cin] or [B, Cin] */
  input: tf.Tensor;
  crossing: tf.Tensor[];
  /** Class of each image, [B] */
  labels: Int32Array;
}

/** Values of one batch, row-major with the batch axis first, and the images that they are of. */
export type BatchValues<K extends string> = {images: number[]} & Record<K, Float32Array | Int32Array>;

/** A network at a layer: what a split, or statistics and their model, are about. */
export type AtLayer = Pick<Split, 'before' | 'layer' | 'preset'>;

/**
 * Runs the network before the split up to its layer, once an image.
 * @param indices the images to run on
 * @param measure what is wanted of a batch; its tensors are disposed of
 * @throws InputError where no image can be read; InterruptError when stopped
 */
export async function passLayer<K extends string>(
  {before, layer, preset: recorded}: AtLayer,
  images: LabelledImages,
  indices: readonly number[],
  label: string,
  options: EvaluationOptions,
  measure: (batch: LayerBatch) => Record<K, tf.Tensor>,
  receive: (values: BatchValues<K>) => void,
): Promise<void> {
  const {batchSize = 32} = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1)
    throw new InputError(`invalid batch size: ${batchSize}; give a whole number from 1, such as 32`);
  await ensureBackend();
  const preset = presetFor(before, images, options.preset, recorded);
  const labels = images.labelsFor(before.classes);
  const network = networkAtLayer(before, layer);
  try {
    await longCall({label, total: indices.length, unit: 'images'}, options, async (task, signal) => {
      const batches = imageBatches(subset(images, {indices}), {
        inputShape: before.inputShape,
        preset,
        batchSize,
        unreadable: 'skip',
        signal,
      });
      for await (const batch of batches) {
        signal.throwIfAborted();
        const chosen = batch.indices.map((at) => indices[at]);
        if (chosen.length > 0) {
          const tensors = tf.tidy(() => {
            const pixels = tf.tensor4d(batch.pixels, batch.shape); // [B, H, W, C]
            const {input, crossing} = network.trunk(pixels); // [B, H, W, Cin]
            return measure({
              network,
              pixels,
              input,
              crossing,
              labels: Int32Array.from(chosen, (index) => labels[index]),
            });
          });
          receive({images: chosen, ...(await download(tensors))} as BatchValues<K>);
        }
        task.advance(batch.indices.length + batch.skipped.length, {skipped: batch.skipped.length});
      }
    });
  } finally {
    network.dispose();
  }
}

async function download(tensors: Record<string, tf.Tensor>): Promise<Record<string, Float32Array | Int32Array>> {
  try {
    const entries = Object.entries(tensors).map(async ([name, tensor]) => [name, await tensor.data()] as const);
    return Object.fromEntries(await Promise.all(entries)) as Record<string, Float32Array | Int32Array>;
  } finally {
    tf.dispose(tensors);
  }
}

/**
 * The layer's geometry with other kernels, side by side as one. Each carries the channel's bias, which is a source that all own.
 * @param kernels N kernels [taps, Cin]
 * @returns [B, H', W', N]
 */
export function applyKernels(
  {network, input}: LayerBatch,
  split: Pick<Split, 'kernelShape' | 'bias'>,
  kernels: readonly Float32Array[],
): tf.Tensor4D {
  return tf.tidy(() => {
    const stacked = tf.tensor4d(stackKernels(kernels), [...split.kernelShape, kernels.length]); // [kh, kw, Cin, N]
    const bias = split.bias === 0 ? undefined : (tf.fill([kernels.length], split.bias) as tf.Tensor1D);
    return applyLayer(network.layer, input, stacked, bias);
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
  const labels = images.labelsFor(split.before.classes);
  return split.concepts.map(({classes, classNames}) => {
    const own = [...labels.keys()].filter((index) => classes.includes(labels[index]));
    if (own.length === 0) {
      throw new InputError(
        `the images ${images.name} have none of ${namedClasses({classes, classNames})}; give images of every concept's classes`,
      );
    }
    return own;
  });
}

/** @throws InputError for a number of random splits or a seed that is not a whole number */
export function checkControls(randomSplits: number, seed: number): void {
  if (!Number.isSafeInteger(randomSplits) || randomSplits < 0)
    throw new InputError(`invalid number of random splits: ${randomSplits}; give a whole number from 0, such as 20`);
  if (!Number.isSafeInteger(seed)) throw new InputError(`invalid seed: ${seed}; give a whole number, such as 0`);
}
