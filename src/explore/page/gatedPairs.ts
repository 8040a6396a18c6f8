import type {ClassVectors, Halves} from '../../concepts/relate';

/**
 * Gated vectors are compared once, in the kernel, and only their cosines travel: of n classes of a channel the agreement of each between the
 * halves of its images, then the cosines of all pairs, i before j, of all images and of either half.
 */
export function gatedLength(classes: number): number {
  return classes + 3 * pairsOf(classes);
}

const pairsOf = (classes: number) => (classes * (classes - 1)) / 2;

/** @param classes as `vectors` numbers them */
export function gatedTable(vectors: ClassVectors, classes: readonly number[]): Float32Array {
  const halves = [[], [0, 0], [1, 1]] as const;
  const pairs = classes.flatMap((a, i) => classes.slice(i + 1).map((b) => [a, b] as const));
  return Float32Array.from([
    ...classes.map((k) => vectors.agreement(k)),
    ...halves.flatMap((half) => pairs.map(([a, b]) => vectors.cosine(a, b, [...half]))),
  ]);
}

/** The same as the functions of the kernel take it; classes are numbered by their place in the channel's list. */
export function readGatedTable(table: Float32Array, classes: number): ClassVectors {
  return {
    kind: 'gated',
    vector: () => undefined,
    agreement: (k) => table[k],
    cosine(a, b, halves: Halves = []) {
      const [first] = halves;
      const [i, j] = a < b ? [a, b] : [b, a];
      const block = first === undefined ? 0 : 1 + first;
      return table[classes + block * pairsOf(classes) + i * classes - (i * (i + 1)) / 2 + (j - i - 1)];
    },
  };
}
