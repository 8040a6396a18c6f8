import {requireGates, gatedVectors} from '../numerics/gated';
import {gatesOf} from '../numerics/gatedSums';
import {averagedRelevanceVector, type RelevanceStatistics} from '../numerics/statistics';
import {cosine} from '../numerics/vectors';
import type {CandidateChannel, ClassPair, VectorKind} from './types';

/** A class whose two halves have a cosine of at most this says too little to be compared. */
export const LEAST_AGREEMENT = 0.5;

/** What a channel's classes are compared by. */
export interface ClassVectors {
  kind: VectorKind;
  /** [Cin]; undefined or zero where there is nothing to compare. */
  vector(k: number, half?: 0 | 1): Float64Array | undefined;
  /** Cosine of two classes' vectors, perhaps of halves of their images; NaN where either has none or is zero. */
  cosine(a: number, b: number, halves?: Halves): number;
  /** Cosine between the two halves of the class's images; NaN where a half has none. */
  agreement(k: number): number;
}

/** A half of the first class's images, and one of the second's; or all of both. */
export type Halves = [0 | 1, 0 | 1] | [];

/** The kind that is asked for, else the gated vectors where the statistics have them. */
export function vectorKind(stats: RelevanceStatistics, asked?: VectorKind): VectorKind {
  if (asked === 'gated') requireGates(stats);
  return asked ?? (gatesOf(stats) ? 'gated' : 'published');
}

/** Cosines by channel, then by pair; they depend on neither τ nor p nor γ, and take most of the time that a pair takes. */
interface Known {
  of: unknown[];
  cosines: Record<VectorKind, Map<number, Map<number, number>>>;
}
const known = new WeakMap<RelevanceStatistics['shares'], Known>();

/** Those of these statistics, as long as these are not added to (which gives them other shares) or made others. */
function knownCosines(stats: RelevanceStatistics, channel: number, kind: VectorKind): Map<number, number> {
  const of = [stats.inputSums, stats.kernel, stats.collected];
  let found = known.get(stats.shares);
  if (!found || found.of.some((part, n) => part !== of[n])) {
    found = {of, cosines: {published: new Map(), gated: new Map()}};
    known.set(stats.shares, found);
  }
  const own = found.cosines[kind].get(channel) ?? new Map<number, number>();
  found.cosines[kind].set(channel, own);
  return own;
}

/** @throws InputError where gated vectors are asked of statistics without gates */
export function classVectors(stats: RelevanceStatistics, channel: number, kind: VectorKind): ClassVectors {
  if (kind === 'gated') requireGates(stats);
  const vector = kind === 'gated' ? gatedOf(stats, channel) : publishedOf(stats, channel);
  const cosines = knownCosines(stats, channel, kind);
  const between = (a: number, b: number, halves: Halves = []) => {
    const [first, second] = halves;
    const key = (a * stats.classes + b) * 5 + (first === undefined ? 0 : 1 + 2 * first + second!);
    let value = cosines.get(key);
    if (value === undefined) {
      const [x, y] = [vector(a, first), vector(b, second)];
      value = x && y ? cosine(x, y) : NaN;
      cosines.set(key, value);
    }
    return value;
  };
  return {kind, vector, cosine: between, agreement: (k) => between(k, k, [0, 1])};
}

function gatedOf(stats: RelevanceStatistics, channel: number): ClassVectors['vector'] {
  let made: ReturnType<typeof gatedVectors> | undefined;
  return (k, half) => (made ??= gatedVectors(stats, channel)).vector(k, half);
}

function publishedOf(stats: RelevanceStatistics, channel: number): ClassVectors['vector'] {
  const made = new Map<number, Float64Array>();
  return (k, half) => {
    if (half !== undefined && stats.counts[half * stats.classes + k] === 0) return undefined;
    const key = 3 * k + (half ?? 2);
    const vector = made.get(key) ?? averagedRelevanceVector(stats, channel, [k], half);
    made.set(key, vector);
    return vector;
  };
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
      const value = vectors.cosine(a, b);
      if (Number.isNaN(value)) continue;
      const agreement = lower(agreements.get(a)!, agreements.get(b)!);
      const sure = vectors.kind === 'published' || agreement > LEAST_AGREEMENT;
      const decision = !sure ? 'undecided' : value < gamma ? 'different' : 'same';
      pairs.push({channel, classes: [a, b], cosine: value, agreement, decision});
    }
  });
  return pairs.sort(byCosine);
}

/** Whether gated vectors let a class be compared: its halves agree. The published ones have no such guard. */
export const isComparable = (vectors: ClassVectors, k: number): boolean =>
  vectors.kind === 'published' || vectors.agreement(k) > LEAST_AGREEMENT;

/** NaN where either is. */
const lower = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.min(a, b));

export function byCosine(a: ClassPair, b: ClassPair): number {
  return a.cosine - b.cosine || a.channel - b.channel || a.classes[0] - b.classes[0] || a.classes[1] - b.classes[1];
}

/** Order of channels; those without a decided pair come last. */
export function byLowestCosine(a: CandidateChannel, b: CandidateChannel): number {
  const place = ({lowestCosine}: CandidateChannel) => (Number.isNaN(lowestCosine) ? 2 : lowestCosine);
  return place(a) - place(b) || a.channel - b.channel;
}
