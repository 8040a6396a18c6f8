import {mersenne, unsafeUniformIntDistribution} from 'pure-rand';

/** 0 … count − 1 in a random order, the same for the same seed (Fisher and Yates). */
export function permutation(count: number, seed: number): Int32Array {
  const generator = mersenne(seed);
  const order = Int32Array.from({length: count}, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = unsafeUniformIntDistribution(0, i, generator);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Seeds for `count` draws that are independent of one another, and of those of another seed: neighbours such as 0 and 1 share none. */
export function seedsFrom(seed: number, count: number): number[] {
  const generator = mersenne(seed);
  return Array.from({length: count}, () => generator.unsafeNext());
}
