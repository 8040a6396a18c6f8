import {mersenne, unsafeUniformIntDistribution, xoroshiro128plus, type RandomGenerator} from 'pure-rand';
import {scramble} from './scramble';

/** A seeded stream of random numbers. */
export interface Random {
  /** 32 random bits. */
  word(): number;
  /** A number in [low, high). */
  uniform(low: number, high: number): number;
  /** A whole number in [low, high]. */
  integer(low: number, high: number): number;
  /** One of the values. */
  pick<T>(values: readonly T[]): T;
  /** A number with mean 0, standard deviation 1 and a normal law. */
  normal(): number;
}

/** Steps that a keyed stream makes before use, so that neighbouring keys lose their likeness. */
const WARM_UP = 24;

export const seededRandom = (seed: number): Random => streamOf(xoroshiro128plus(seed));

/**
 * The stream that belongs to three whole numbers in [0, 2³²). Different keys start at different states, so that any
 * image can be drawn alone and no two share their numbers.
 */
export function keyedRandom(a: number, b: number, c: number): Random {
  const generator = xoroshiro128plus.fromState([scramble(a), scramble(b ^ 0x51ed270b), scramble(c ^ 0x2c1b3c6d), 1]);
  for (let i = 0; i < WARM_UP; i++) generator.unsafeNext();
  return streamOf(generator);
}

function streamOf(generator: RandomGenerator): Random {
  const word = () => generator.unsafeNext();
  const uniform = (low: number, high: number) => low + (high - low) * ((word() >>> 0) / 2 ** 32);
  const integer = (low: number, high: number) => Math.floor(uniform(low, high + 1));
  return {
    word,
    uniform,
    integer,
    pick: (values) => values[integer(0, values.length - 1)],
    // Box and Muller; 1 − u keeps the logarithm finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform(0, 1))) * Math.cos(2 * Math.PI * uniform(0, 1)),
  };
}

/** Uniform numbers in [0, 1). */
export function uniforms(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({length: count}, () => random.uniform(0, 1));
}

/** Puts a list into a random order, in place (Fisher and Yates). */
export function shuffle<T extends {length: number; [at: number]: unknown}>(list: T, integer: Random['integer']): T {
  for (let i = list.length - 1; i > 0; i--) {
    const j = integer(0, i);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

/** 0 … count − 1 in a random order, the same for the same seed. */
export function permutation(count: number, seed: number): Int32Array {
  const generator = mersenne(seed);
  return shuffle(
    Int32Array.from({length: count}, (_, i) => i),
    (low, high) => unsafeUniformIntDistribution(low, high, generator),
  );
}

/** The list in a random order. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  return Array.from(permutation(list.length, seed), (at) => list[at]);
}

/** Seeds for `count` draws that are independent of one another, and of those of another seed: neighbours such as 0 and 1 share none. */
export function seedsFrom(seed: number, count: number): number[] {
  const generator = mersenne(seed);
  return Array.from({length: count}, () => generator.unsafeNext());
}
