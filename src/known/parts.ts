/**
 * What the known networks are about: pictures of twelve parts, classes of two parts each, and channels whose meaning is a set of parts.
 * Whether two classes mean the same to a channel then follows from arithmetic, not from judgement.
 */

/** The twelve parts; names are those of the demo's shapes. */
export const PARTS = [
  'checker',
  'spiral',
  'cross',
  'fish',
  'star',
  'moon',
  'target',
  'house',
  'arrow',
  'heart',
  'ladder',
  'smiley',
] as const;

const COUNT = PARTS.length;

/** Parts of each of the 24 classes: (k, k + 1) and (k, k + 5) modulo 12, so that each part is in four classes. */
export const CLASS_PARTS: readonly (readonly [number, number])[] = [1, 5].flatMap((step) =>
  PARTS.map((_, k): [number, number] => [k, (k + step) % COUNT]),
);

/** `checker + spiral`, by class index. */
export const KNOWN_CLASSES: readonly string[] = CLASS_PARTS.map((parts) => parts.map((q) => PARTS[q]).join(' + '));

/**
 * Parts that each of the 16 channels is taught to answer to: five channels answer to one part, seven to either of two, four to any of
 * three. No class holds two parts of one code.
 */
export const CODES: readonly (readonly number[])[] = [
  [0],
  [1],
  [2],
  [3],
  [4],
  [5, 8],
  [6, 9],
  [7, 10],
  [8, 11],
  [5, 9],
  [6, 10],
  [7, 11],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 11],
  [0, 8, 10],
];

/** Parts of a class that a channel means. */
export function sharedParts(code: readonly number[], k: number): number[] {
  return CLASS_PARTS[k].filter((part) => code.includes(part));
}

/** Two classes for a channel: the truth that detection is held against. */
export interface KnownPair {
  channel: number;
  classes: [number, number];
  truth: 'same' | 'different';
}

/**
 * Pairs of classes that each hold exactly one part of a channel's meaning: `same` where it is the same part. Classes with none, with
 * several, or with a part that the channel answers to by halves are in no pair.
 * @param meanings parts that each channel answers to; undefined for a channel that is left out
 * @param unclear parts to which each channel answers a little, so that a class with one is left out
 */
export function knownPairs(
  meanings: readonly (readonly number[] | undefined)[],
  unclear: readonly (readonly number[])[] = [],
): KnownPair[] {
  return meanings.flatMap((code, channel) => {
    if (!code) return [];
    const classes = CLASS_PARTS.map((_, k) => k).filter(
      (k) => sharedParts(code, k).length === 1 && sharedParts(unclear[channel] ?? [], k).length === 0,
    );
    return classes.flatMap((a, i) =>
      classes.slice(i + 1).map((b): KnownPair => {
        const truth = sharedParts(code, a)[0] === sharedParts(code, b)[0] ? 'same' : 'different';
        return {channel, classes: [a, b], truth};
      }),
    );
  });
}
