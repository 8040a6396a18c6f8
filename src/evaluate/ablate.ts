import * as tf from '@tensorflow/tfjs-core';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {centralRange, ratioInterval} from '../numerics/summary';
import {mean, sum} from '../numerics/vectors';
import type {PartKernels} from '../split/kernels';
import type {Split} from '../split/types';
import {describeAblation} from './describeAblation';
import {
  applyKernels,
  channelOf,
  checkControls,
  imagesOfConcepts,
  passLayer,
  replaceChannel,
  type EvaluationOptions,
} from './layerPass';
import {randomSplits} from './randomSplit';
import {readable} from '../common/readable';
import type {AblatedClass, AblatedConcept, AblationEffect, SplitAblation} from './types';

export interface AblateOptions extends EvaluationOptions {
  /** Random splits of the same sizes whose parts are removed too, for comparison; each costs k passes of the head. @default 10 */
  randomSplits?: number;
}

/** One image: logit of its own class, and whether that is the highest, for each intervention. */
interface AblatedImage {
  label: number;
  logits: Float32Array;
  hits: Int32Array;
}

/**
 * Takes one concept out of the network and sees what becomes of every class: the causal proof that a part is what it is called.
 *
 * Removing concept j leaves the sources of the other concepts and those that all share, each once: Z_c ← Z_c − d_j + r, which for two concepts is
 * the other part. It is held against removing the whole channel: all its incoming weights are zero, Z_c ← b. A bias stays in both cases (it
 * belongs to no concept, and the layer's next step, often a batch norm, was fitted with it); without one, Z_c ← 0. What follows the layer,
 * batch norm included, stays as it is.
 * @throws InputError for a concept without images; InterruptError when stopped
 */
export async function ablate(
  split: Split,
  images: LabelledImages,
  options: AblateOptions = {},
): Promise<SplitAblation> {
  const {randomSplits: controls = 10, seed = 0} = options;
  checkControls(controls, seed);
  imagesOfConcepts(split, images);
  const random = randomSplits(split, {count: controls, seed});
  const measured = await measureAblation(split, images, random, options);
  const classNames = split.before.classNames ?? images.classNamesFor(split.before.classes);
  const groups = byClass(measured);
  const result: Omit<SplitAblation, 'toString'> = {
    kind: 'split ablation',
    layer: split.layer,
    channel: split.channel,
    images: measured.length,
    concepts: split.concepts.map((_, j) => ablatedConcept(split, measured, groups, j, controls)),
    classes: classesOf(split, groups, classNames, controls),
    randomSplits: controls,
  };
  return readable(result, describeAblation);
}

/** Kernel of the channel without part j: w − d_j + r. */
export function withoutPart(original: Float32Array, {parts, residue}: PartKernels, j: number): Float32Array {
  return original.map((weight, at) => weight - parts[j][at] + residue[at]);
}

/** Interventions, in the order of `AblatedImage`: none, the whole channel, each concept, each part of each random split. */
const UNTOUCHED = 0;
const ZEROED = 1;
const removal = (j: number) => 2 + j;
const randomRemoval = (k: number, r: number, j: number) => 2 + k + r * k + j;

async function measureAblation(
  split: Split,
  images: LabelledImages,
  random: readonly PartKernels[],
  options: EvaluationOptions,
): Promise<AblatedImage[]> {
  const {original, channel, before} = split;
  const kernels = [
    new Float32Array(original.length),
    ...[split, ...random].flatMap((kernelsOfSplit) =>
      split.parts.map((_, j) => withoutPart(original, kernelsOfSplit, j)),
    ),
  ];
  const count = 1 + kernels.length;
  const labels = images.labelsFor(before.classes);
  const measured: AblatedImage[] = [];
  await passLayer(
    split,
    images,
    Array.from(images.paths.keys()),
    `removing the concepts of channel ${channel}`,
    options,
    (batch) => {
      const z = batch.output(); // [B, H', W', Cout]
      const replacements = applyKernels(batch, split, kernels); // [B, H', W', V − 1]
      // wasm's one-hot of float32 holds integers' bits, hence the cast.
      const target = tf.cast(tf.oneHot(tf.tensor1d(batch.labels, 'int32'), before.classes), 'float32'); // [B, K]
      const outcomes = Array.from({length: count}, (_, n) =>
        tf.tidy(() => {
          const changed = n === UNTOUCHED ? z : replaceChannel(z, channel, channelOf(replacements, n - 1));
          const logits = batch.network.head(changed, batch.crossing()); // [B, K]
          return {own: tf.sum(tf.mul(logits, target), 1), top: tf.argMax(logits, 1)};
        }),
      );
      return {
        logits: tf.stack(
          outcomes.map(({own}) => own),
          1,
        ), // [B, V]
        top: tf.stack(
          outcomes.map(({top}) => top),
          1,
        ), // [B, V]
      };
    },
    (batch) => {
      batch.images.forEach((index, b) => {
        const row = [b * count, (b + 1) * count];
        const label = labels[index];
        measured.push({
          label,
          logits: batch.logits.slice(...row) as Float32Array,
          hits: Int32Array.from(batch.top.subarray(...row), (top) => Number(top === label)),
        });
      });
    },
  );
  return measured;
}

/** Mean change over images; `interventions` are averaged too. */
function effect(images: readonly AblatedImage[], interventions: readonly number[], from?: number): AblationEffect {
  const average = (of: (image: AblatedImage) => ArrayLike<number>) =>
    mean(
      images.flatMap((image) => interventions.map((n) => of(image)[n] - (from === undefined ? 0 : of(image)[from]))),
    );
  return {logit: average(({logits}) => logits), accuracy: average(({hits}) => hits)};
}

function byClass(measured: readonly AblatedImage[]): Map<number, AblatedImage[]> {
  const found = new Map<number, AblatedImage[]>();
  for (const image of measured) {
    const own = found.get(image.label);
    if (own) own.push(image);
    else found.set(image.label, [image]);
  }
  return found;
}

function classesOf(
  split: Split,
  groups: ReadonlyMap<number, AblatedImage[]>,
  classNames: readonly string[],
  controls: number,
): AblatedClass[] {
  const k = split.parts.length;
  const change = (own: AblatedImage[], ...interventions: number[]) => effect(own, interventions, UNTOUCHED);
  const random = (j: number) => Array.from({length: controls}, (_, r) => randomRemoval(k, r, j));
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([label, own]) => ({
      class: label,
      className: classNames[label],
      images: own.length,
      concept: split.concepts.findIndex(({classes}) => classes.includes(label)),
      before: effect(own, [UNTOUCHED]),
      zeroed: change(own, ZEROED),
      removed: split.parts.map((_, j) => change(own, removal(j))),
      random: split.parts.map((_, j) => change(own, ...random(j))),
    }));
}

function ablatedConcept(
  split: Split,
  measured: readonly AblatedImage[],
  groups: ReadonlyMap<number, AblatedImage[]>,
  j: number,
  controls: number,
): AblatedConcept {
  const k = split.parts.length;
  const {classes: ownClasses, classNames} = split.concepts[j];
  const own = measured.filter(({label}) => ownClasses.includes(label));
  const others = measured.filter(({label}) =>
    split.concepts.some((concept, l) => l !== j && concept.classes.includes(label)),
  );
  if (own.length === 0)
    throw new InputError(`none of the images of ${classNames.join(' + ')} can be read; give others`);
  const changes = (images: readonly AblatedImage[], n: number) =>
    images.map(({logits}) => logits[n] - logits[UNTOUCHED]);
  const relative = (images: readonly AblatedImage[]) =>
    ratioInterval(changes(images, removal(j)), changes(images, ZEROED));
  const control = (images: readonly AblatedImage[]) => {
    const whole = sum(changes(images, ZEROED));
    return centralRange(Array.from({length: controls}, (_, r) => sum(changes(images, randomRemoval(k, r, j))) / whole));
  };
  const rest = [...groups].filter(([label]) => !split.concepts.some((one) => one.classes.includes(label)));
  const moved = (n: number) => mean(rest.map(([, images]) => Math.abs(effect(images, [n], UNTOUCHED).logit)));
  const movedByControls = centralRange(Array.from({length: controls}, (_, r) => moved(randomRemoval(k, r, j))));
  return {
    classes: ownClasses,
    classNames,
    zeroed: effect(own, [ZEROED], UNTOUCHED).logit,
    own: relative(own),
    other: relative(others),
    rest: {removed: moved(removal(j)), zeroed: moved(ZEROED)},
    random: {own: control(own), other: control(others), rest: movedByControls},
  };
}
