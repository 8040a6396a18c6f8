import * as tf from '@tensorflow/tfjs-core';
import type {LabelledImages} from '../images/types';
import {smallTau, usualTau} from '../concepts/smallTau';
import {InputError} from '../common/errors';
import {counted} from '../common/words';
import type {PartKernels} from '../split/kernels';
import type {Split} from '../split/types';
import {describeEvaluation} from './describe';
import {evaluateConcept, imageFractions} from './fractions';
import {
  applyKernels,
  checkControls,
  imagesOfConcepts,
  passLayer,
  replaceChannel,
  type EvaluationOptions,
} from './layerPass';
import {conceptImagesHash, FEW_IMAGES} from '../split/members';
import {kernelList} from './kernelList';
import {randomSplits} from './randomSplit';
import type {MeasuredImage, SplitEvaluation} from './types';
import {readable} from '../common/readable';

export interface EvaluateOptions extends EvaluationOptions {
  /** τ: the share of the positive relevance that makes the channel matter for an image. @default 0.03, or 2 / channels of the layer where that is more */
  tau?: number;
  /** Random splits of the same sizes that the split is held against. @default 20 */
  randomSplits?: number;
  /** Also the published fractions an image each. @default false */
  perImage?: boolean;
}

/**
 * Measures on the images of each concept's classes what the parts of a split carry of the original (Hesse et al. 2025, section 4.2), how well
 * they tell the concepts apart, and the same for random splits of the same sizes. The network runs once an image up to the layer; all parts
 * and controls are one more kernel there.
 * @throws InputError for a concept without images, or of whose images none reaches τ; InterruptError when stopped
 */
export async function evaluateSplit(
  split: Split,
  images: LabelledImages,
  options: EvaluateOptions = {},
): Promise<SplitEvaluation> {
  const byConcept = imagesOfConcepts(split, images);
  const outputs = channelsOf(split);
  const {tau = usualTau(outputs), randomSplits: controls = 20, seed = 0} = options;
  if (!(tau > 0 && tau <= 1))
    throw new InputError(`invalid tau: ${tau}; give a share above 0 and up to 1, such as 0.03`);
  checkControls(controls, seed);
  const conceptOf = new Map(byConcept.flatMap((own, concept) => own.map((index) => [index, concept] as const)));
  const random = randomSplits(split, {count: controls, seed});
  const {measured, top1} = await measureImages(split, images, conceptOf, random, options);
  const concepts = split.concepts.map((_, concept) =>
    evaluateConcept(split, measured, concept, {tau, random: controls}),
  );
  const evaluation: Omit<SplitEvaluation, 'toString'> = {
    kind: 'split evaluation',
    layer: split.layer,
    channel: split.channel,
    rule: split.rule,
    tau,
    images: measured.length,
    concepts,
    top1,
    randomSplits: controls,
    ...(options.perImage && {perImage: imageFractions(measured, images.paths, {k: split.parts.length, tau})}),
    warnings: [...fittedOnThese(split, images, byConcept), ...smallTau(tau, outputs), ...warningsOf(concepts)],
  };
  return readable(evaluation, describeEvaluation);
}

/** Cout of the layer before the split. */
function channelsOf({before, layer}: Split): number {
  return before.layers().find(({name}) => name === layer)?.kernel[3] ?? Infinity;
}

async function measureImages(
  split: Split,
  images: LabelledImages,
  conceptOf: Map<number, number>,
  random: readonly PartKernels[],
  options: EvaluationOptions,
): Promise<{measured: MeasuredImage[]; top1: SplitEvaluation['top1']}> {
  const k = split.parts.length;
  const kernels = kernelList(split, random);
  const labels = images.labelsFor(split.before.classes);
  const measured: MeasuredImage[] = [];
  const hits = {before: 0, after: 0};
  await passLayer(
    split,
    images,
    [...conceptOf.keys()].sort((a, b) => a - b),
    `evaluating channel ${split.channel} of ${split.layer}`,
    options,
    (batch) => {
      const z = batch.output(); // [B, H', W', Cout]
      const relevance = tf.mul(z, batch.gradient()); // [B, H', W', Cout]
      const outputs = applyKernels(batch, split, kernels); // [B, H', W', N]
      // Z_c = Σ d_j − (k − 1)·r
      const sum = tf.tensor1d([
        0,
        ...split.parts.map(() => 1),
        1 - k,
        ...new Array<number>(kernels.length - k - 2).fill(0),
      ]);
      const recombined = tf.sum(tf.mul(outputs, sum), 3, true) as tf.Tensor4D; // [B, H', W', 1]
      const after = batch.network.head(replaceChannel(z, split.channel, recombined), batch.crossing());
      return {
        detection: share(tf.sum(relevance, [1, 2]), split.channel), // [B]
        published: share(tf.sum(tf.relu(relevance), [1, 2]), split.channel), // [B]
        signed: tf.sum(outputs, [1, 2]), // [B, N]
        positive: tf.sum(tf.relu(outputs), [1, 2]), // [B, N]
        before: tf.argMax(batch.logits(), 1), // [B]
        after: tf.argMax(after, 1), // [B]
      };
    },
    (batch) => {
      const row = (values: Float32Array | Int32Array, b: number) =>
        values.slice(b * kernels.length, (b + 1) * kernels.length) as Float32Array;
      batch.images.forEach((index, b) => {
        measured.push({
          image: index,
          concept: conceptOf.get(index) as number,
          share: {published: batch.published[b], detection: batch.detection[b]},
          signed: row(batch.signed, b),
          positive: row(batch.positive, b),
        });
        hits.before += Number(batch.before[b] === labels[index]);
        hits.after += Number(batch.after[b] === labels[index]);
      });
    },
  );
  return {measured, top1: {before: hits.before / measured.length, after: hits.after / measured.length}};
}

/** R_c / Σ_j max(R_j, 0), and 0 where no channel speaks for the class, [B]; R is [B, Cout]. */
function share(relevance: tf.Tensor, channel: number): tf.Tensor {
  const own = tf.squeeze(tf.slice(relevance, [0, channel], [-1, 1]), [1]);
  const all = tf.sum(tf.relu(relevance), 1);
  return tf.where(tf.greater(all, 0), tf.div(own, all), tf.zerosLike(all));
}

/** A split looks better on the images that it was fitted on. */
function fittedOnThese(split: Split, images: LabelledImages, byConcept: readonly number[][]): string[] {
  if (split.concepts.every((concept) => concept.images))
    return ['the concepts are clusters of these images, so that the parts look better on them than on others'];
  if (split.fittedOn === undefined || split.fittedOn !== conceptImagesHash(images, byConcept)) return [];
  return [
    'the split was fitted on these images, so that the parts look better on them than on others; evaluate it on images that it has not seen',
  ];
}

function warningsOf(concepts: SplitEvaluation['concepts']): string[] {
  const warnings: string[] = [];
  for (const {classNames, published, positive} of concepts) {
    const name = classNames.join(' + ');
    const least = Math.min(published.images, positive.images);
    if (least < FEW_IMAGES)
      warnings.push(
        `only ${counted(least, 'image')} of ${name} ${least === 1 ? 'reaches τ: its mean says' : 'reach τ: their means say'} little`,
      );
    if (positive.leftOut > 0)
      warnings.push(
        `the original is negative everywhere in ${counted(positive.leftOut, 'image')} of ${name} that reach τ, left out of the positive fractions`,
      );
  }
  return warnings;
}
