import {numberText} from '../common/numbers';
import {InputError} from '../common/errors';
import {auroc} from '../numerics/ranking';
import {centralRange, meanInterval, ratioInterval, type Summary} from '../numerics/summary';
import {mean, sum} from '../numerics/vectors';
import {option} from '../common/options';
import {namedClasses} from '../common/words';
import type {Split} from '../split/types';
import {randomKernels} from './kernelList';
import type {ConceptEvaluation, Fractions, ImageFractions, MeasuredImage} from './types';

/** How the fractions of several images become one number, with its uncertainty: `a` of the part, `b` of the original, an image each. */
interface Averaging {
  summarise(a: number[], b: number[]): Summary;
  /** The number alone. */
  value(a: number[], b: number[]): number;
}

const divided = (a: number[], b: number[]) => a.map((part, n) => part / b[n]);
const MEAN_OF_RATIOS: Averaging = {
  summarise: (a, b) => meanInterval(divided(a, b)),
  value: (a, b) => mean(divided(a, b)),
};
const RATIO_OF_SUMS: Averaging = {summarise: ratioInterval, value: (a, b) => sum(a) / sum(b)};

/**
 * One concept's fractions, by all definitions, and its AUROC.
 * @param random number of random splits among the kernels
 * @throws InputError where none of the concept's images reaches τ
 */
export function evaluateConcept(
  split: Split,
  measured: readonly MeasuredImage[],
  concept: number,
  {tau, random}: {tau: number; random: number},
): ConceptEvaluation {
  const {classes, classNames} = split.concepts[concept];
  const own = measured.filter((image) => image.concept === concept);
  const others = measured.filter((image) => image.concept !== concept);
  const reaching = (definition: keyof MeasuredImage['share']) => {
    const chosen = own.filter(({share}) => share[definition] >= Math.fround(tau));
    if (chosen.length > 0) return chosen;
    const highest = own.reduce((best, {share}) => Math.max(best, share[definition]), -Infinity);
    const about = `channel ${split.channel} has a share of at least τ ${tau} in none of the ${own.length} images of ${namedClasses({classes, classNames})}`;
    throw new InputError(
      own.length === 0
        ? `none of the images of ${namedClasses({classes, classNames})} can be read; give others`
        : highest > 0
          ? `${about}; the highest share is ${numberText(highest)}. Give a ${option('tau')} up to that, or images for which the channel matters`
          : `channel ${split.channel} speaks for its class in none of the ${own.length} images of ${namedClasses({classes, classNames})} (the highest share of relevance is ${numberText(highest)}); give images for which the channel matters, or divide it into other concepts`,
    );
  };
  const k = split.parts.length;
  const published = reaching('published');
  const detected = reaching('detection');
  const scores = (images: readonly MeasuredImage[], kernel: number) => images.map(({positive}) => positive[kernel]);
  const areaOf = (kernel: number) => auroc(scores(own, kernel), scores(others, kernel));
  return {
    classes,
    classNames,
    images: own.length,
    published: fractions(
      published.map(({signed}) => signed),
      {k, random},
      MEAN_OF_RATIOS,
    ),
    positive: fractions(
      detected.map(({positive}) => positive),
      {k, random},
      MEAN_OF_RATIOS,
    ),
    ratioOfSums: fractions(
      detected.map(({positive}) => positive),
      {k, random},
      RATIO_OF_SUMS,
    ),
    auroc: {
      original: areaOf(0),
      parts: split.parts.map((_, j) => areaOf(1 + j)),
      random: split.parts.map((_, j) => centralRange(randomKernels(k, random, j).map(areaOf))),
    },
  };
}

/** The published fractions of each image that reaches τ and has a denominator, by concept and then in the list's order. */
export function imageFractions(
  measured: readonly MeasuredImage[],
  paths: readonly string[],
  {k, tau}: {k: number; tau: number},
): ImageFractions[] {
  return measured
    .filter(({share, signed}) => share.published >= Math.fround(tau) && signed[0] !== 0)
    .map(({image, concept, signed: [original, ...sums]}) => ({
      image: paths[image],
      concept,
      fractions: sums.slice(0, k).map((sum) => sum / original),
      residue: sums[k] / original,
    }))
    .sort((a, b) => a.concept - b.concept);
}

/** @param rows the kernels' sums, an image each */
function fractions(
  rows: readonly Float32Array[],
  {k, random}: {k: number; random: number},
  averaging: Averaging,
): Fractions {
  const kept = rows.filter(([original]) => original !== 0);
  const column = (kernel: number) => kept.map((row) => row[kernel]);
  const original = column(0);
  const parts = Array.from({length: k}, (_, j) => averaging.summarise(column(1 + j), original));
  const residue = averaging.summarise(column(1 + k), original);
  const control = (j: number) =>
    centralRange(randomKernels(k, random, j).map((kernel) => averaging.value(column(kernel), original)));
  return {
    images: kept.length,
    leftOut: rows.length - kept.length,
    d1: parts[0].mean,
    d2: parts[1].mean,
    residue: residue.mean,
    parts: parts.map((part) => part.mean),
    summary: {parts, residue},
    random: {parts: parts.map((_, j) => control(j)), residue: control(k)},
  };
}
