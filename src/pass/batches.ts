import * as tf from '@tensorflow/tfjs-core';
import {InputError, InterruptError} from '../common/errors';
import type {LongCallOptions, Task} from '../common/progress';
import {longCall} from '../engine/longCall';
import {imageBatches} from '../images';
import type {LabelledImages, Preset} from '../images/types';

export interface BatchStreamOptions {
  /** The network's input, [H, W, C]. */
  inputShape: readonly [number, number, number];
  preset: Preset;
  /** @default 32 */
  batchSize?: number;
  /** First image. @default 0 */
  from?: number;
  /** What an unreadable image does. @default 'skip' (named and counted) */
  unreadable?: 'skip' | 'fail';
  /** So many unreadable images in a row are no accident: the stream ends with an error. @default that of `imageBatches` */
  unreadableInARow?: number;
  /** Whether a list of which no image can be read is an error. @default true */
  refuseNone?: boolean;
  signal: AbortSignal;
}

/** A batch of which at least one image could be read, or the last unreadable ones of the list. */
export interface DecodedBatch {
  /** Indices into the list, ascending, [B]. */
  indices: number[];
  /** Unreadable images since the batch before. */
  skipped: {path: string; reason: string}[];
  /** The image after the last one that this and the batches before cover. */
  next: number;
  /** [B, H, W, C] on the engine; the caller disposes of it. */
  images(): tf.Tensor4D;
}

/** @throws InputError for a batch size that is no whole number from 1 */
export function checkBatchSize(batchSize: number): void {
  if (!Number.isSafeInteger(batchSize) || batchSize < 1)
    throw new InputError(`invalid batch size: ${batchSize}; give a whole number from 1, such as 32`);
}

/**
 * Decoded batches in the list's order, decoded ahead of their use. The task advances by each, the signal is looked at between them.
 * Images that cannot be read count as gone through only with the next one that can: where a folder vanishes, the pass ends before them.
 * @throws InputError where too many in a row cannot be read; InterruptError when stopped
 */
export async function* decodedBatches(
  images: LabelledImages,
  {batchSize = 32, unreadable = 'skip', unreadableInARow, from = 0, refuseNone = true, ...options}: BatchStreamOptions,
  task: Pick<Task, 'advance'>,
): AsyncGenerator<DecodedBatch, void, undefined> {
  checkBatchSize(batchSize);
  let held: DecodedBatch['skipped'] = [];
  try {
    for await (const batch of imageBatches(images, {...options, batchSize, unreadable, unreadableInARow, from})) {
      options.signal.throwIfAborted();
      held.push(...batch.skipped);
      if (batch.indices.length === 0) continue;
      const tensor = () => tf.tensor4d(batch.pixels, batch.shape);
      yield {indices: batch.indices, skipped: held, next: batch.next, images: tensor};
      task.advance(batch.indices.length + held.length, {skipped: held.length});
      held = [];
    }
  } catch (error) {
    if (refuseNone || !(error instanceof InputError) || held.length < images.paths.length) throw error;
  }
  if (held.length === 0) return;
  const {length} = images.paths;
  yield {indices: [], skipped: held, next: length, images: () => tf.zeros([0, ...options.inputShape])};
  task.advance(held.length, {skipped: held.length});
}

export interface ThroughImages extends Omit<BatchStreamOptions, 'signal'>, LongCallOptions {
  /** What the progress bar calls it. */
  label: string;
  /** Called when an error or an interrupt ends it; what it returns is what the progress bar says of an interrupt. */
  onStop?: () => Promise<string>;
}

/**
 * The one loop over images: decoded batches one after the other, with progress and interrupts.
 * @param use what is done with a batch; waited for
 * @throws InputError where images cannot be read; InterruptError when stopped
 */
export async function throughImages(
  images: LabelledImages,
  {label, progress, signal: given, onStop, ...stream}: ThroughImages,
  use: (batch: DecodedBatch, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const about = {label, total: images.paths.length, unit: 'images', done: stream.from ?? 0};
  await longCall(about, {progress, signal: given}, async (task, signal) => {
    try {
      for await (const decoded of decodedBatches(images, {...stream, signal}, task)) await use(decoded, signal);
    } catch (error) {
      const note = await onStop?.();
      // A notebook's cell ends at the interrupt, before this error: the bar is what can still say it.
      if (error instanceof InterruptError) task.finish('interrupted', note);
      throw error;
    }
  });
}
