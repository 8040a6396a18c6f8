import {requireGates, gatedVectors} from '../numerics/gated';
import {gatesOf} from '../numerics/gatedSums';
import {averagedRelevanceVector, type RelevanceStatistics} from '../numerics/statistics';
import {cosine} from '../numerics/vectors';
import type {ClassPair, VectorKind} from './types';

/** A class whose two halves have a cosine of at most this says too little to be compared. */
export const LEAST_AGREEMENT = 0.5;

/** What a channel's classes are compared by. */
export interface ClassVectors {
  kind: VectorKind;
  /** [Cin]; undefined or zero where there is nothing to compare. */
  vector(k: number, half?: 0 | 1): Float64Array | undefined;
  /** Cosine between the two halves of the class's images; NaN where a half has none. */
  agreement(k: number): number;
}

/** The kind that is asked for, else the gated vectors where the statistics have them. */
export function vectorKind(stats: RelevanceStatistics, asked?: VectorKind): VectorKind {
  if (asked === 'gated') requireGates(stats);
  return asked ?? (gatesOf(stats) ? 'gated' : 'published');
}

/** @throws InputError where gated vectors are asked of statistics without gates */
export function classVectors(stats: RelevanceStatistics, channel: number, kind: VectorKind): ClassVectors {
  if (kind === 'gated') return {kind, ...gatedVectors(stats, channel)};
  const vector = (k: number, half?: 0 | 1) => {
    if (half !== undefined && stats.counts[half * stats.classes + k] === 0) return undefined;
    return averagedRelevanceVector(stats, channel, [k], half);
  };
  const agreement = (k: number) => {
    const [a, b] = [vector(k, 0), vector(k, 1)];
    return a && b ? cosine(a, b) : NaN;
  };
  return {kind, vector, agreement};
}

/** The cosine of two classes' vectors; NaN where either has none or is zero. */
export function relation({vector}: ClassVectors, a: number, b: number, halves: [0 | 1, 0 | 1] | [] = []): number {
  const [x, y] = [vector(a, halves[0]), vector(b, halves[1])];
  return x && y ? cosine(x, y) : NaN;
}

/**
 * All pairs of a channel's classes, ascending by cosine, each with what is said of it. The published vectors decide by γ alone; the gated
 * ones, whose centring turns noise into difference, only where both classes agree with themselves between the halves of their images.
 * Pairs without a cosine are left out.
 */
export function relatedPairs(
  vectors: ClassVectors,
  channel: number,
  classes: readonly number[],
  gamma: number,
): ClassPair[] {
  const agreements = new Map(classes.map((k) => [k, vectors.agreement(k)]));
  const pairs: ClassPair[] = [];
  classes.forEach((a, i) => {
    for (const b of classes.slice(i + 1)) {
      const value = relation(vectors, a, b);
      if (Number.isNaN(value)) continue;
      const agreement = lower(agreements.get(a)!, agreements.get(b)!);
      const sure = vectors.kind === 'published' || agreement > LEAST_AGREEMENT;
      const decision = !sure ? 'undecided' : value < gamma ? 'different' : 'same';
      pairs.push({channel, classes: [a, b], cosine: value, agreement, decision});
    }
  });
  return pairs.sort(byCosine);
}

/** NaN where either is. */
const lower = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.min(a, b));

export function byCosine(a: ClassPair, b: ClassPair): number {
  return a.cosine - b.cosine || a.channel - b.channel || a.classes[0] - b.classes[0] || a.classes[1] - b.classes[1];
}
