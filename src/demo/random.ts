import {xoroshiro128plus} from 'pure-rand';

/** A stream of random numbers. */
export interface Random {
  /** A number in [low, high). */
  uniform(low: number, high: number): number;
  /** A whole number in [low, high]. */
  integer(low: number, high: number): number;
  /** A number with mean 0, deviation 1 and nearly a normal law: the centred sum of four bytes. */
  noise(): number;
}

/** Deviation of the sum of four uniform bytes: √(4 · (256² − 1) / 12). */
const FOUR_BYTES = Math.sqrt((4 * (256 * 256 - 1)) / 12);

/** Steps that a fresh generator makes before use, so that neighbouring keys lose their likeness. */
const WARM_UP = 24;

/**
 * The stream that belongs to three whole numbers in [0, 2³²). Different keys start at different states, so that any
 * image can be drawn alone and no two share their numbers.
 */
export function randomStream(a: number, b: number, c: number): Random {
  const generator = xoroshiro128plus.fromState([scramble(a), scramble(b ^ 0x51ed270b), scramble(c ^ 0x2c1b3c6d), 1]);
  for (let i = 0; i < WARM_UP; i++) generator.unsafeNext();
  const uniform = (low: number, high: number) => low + (high - low) * ((generator.unsafeNext() >>> 0) / 2 ** 32);
  return {
    uniform,
    integer: (low, high) => Math.floor(uniform(low, high + 1)),
    noise() {
      const word = generator.unsafeNext();
      const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
      return (sum - 510) / FOUR_BYTES;
    },
  };
}

/** A bijection of 32-bit words that spreads every input bit (the finaliser of MurmurHash3). */
function scramble(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
