import {xoroshiro128plus} from 'pure-rand';

/** A seeded stream of random numbers. */
export interface Random {
  /** A number in [low, high). */
  uniform(low: number, high: number): number;
  /** One of the values. */
  pick<T>(values: readonly T[]): T;
  /** A number with mean 0, deviation 1 and a normal law. */
  normal(): number;
}

export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const uniform = (low: number, high: number) => low + (high - low) * ((generator.unsafeNext() >>> 0) / 2 ** 32);
  return {
    uniform,
    pick: (values) => values[Math.floor(uniform(0, values.length))],
    // Box and Muller; 1 − u keeps the logarithm finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform(0, 1))) * Math.cos(2 * Math.PI * uniform(0, 1)),
  };
}
