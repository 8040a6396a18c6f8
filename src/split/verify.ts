import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../backend';
import {longCall} from '../backend/longCall';
import {imageBatches} from '../images';
import type {LabelledImages, PresetOption} from '../images/types';
import {checkArgument} from '../numerics/argument';
import {InputError} from '../numerics/errors';
import type {LongCallOptions} from '../numerics/progress';
import {presetFor} from '../relevance/collect';
import type {Split} from './types';
import {readable} from '../numerics/readable';

export interface VerifyOptions extends LongCallOptions {
  /** How pixels become input. @default the images' preset, else the model's */
  preset?: PresetOption;
  /** Images a batch. @default 32 */
  batchSize?: number;
}

/** What two whole networks, before and after the split, say about the same images. */
export interface SplitProof {
  kind: 'split proof';
  images: number;
  /** Largest |Δlogit| over images and classes, and the largest |logit| to hold it against. */
  maxAbsLogitDifference: number;
  maxAbsLogit: number;
  /** Share of images whose highest logit is their class's. */
  top1: {before: number; after: number};
  /** Share of images with the same class on top before and after. */
  top1Agreement: number;
  /** Images whose top class changed although its lead was more than twice the largest difference: none, unless something is wrong. */
  unexplained: number;
  toString(): string;
}

/**
 * Proves that the network computes the same: runs the model before and the rewritten model after the split on the images given.
 * @throws InputError where no image can be read; InterruptError when stopped
 */
export async function verifySplit(
  split: Split,
  images: LabelledImages,
  options: VerifyOptions = {},
): Promise<SplitProof> {
  checkArgument('split', split, 'before', 'disentangle(…) or loadSplit(…)');
  await ensureBackend();
  const {before, model: after} = split;
  const preset = presetFor(before, images, options.preset, split.preset);
  const labels = images.labelsFor(before.classes);
  const flips: number[] = [];
  const totals = {images: 0, difference: 0, logit: 0, before: 0, after: 0, agreement: 0};
  const about = {label: 'verifying the split', total: images.paths.length, unit: 'images'};
  try {
    await longCall(about, options, async (task, signal) => {
      const batches = imageBatches(images, {
        inputShape: before.inputShape,
        preset,
        batchSize: options.batchSize ?? 32,
        unreadable: 'skip',
        signal,
      });
      for await (const batch of batches) {
        signal.throwIfAborted();
        task.advance(batch.indices.length + batch.skipped.length, {skipped: batch.skipped.length});
        if (batch.indices.length === 0) continue;
        const [one, two] = tf.tidy(() => {
          const pixels = tf.tensor4d(batch.pixels, batch.shape);
          return [before.logits(pixels), after.logits(pixels)];
        });
        const [logitsBefore, logitsAfter] = await Promise.all([one.data(), two.data()]);
        tf.dispose([one, two]);
        batch.indices.forEach((index, b) => {
          const rows = [logitsBefore, logitsAfter].map((logits) =>
            logits.subarray(b * before.classes, (b + 1) * before.classes),
          );
          const [top, topAfter] = rows.map(indexOfMax);
          rows[0].forEach((logit, k) => {
            totals.difference = Math.max(totals.difference, Math.abs(logit - rows[1][k]));
            totals.logit = Math.max(totals.logit, Math.abs(logit));
          });
          totals.images += 1;
          totals.before += Number(top === labels[index]);
          totals.after += Number(topAfter === labels[index]);
          totals.agreement += Number(top === topAfter);
          if (top !== topAfter) flips.push(rows[0][top] - rows[0][topAfter]);
        });
      }
    });
  } finally {
    // Their weights are on the engine only while they compute; both are built again when they are used.
    before.dispose();
    after.dispose();
  }
  if (totals.images === 0) throw new InputError(`none of the images of ${images.name} can be read`);
  const proof: Omit<SplitProof, 'toString'> = {
    kind: 'split proof',
    images: totals.images,
    maxAbsLogitDifference: totals.difference,
    maxAbsLogit: totals.logit,
    top1: {before: totals.before / totals.images, after: totals.after / totals.images},
    top1Agreement: totals.agreement / totals.images,
    unexplained: flips.filter((lead) => lead > 2 * totals.difference).length,
  };
  return readable(proof, describeProof);
}

function indexOfMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function describeProof(proof: Omit<SplitProof, 'toString'>): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const relative = proof.maxAbsLogitDifference / proof.maxAbsLogit;
  return (
    `${proof.images} images: largest logit difference ${proof.maxAbsLogitDifference.toExponential(1)} (${relative.toExponential(1)} of the largest logit ${proof.maxAbsLogit.toFixed(2)}); ` +
    `top-1 ${percent(proof.top1.before)} before, ${percent(proof.top1.after)} after; the same class on top for ${percent(proof.top1Agreement)}` +
    (proof.unexplained > 0 ? `; ${proof.unexplained} images changed class beyond rounding: the split is NOT exact` : '')
  );
}
