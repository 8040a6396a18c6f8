/** A scale that is linear near 0 and logarithmic beyond, to both sides: sign(x) · log(1 + |x| / c). */
export interface SymmetricLog {
  domain: readonly [number, number];
  /** For an axis of a figure. */
  scale: {type: 'symlog'; constant: number; domain: [number, number]; nice: false};
  /** Where a value lies in the domain, 0..1. */
  at(value: number): number;
  /** The value at a place in the domain. */
  between(share: number): number;
  /** 0 and round values to both sides, as many as have room on an axis of `length` pixels. */
  ticks(length: number): number[];
}

/** Pixels between two labels of an axis at least. */
const ROOM = 26;

/** Where nothing is larger, all is drawn as 0: near the least numbers there are, quotients lose their digits. */
const NOTHING = 1e-30;

/** The scale that shows all `values`: linear up to a fiftieth of the largest. */
export function symmetricLog(values: readonly number[]): SymmetricLog {
  const visible = values.some((value) => Math.abs(value) > NOTHING) ? values : [];
  const low = visible.reduce((least, value) => Math.min(least, value), 0);
  const high = visible.reduce((most, value) => Math.max(most, value), 0);
  const largest = Math.max(-low, high) || 1;
  const constant = largest / 50;
  const bend = (value: number) => Math.sign(value) * Math.log1p(Math.abs(value) / constant);
  const straight = (value: number) => Math.sign(value) * Math.expm1(Math.abs(value)) * constant;
  const width = bend(high) - bend(low) || 1;
  const room = 0.05 * width;
  const [first, last] = [bend(low) - room, bend(high) + room];
  const domain: [number, number] = [straight(first), straight(last)];
  const at = (value: number) => (bend(value) - first) / (last - first);
  return {
    domain,
    scale: {type: 'symlog', constant: rounded(constant), domain: [rounded(domain[0]), rounded(domain[1])], nice: false},
    at,
    between: (share) => straight(first + share * (last - first)),
    ticks(length) {
      const chosen = [0];
      for (const size of roundValues(constant, largest)) {
        for (const tick of [size, -size]) {
          const inside = tick >= domain[0] && tick <= domain[1];
          if (inside && chosen.every((other) => length * Math.abs(at(other) - at(tick)) >= ROOM)) chosen.push(tick);
        }
      }
      return chosen.sort((a, b) => a - b);
    },
  };
}

/** Powers of ten from the largest down, then two and five times them. */
function roundValues(smallest: number, largest: number): number[] {
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(largest)); 10 ** power >= smallest / 2; power--) powers.push(power);
  // Written in decimals, they are exactly the numbers that the labels say.
  return [1, 5, 2]
    .flatMap((mantissa) => powers.map((power) => Number(`${mantissa}e${power}`)))
    .filter((one) => one <= largest);
}

const rounded = (value: number) => Number(value.toPrecision(4));
