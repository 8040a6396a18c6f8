import {option} from '../common/options';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../engine';
import {longCall} from '../engine/longCall';
import {imageBatches, imageListHash, presetFor, subset} from '../images';
import type {ImageBatch, LabelledImages, PresetOption} from '../images/types';
import {refuseInput} from '../files/output';
import type {Model} from '../network/types';
import {InputError, InterruptError} from '../common/errors';
import {halfOf} from '../numerics/pathHash';
import {startTask, type LongCallOptions} from '../common/progress';
import type {RelevanceStatistics} from '../numerics/statistics';
import {addBatch, DEFAULT_FLOOR, emptyStatistics, type BatchMeasurement} from './accumulate';
import {inputSums} from '../pass/inputSums';
import {networkAtLayer, type NetworkAtLayer} from '../network/networkAtLayer';
import {ensureWritable, loadStatistics, refuseOtherRun, saveStatistics} from './store';

export interface CollectOptions extends LongCallOptions {
  /** Layer of interest; `model.layers()` lists them. */
  layer: string;
  /** Folder for the statistics and, on the way, for checkpoints: the same call goes on from there. @default not saved */
  out?: string;
  /** Begin anew in `out`, whatever it holds. @default false */
  force?: boolean;
  /** Images a batch. @default 32 */
  batchSize?: number;
  /** Only the first images of the list. @default all */
  limit?: number;
  /** How pixels become input. @default the images' preset, else the model's */
  preset?: PresetOption;
  /** Smallest share kept; a smaller τ cannot be used later. @default 0.005 */
  floor?: number;
  /** Images kept a channel, by relevance and by activation. @default 16 */
  topCount?: number;
  /** What an unreadable image does. @default 'skip' (named and counted) */
  unreadable?: 'skip' | 'fail';
  /** Seconds between checkpoints. @default 20 */
  checkpointSeconds?: number;
}

/**
 * One pass over the images: a forward pass, and the gradient of each image's own logit back to the layer, never to the image.
 * Gathers per class the layer's summed inputs (from which every averaged relevance vector follows, since the layer is linear) and
 * the channels' shares of relevance (Hesse et al. 2025, section 3.1; formulas in `RelevanceStatistics`).
 *
 * An interrupt stops it at the next batch; with `out`, what was computed is kept and the same call goes on.
 * @throws InputError for an unknown layer, labels beyond the outputs, images that do not fit, an `out` that holds something else or
 *   lies in an input; InterruptError when stopped
 */
export async function collectRelevance(
  model: Model,
  images: LabelledImages,
  options: CollectOptions,
): Promise<RelevanceStatistics> {
  const {out, batchSize = 32, limit, floor = DEFAULT_FLOOR, topCount = 16, checkpointSeconds = 20} = options;
  checkNumbers({batchSize, limit, floor, topCount});
  if (out !== undefined) await refuseInput(out, [model.source, images.source]);
  await ensureBackend();
  const preset = presetFor(model, images, options.preset);
  const list = limit === undefined ? images : subset(images, {limit});
  const labels = list.labelsFor(model.classes);
  const network = networkAtLayer(model, options.layer);
  let takeAway = async () => {};
  try {
    const fresh = emptyStatistics({
      model: {name: model.name, hash: model.hash, arch: model.arch},
      layer: network.layer,
      classes: model.classes,
      classNames: [...(model.classNames ?? list.classNamesFor(model.classes))],
      preset,
      images: {
        name: images.name,
        listHash: imageListHash(list, labels),
        total: list.paths.length,
        labelsFile: images.labelsFile,
      },
      floor,
      topCount,
    });
    const stats = out === undefined ? fresh : await resumed(out, fresh, options.force);
    const save = async () => {
      if (out !== undefined) await saveStatistics(stats, out, {force: options.force});
    };
    if (out !== undefined) takeAway = await ensureWritable(out);
    const {done, total} = stats.images;
    const about = {label: `collecting relevance of ${options.layer}`, total, unit: 'images', done};
    if (done >= total) {
      startTask(about, options.progress).finish('done', `read from "${out}"`);
      return stats;
    }
    await longCall(about, options, async (task, signal) => {
      try {
        let saved = Date.now();
        const batches = imageBatches(list, {
          inputShape: model.inputShape,
          preset,
          batchSize,
          from: done,
          unreadable: options.unreadable ?? 'skip',
          signal,
        });
        for await (const batch of batches) {
          addBatch(stats, await measureBatch(network, batch, list.paths, labels));
          task.advance(batch.indices.length + batch.skipped.length, {skipped: batch.skipped.length});
          if (out !== undefined && Date.now() - saved > 1000 * checkpointSeconds) {
            await save();
            saved = Date.now();
          }
        }
      } catch (error) {
        // Whatever stopped it: what was computed is kept.
        if (stats.images.done > done) await save();
        // A notebook's cell ends at the interrupt, before this error: the bar is what can still say it.
        if (error instanceof InterruptError) task.finish('interrupted', whatWasKept(stats, out));
        throw error;
      }
    }).catch((error: Error) => {
      if (!(error instanceof InterruptError)) throw error;
      throw new InterruptError(`interrupted after ${stats.images.done} of ${total} images; ${whatWasKept(stats, out)}`);
    });
    if (stats.images.paths.length === 0)
      throw new InputError(`none of the ${stats.images.total} images of ${images.name} can be read`);
    await save();
    return stats;
  } finally {
    network.dispose();
    await takeAway();
  }
}

function whatWasKept({images: {done}}: RelevanceStatistics, out: string | undefined): string {
  if (out === undefined) return `nothing was kept, since no folder was named (${option('out')})`;
  if (done === 0) return 'there was nothing to keep yet';
  return `a checkpoint is in "${out}", and the same call goes on from there`;
}

function checkNumbers(numbers: {batchSize: number; limit?: number; floor: number; topCount: number}): void {
  const {batchSize, limit, floor, topCount} = numbers;
  const whole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  if (!whole(batchSize, 1))
    throw new InputError(`invalid batch size: ${batchSize}; give a whole number from 1, such as 32`);
  if (limit !== undefined && !whole(limit, 1))
    throw new InputError(`invalid limit: ${limit}; give a whole number of images from 1`);
  if (!(floor >= 0 && floor < 1))
    throw new InputError(`invalid floor: ${floor}; give a share from 0 to below 1, such as 0.005`);
  if (!whole(topCount, 0))
    throw new InputError(`invalid top count: ${topCount}; give a whole number from 0, such as 16`);
}

/** The checkpoint in `out` if it is of this run, else the empty statistics. */
async function resumed(out: string, fresh: RelevanceStatistics, force = false): Promise<RelevanceStatistics> {
  const sameRun = await refuseOtherRun(fresh, out).catch((error: Error) => {
    if (force) return false;
    throw error;
  });
  return sameRun ? loadStatistics(out) : fresh;
}

/** What the engine says about one batch. */
export async function measureBatch(
  network: NetworkAtLayer,
  batch: ImageBatch,
  paths: readonly string[],
  allLabels: Int32Array,
): Promise<BatchMeasurement> {
  const labels = Int32Array.from(batch.indices, (index) => allLabels[index]);
  const batchPaths = batch.indices.map((index) => paths[index]);
  const empty = {relevance: [], activation: [], inputSums: [], predictions: [], zeroInputs: {zeros: 0, total: 0}};
  const about = {paths: batchPaths, labels, halves: batchPaths.map(halfOf), skipped: batch.skipped};
  if (batch.indices.length === 0) return {...about, ...empty};
  const results = tf.tidy(() => {
    const images = tf.tensor4d(batch.pixels, batch.shape); // [B, H, W, C]
    const {input, crossing} = network.trunk(images); // [B, H, W, Cin]
    const z = network.linear(input); // [B, H', W', Cout]
    const {logits, gradient} = network.headGradient(z, crossing, labels);
    return {
      relevance: tf.sum(tf.mul(z, gradient), [1, 2]), // [B, Cout]
      activation: tf.sum(tf.relu(z), [1, 2]), // [B, Cout]
      sums: inputSums(network.layer, input), // [B, taps, Cin]
      predictions: tf.argMax(logits, 1), // [B]
      zeros: tf.sum(tf.cast(tf.equal(input, 0), 'float32')),
      total: tf.scalar(input.size),
    };
  });
  const tensors = Object.values(results);
  try {
    const [relevance, activation, sums, predictions, zeros, total] = await Promise.all(
      tensors.map((tensor) => tensor.data()),
    );
    return {
      ...about,
      relevance,
      activation,
      inputSums: sums,
      predictions,
      zeroInputs: {zeros: zeros[0], total: total[0]},
    };
  } finally {
    tf.dispose(tensors);
  }
}
