/** What the parts carry of the original and how well they tell concepts apart, straight from the definitions. */
import type {PartKernels} from '../../src/split/kernels';
import type {Split} from '../../src/split/types';
import {meanOf, positiveSum, sumOf, type SlowImage} from './evaluateSlowly';

/** What one image contributes to a fraction: the kernel's sum and the original's. */
export type Definition = {
  share: (image: SlowImage) => number;
  sum: (values: ArrayLike<number>) => number;
  ofSums: boolean;
};
export const DEFINITIONS: Record<'published' | 'positive' | 'ratioOfSums', Definition> = {
  published: {share: ({published}) => published, sum: sumOf, ofSums: false},
  positive: {share: ({detection}) => detection, sum: positiveSum, ofSums: false},
  ratioOfSums: {share: ({detection}) => detection, sum: positiveSum, ofSums: true},
};

/** Fractions of every part and the residue, straight from the definition. */
export function slowFractions(
  slow: SlowImage[],
  split: Split,
  kernels: PartKernels,
  {classes, tau, how}: {classes: number[]; tau: number; how: Definition},
) {
  const chosen = slow.filter((image) => classes.includes(image.label) && how.share(image) >= tau);
  const pairs = (kernel: Float32Array) =>
    chosen
      .map((image) => [how.sum(image.output(kernel)), how.sum(image.output(split.original))])
      .filter(([, original]) => original !== 0);
  const fraction = (kernel: Float32Array) =>
    how.ofSums
      ? sumOf(pairs(kernel).map(([part]) => part)) / sumOf(pairs(kernel).map(([, original]) => original))
      : meanOf(pairs(kernel).map(([part, original]) => part / original));
  return {images: pairs(split.original).length, parts: kernels.parts.map(fraction), residue: fraction(kernels.residue)};
}

/** The share of pairs of an own and another image that are in order. */
export function slowAuroc(slow: SlowImage[], kernel: Float32Array, own: number[], all: number[]): number {
  const scored = slow
    .filter(({label}) => all.includes(label))
    .map((image) => ({own: own.includes(image.label), score: Math.fround(positiveSum(image.output(kernel)))}));
  const orders = scored
    .filter((one) => one.own)
    .flatMap(({score}) =>
      scored.filter((one) => !one.own).map((other) => (score > other.score ? 1 : score === other.score ? 0.5 : 0)),
    );
  return meanOf(orders);
}
