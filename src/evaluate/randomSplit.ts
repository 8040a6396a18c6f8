import {permutation, seedsFrom} from '../common/random';
import {kernelsFromOwnership, kernelsFromParts, type PartKernels} from '../split/kernels';
import type {Split} from '../split/types';

/**
 * The control for a split: one of the same sizes that knows nothing about the concepts.
 *
 * Ownerships λ, hard or soft, are dealt to the source channels anew, by one permutation for all parts: each part keeps the number of sources
 * that it owns, and every source is owned in one of the ways that occur. Of free kernels d_j the contrasts d_j − w/k, which add up to
 * zero, are dealt anew (all taps of a source together): the parts differ by as much as before, at sources taken at random.
 * @param seed a whole number; each gives another random split
 */
export function randomSplit(split: Split, seed: number): PartKernels {
  const {ownership, original, parts} = split;
  const inputs = split.kernelShape[2];
  const order = permutation(inputs, seed);
  if (ownership) {
    return kernelsFromOwnership(
      original,
      ownership.map((own) => own.map((_, i) => own[order[i]])),
    );
  }
  const kernels = parts.map((part) =>
    Float64Array.from(original, (weight, at) => {
      const source = at - (at % inputs) + order[at % inputs];
      return weight / parts.length + (part[source] - original[source] / parts.length);
    }),
  );
  return kernelsFromParts(original, kernels);
}

/** `count` random splits, the same for the same seed; another seed gives others, so that controls can be repeated independently. */
export function randomSplits(split: Split, {count, seed}: {count: number; seed: number}): PartKernels[] {
  return seedsFrom(seed, count).map((one) => randomSplit(split, one));
}
