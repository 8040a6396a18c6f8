import {numberText, percentText} from '../common/numbers';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../engine';
import type {LabelledImages, PresetOption} from '../images/types';
import {checkArgument} from '../common/argument';
import {topOneWarnings} from '../numerics/topOne';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {presetFor} from '../images/presetFor';
import {throughImages} from '../pass/batches';
import {misfitsOf} from './fits';
import type {Split} from './types';
import {readable} from '../common/readable';

export interface VerifyOptions extends LongCallOptions {
  /** How pixels become input. @default the images' preset, else the model's */
  preset?: PresetOption;
  /** Images per batch. @default 32 */
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
  /** Share of images with the same top-1 class before and after. */
  top1Agreement: number;
  /**
   * Whether the difference is at most 1e-5 of the largest logit: rounding, and no more. False where a logit is not a number, or where the
   * split is not what the two networks hold.
   */
  exact: boolean;
  /** What the split says and its networks do not, e.g. that another part 1 is in the split network; none where all fits. */
  misfits: string[];
  /** Images with another class on top after the split. */
  changed: number;
  /** Those of them whose two logits were further apart than twice the difference that `exact` allows: rounding does not explain them. */
  unexplained: number;
  /** What looks wrong with the labels or the preprocessing, a sentence each: the proof holds for any input, top-1 does not. */
  warnings: string[];
  toString(): string;
}

/** The largest difference of a logit that rounding explains, as a share of the largest logit. */
const ALLOWED = 1e-5;

/**
 * Proves that the network computes the same: runs the model before and the rewritten model after the split on the images given. Proves too
 * that the split is what these networks hold: its channel's kernel and bias, its parts, and that they add up.
 * A split that is not exact is a result, not an error: look at `exact`.
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
  const choices = {counts: new Float64Array(before.classes), hits: new Float64Array(before.classes)};
  const totals = {images: 0, difference: 0, logit: 0, before: 0, after: 0, agreement: 0};
  const stream = {
    label: 'verifying the split',
    inputShape: before.inputShape,
    preset,
    batchSize: options.batchSize,
    progress: options.progress,
    signal: options.signal,
  };
  try {
    await throughImages(images, stream, async ({indices, images: pixels}) => {
      if (indices.length === 0) return;
      const [one, two] = tf.tidy(() => {
        const batch = pixels();
        return [before.logits(batch), after.logits(batch)];
      });
      const [logitsBefore, logitsAfter] = await Promise.all([one.data(), two.data()]);
      tf.dispose([one, two]);
      indices.forEach((index, b) => {
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
        choices.counts[labels[index]] += 1;
        choices.hits[labels[index]] += Number(top === labels[index]);
        totals.after += Number(topAfter === labels[index]);
        totals.agreement += Number(top === topAfter);
        if (top !== topAfter) flips.push(rows[0][top] - rows[0][topAfter]);
      });
    });
  } finally {
    // Their weights are on the engine only while they compute; both are built again when they are used.
    before.dispose();
    after.dispose();
  }
  if (totals.images === 0) throw new InputError(`none of the images of ${images.name} can be read`);
  const allowed = ALLOWED * totals.logit;
  const misfits = misfitsOf(split);
  const proof: Omit<SplitProof, 'toString'> = {
    kind: 'split proof',
    images: totals.images,
    maxAbsLogitDifference: totals.difference,
    maxAbsLogit: totals.logit,
    top1: {before: totals.before / totals.images, after: totals.after / totals.images},
    top1Agreement: totals.agreement / totals.images,
    exact: Number.isFinite(totals.difference) && totals.difference <= allowed && misfits.length === 0,
    misfits,
    changed: flips.length,
    // Written so that a lead which is not a number counts.
    unexplained: flips.filter((lead) => !(lead <= 2 * allowed)).length,
    warnings: topOneWarnings(choices, `the labels or the preprocessing (preset ${preset.name})`),
  };
  return readable(proof, describeProof);
}

function indexOfMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** What `exact` asks for, and what was found instead. */
export function whyNotExact({maxAbsLogitDifference, misfits}: Pick<SplitProof, 'maxAbsLogitDifference' | 'misfits'>) {
  if (misfits.length > 0) return `the split does not fit its networks: ${misfits[0]}`;
  return Number.isFinite(maxAbsLogitDifference)
    ? `the difference is more than ${numberText(ALLOWED)} of the largest logit`
    : 'there are logits that are not finite';
}

function describeProof(proof: Omit<SplitProof, 'toString'>): string {
  const percent = (share: number) => percentText(share, 1);
  const relative = proof.maxAbsLogitDifference / proof.maxAbsLogit;
  return (
    `${proof.images} images: largest logit difference ${numberText(proof.maxAbsLogitDifference)} (${numberText(relative)} of the largest logit ${numberText(proof.maxAbsLogit)}); ` +
    `top-1 ${percent(proof.top1.before)} before, ${percent(proof.top1.after)} after; the same class on top for ${percent(proof.top1Agreement)}` +
    (proof.changed > 0 ? `; ${proof.changed} changed, ${proof.unexplained} of them beyond rounding` : '') +
    `; the split is ${proof.exact ? 'exact' : `NOT exact: ${whyNotExact(proof)}`}` +
    proof.warnings.map((warning) => `\nwarning: ${warning}`).join('')
  );
}
