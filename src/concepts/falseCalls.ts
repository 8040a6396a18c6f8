import {seededRandom, type Random} from '../common/random';
import {classCount, type RelevanceStatistics} from '../numerics/statistics';
import {cosine, dot} from '../numerics/vectors';
import {classVectors, isComparable, LEAST_AGREEMENT, type ClassVectors} from './relate';
import type {CandidateChannel, VectorKind} from './types';

/** Shares of pairs in which there is nothing to find that are called different all the same; NaN where there are no such pairs. */
export interface FalseCalls {
  /** A class in one half of its images against itself in the other. */
  halves: number;
  /**
   * Two classes whose images were dealt to them at random: a class's vector then is the mean over classes in the shares that chance gives it,
   * plus what two halves of a class differ by. Made from the statistics; no image is looked at.
   */
  permuted: number;
  /** Two merges of the same two classes that γ calls different, each of one half of both; merges that cancel out are left aside. */
  merges: number;
}

/**
 * Pairs of made-up classes, of all channels and of each, at least; channels, and classes of each, that are looked at: enough for a rate,
 * few enough for a second.
 */
const MADE_UP = {all: 300, channel: 6};
const CHANNELS = 200;
const CLASSES = 12;

/**
 * How often γ calls pairs different in which there is nothing to find.
 * @param candidates channels and the classes that they are relevant to
 * @param options.chance what `permutedCosines` gave, where it is known
 */
export function falseCalls(
  stats: RelevanceStatistics,
  candidates: readonly CandidateChannel[],
  {gamma, arv, chance}: {gamma: number; arv: VectorKind; chance?: readonly number[]},
): FalseCalls {
  const [halves, merges]: boolean[][] = [[], []];
  for (const {channel, classes} of someOf(candidates)) {
    const vectors = classVectors(stats, channel, arv);
    const sure = classes.filter((k) => isComparable(vectors, k));
    for (const k of sure) if (!Number.isNaN(vectors.agreement(k))) halves.push(vectors.agreement(k) < gamma);
    const known = sure.map((k) => halvesOf(vectors, k)).filter((both) => both !== undefined);
    for (let a = 0; a < known.length; a++) {
      for (let b = a + 1; b < known.length; b++) {
        if (!(cosine(sum(known[a]), sum(known[b])) < gamma)) continue;
        const two = [0, 1].map((half) => sum([known[a][half], known[b][half]]));
        // Of vectors that cancel out only noise is left, which says nothing.
        const shorter = Math.min(length(sum(known[a])), length(sum(known[b])));
        if (length(sum(two)) >= shorter / 2) merges.push(cosine(two[0], two[1]) < gamma);
      }
    }
  }
  const permuted = shareBelow(chance ?? permutedCosines(stats, candidates, arv), gamma);
  return {halves: share(halves), permuted, merges: share(merges)};
}

/**
 * Cosines of two made-up classes whose images were dealt to them at random (see `FalseCalls.permuted`), of every candidate in turn;
 * infinite where they would be left undecided.
 */
export function permutedCosines(
  stats: RelevanceStatistics,
  candidates: readonly CandidateChannel[],
  arv: VectorKind,
  seed = 0,
): number[] {
  const random = seededRandom(seed);
  const chosen = someOf(candidates);
  const length = Math.max(MADE_UP.channel, Math.ceil(MADE_UP.all / chosen.length));
  return chosen.flatMap(({channel, classes}) => {
    const vectors = classVectors(stats, channel, arv);
    const all = classes.map((k) => halvesOf(vectors, k)).filter((both) => both !== undefined);
    if (all.length < 2) return [];
    const images = Math.max(2, Math.round(classes.reduce((n, k) => n + classCount(stats, k), 0) / classes.length / 2));
    return Array.from({length}, () => {
      const [a, b] = [0, 1].map(() => [0, 1].map(() => dealt(all, images, random)));
      const certain = arv === 'published' || [a, b].every(([one, other]) => cosine(one, other) > LEAST_AGREEMENT);
      return certain ? cosine(sum(a), sum(b)) : Infinity;
    });
  });
}

/** Share of the values below γ; NaN of none. */
export const shareBelow = (values: readonly number[], gamma: number) => share(values.map((value) => value < gamma));

/** Evenly many of the candidates, each with the first of its classes. */
function someOf(candidates: readonly CandidateChannel[]): {channel: number; classes: number[]}[] {
  const every = Math.max(1, Math.ceil(candidates.length / CHANNELS));
  return candidates
    .filter((_, n) => n % every === 0)
    .map(({channel, classes}) => ({channel, classes: classes.slice(0, CLASSES)}));
}

function halvesOf(vectors: ClassVectors, k: number): [Float64Array, Float64Array] | undefined {
  const [a, b] = [vectors.vector(k, 0), vectors.vector(k, 1)];
  return a && b ? [a, b] : undefined;
}

/** The vector of a half of a class whose images were drawn from all classes at random. */
function dealt(
  classes: readonly (readonly [Float64Array, Float64Array])[],
  images: number,
  random: Random,
): Float64Array {
  const draw = () => random.integer(0, classes.length - 1);
  const vector = new Float64Array(classes[0][0].length);
  for (let n = 0; n < images; n++) {
    const [a, b] = classes[draw()];
    for (let i = 0; i < vector.length; i++) vector[i] += (a[i] + b[i]) / (2 * images);
  }
  // Half the difference of two halves has the variance of the mean of a half, divided by 2: that of a half is √2 times as wide.
  const [a, b] = classes[draw()];
  const sign = random.pick([1, -1]);
  for (let i = 0; i < vector.length; i++) vector[i] += (sign * (a[i] - b[i])) / Math.SQRT2;
  return vector;
}

function sum([a, b]: readonly Float64Array[]): Float64Array {
  return a.map((value, i) => value + b[i]);
}

const length = (a: Float64Array) => Math.sqrt(dot(a, a));

const share = (calls: readonly boolean[]) => (calls.length > 0 ? calls.filter(Boolean).length / calls.length : NaN);
