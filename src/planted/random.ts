import {unsafeUniformIntDistribution, xoroshiro128plus} from 'pure-rand';
import {pathHash} from '../numerics/pathHash';
import {permutation} from '../common/shuffle';

/** A seed for one purpose: the same for the same words, so that a resumed run draws what the first would have. */
export function seedFor(...words: readonly (string | number)[]): number {
  return pathHash(words.join('/')) | 0;
}

/** Uniform numbers in [0, 1). */
export function uniforms(count: number, seed: number): Float64Array {
  const generator = xoroshiro128plus(seed);
  return Float64Array.from({length: count}, () => unsafeUniformIntDistribution(0, 0xfffffff, generator) / 0x10000000);
}

/** The list in a random order. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  return Array.from(permutation(list.length, seed), (at) => list[at]);
}
