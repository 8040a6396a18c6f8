import type {PartKernels} from '../split/kernels';
import type {Split} from '../split/types';

/** Kernels to apply side by side: the original, the k parts and the residue, then the same k + 1 of each random split. */
export function kernelList(split: Split, random: readonly PartKernels[]): Float32Array[] {
  return [split.original, ...[split, ...random].flatMap(({parts, residue}) => [...parts, residue])];
}

/** Where the j-th part (or, for j = k, the residue) of each of `random` random splits is in that list. */
export function randomKernels(k: number, random: number, j: number): number[] {
  return Array.from({length: random}, (_, n) => 1 + (n + 1) * (k + 1) + j);
}
