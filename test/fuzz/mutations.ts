/** Small damages of files, drawn from a seed: what storage, downloads and attackers do to them. */
import {unsafeUniformIntDistribution, xoroshiro128plus} from 'pure-rand';

/** Whole numbers in [0, below). */
export type Draw = (below: number) => number;

export function drawFrom(seed: number): Draw {
  const generator = xoroshiro128plus(seed);
  return (below) => (below <= 1 ? 0 : unsafeUniformIntDistribution(0, below - 1, generator));
}

/** One damage, already drawn, so that it can be left out when a smaller example is looked for. */
export interface Mutation {
  kind: string;
  apply(bytes: Buffer): Buffer;
}

const LENGTHS = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];
const WORDS = ['null', '-1', '1e9', '1e308', '{}', '[]', '"x"', 'true', '[[[[[[[[', '"__proto__"', '""'];

/** A damage of one of nine kinds. @param others further files of the same format, to splice from */
export function drawMutation(draw: Draw, others: readonly Buffer[]): Mutation {
  const [at, second, value, kind] = [draw(2 ** 30), draw(2 ** 30), draw(2 ** 30), draw(9)];
  const place = (bytes: Buffer, number = at) => (bytes.length === 0 ? 0 : number % bytes.length);
  switch (kind) {
    case 0:
      return {
        kind: 'bit',
        apply(bytes) {
          const changed = Buffer.from(bytes);
          if (bytes.length > 0) changed[place(bytes)] ^= 1 << (value % 8);
          return changed;
        },
      };
    case 1:
      return {kind: 'cut', apply: (bytes) => bytes.subarray(0, place(bytes))};
    case 2: {
      const width = 2 ** (value % 4);
      const length = LENGTHS[second % LENGTHS.length];
      return {
        kind: 'length',
        apply(bytes) {
          const changed = Buffer.from(bytes);
          const start = place(bytes);
          if (start + width > bytes.length) return changed;
          if (width === 8) changed.writeBigUInt64LE(BigInt(length) << BigInt(value % 32), start);
          else changed.writeUIntLE(length % 2 ** (8 * width), start, width);
          return changed;
        },
      };
    }
    case 3: {
      const other = others[value % others.length];
      return {
        kind: 'splice',
        apply: (bytes) => Buffer.concat([bytes.subarray(0, place(bytes)), other.subarray(place(other, second))]),
      };
    }
    case 4:
      return {
        kind: 'repeat',
        apply(bytes) {
          const start = place(bytes);
          const piece = bytes.subarray(start, start + 1 + (second % 40));
          const times = Math.min(2 ** (value % 14), Math.floor(2e5 / Math.max(1, piece.length)));
          return Buffer.concat([bytes.subarray(0, start), ...Array<Buffer>(times).fill(piece), bytes.subarray(start)]);
        },
      };
    case 5:
      return {
        kind: 'remove',
        apply: (bytes) =>
          Buffer.concat([bytes.subarray(0, place(bytes)), bytes.subarray(place(bytes) + 1 + (second % 64))]),
      };
    case 6: {
      // What opens, opened again and again: a text format nests, a binary one repeats a length.
      const opening = ['[', '{"a":', '(', '}(', '{"a":{"b":[', '"'][value % 6];
      const depth = 2 ** (second % 15);
      return {
        kind: 'nest',
        apply(bytes) {
          const text = bytes.toString('latin1');
          const start = Math.max(0, text.slice(place(bytes)).search(/[-\d"[{]/)) + place(bytes);
          return Buffer.concat([bytes.subarray(0, start), Buffer.from(opening.repeat(depth)), bytes.subarray(start)]);
        },
      };
    }
    case 7:
      // A field, an entry or a line twice: from one quote, comma or line's end to the next of its kind.
      return {
        kind: 'duplicate',
        apply(bytes) {
          const text = bytes.toString('latin1');
          const mark = [',', '\n', '"', 'PK'][value % 4];
          const start = text.indexOf(mark, place(bytes));
          const end = text.indexOf(mark, start + 1);
          if (start < 0 || end < 0) return bytes;
          return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
        },
      };
    default: {
      // In a text format a value gets another type; in a binary one this is noise.
      const word = Buffer.from(WORDS[value % WORDS.length]);
      return {
        kind: 'word',
        apply(bytes) {
          const text = bytes.toString('latin1');
          const start = text.slice(place(bytes)).search(/[-\d"[{]/) + place(bytes);
          const end = start + Math.max(1, /^("[^"]*"|[-\d.e+]+|.)/.exec(text.slice(start))?.[0].length ?? 1);
          return Buffer.concat([bytes.subarray(0, start), word, bytes.subarray(end)]);
        },
      };
    }
  }
}
