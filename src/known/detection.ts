import {classVectors, LEAST_AGREEMENT} from '../concepts/relate';
import {relevantClasses} from '../concepts/find';
import type {VectorKind} from '../concepts/types';
import {emptyGates, GATES, gatedEntry, saveGates} from '../numerics/gatedSums';
import {auroc} from '../numerics/ranking';
import type {RelevanceStatistics} from '../numerics/statistics';
import {POSITIONS, type KnownActivations} from './activations';
import type {Meanings} from './meanings';
import {knownPairs, sharedParts, type KnownPair} from './parts';

/** A pair of classes whose truth is known, and what its vectors say. */
export interface DetectedPair extends KnownPair {
  cosine: number;
  /** The lower agreement of the two classes with themselves between halves. */
  agreement: number;
  /** The cosine in either half of the images; NaN where a half has none. */
  halves: [number, number];
  /** Whether τ and p let the channel through for both. */
  relevant: boolean;
  /** Whether measuring confirms what the channel was taught of the parts of both classes. */
  confirmed: boolean;
}

/** Rates of one definition on one network; NaN where there are no such pairs. */
export interface DetectionScores {
  vectors: VectorKind;
  pairs: {different: number; same: number};
  /** Of all pairs, whether they can be decided or not; of those that can; and of those that τ and p let through. */
  auroc: number;
  decidedAuroc: number;
  relevantAuroc: number;
  /** At γ = 0.5: of all pairs, of those that τ and p let through, and of those for which measuring confirms what was taught. */
  usual: CallRates;
  relevant: CallRates;
  confirmed: CallRates;
  /** At the γ that `suggestThresholds` gives, and what it estimates that permuted labels would have called there. */
  suggested: CallRates & {gamma: number; estimate: number};
  /** Share of the decided pairs for which both halves of the images decide alike at γ = 0.5. */
  halves: number;
  /** −lowest cosine of a channel's decided pairs: channels of several parts against those of one. */
  channelAuroc: number;
}

export interface CallRates {
  /** Shares of different and same pairs, and of pairs with permuted labels, that are called different. */
  found: number;
  false: number;
  permuted: number;
  /** Share of different pairs that are left undecided. */
  undecided: number;
}

const USUAL_GAMMA = 0.5;

/** @param doubted parts of which measuring does not confirm what each channel was taught */
export function detectedPairs(
  stats: RelevanceStatistics,
  {parts, unclear}: Meanings,
  kind: VectorKind,
  thresholds: {tau: number; p: number},
  doubted: readonly (readonly number[])[] = [],
): DetectedPair[] {
  const relevant = relevantClasses(stats, thresholds);
  const vectors = new Map(parts.flatMap((meaning, c) => (meaning ? [[c, classVectors(stats, c, kind)] as const] : [])));
  return knownPairs(parts, unclear).flatMap((pair): DetectedPair[] => {
    const own = vectors.get(pair.channel)!;
    const cosine = own.cosine(...pair.classes);
    if (Number.isNaN(cosine)) return [];
    const agreement = Math.min(...pair.classes.map((k) => own.agreement(k)));
    return [
      {
        ...pair,
        cosine,
        agreement,
        halves: [own.cosine(...pair.classes, [0, 0]), own.cosine(...pair.classes, [1, 1])],
        relevant: pair.classes.every((k) => relevant[pair.channel].includes(k)),
        confirmed: pair.classes.every((k) => sharedParts(doubted[pair.channel] ?? [], k).length === 0),
      },
    ];
  });
}

export function detectionScores(
  pairs: readonly DetectedPair[],
  permuted: readonly DetectedPair[],
  kind: VectorKind,
  {parts}: Meanings,
  {gamma, estimate}: {gamma: number; estimate: number},
): DetectionScores {
  const of = (truth: KnownPair['truth'], list = pairs) => list.filter((pair) => pair.truth === truth);
  const separated = (list: readonly DetectedPair[]) =>
    auroc(
      of('different', list).map(({cosine}) => -cosine),
      of('same', list).map(({cosine}) => -cosine),
    );
  const sure = ({agreement}: DetectedPair) => kind === 'published' || agreement > LEAST_AGREEMENT;
  const called = (list: readonly DetectedPair[], at: number) =>
    list.length > 0 ? list.filter((pair) => sure(pair) && pair.cosine < at).length / list.length : NaN;
  const rates = (at: number, keep: (pair: DetectedPair) => boolean = () => true): CallRates => {
    const [different, same] = [of('different').filter(keep), of('same').filter(keep)];
    return {
      found: called(different, at),
      false: called(same, at),
      permuted: called(permuted.filter(keep), at),
      undecided: different.filter((pair) => !sure(pair)).length / Math.max(different.length, 1),
    };
  };
  const compared = pairs.filter((pair) => sure(pair) && !pair.halves.some(Number.isNaN));
  const alike = compared.filter(({halves: [a, b]}) => a < USUAL_GAMMA === b < USUAL_GAMMA);
  const lowest = (several: boolean) =>
    parts.flatMap((meaning, channel) => {
      if (!meaning || meaning.length > 1 !== several) return [];
      const own = pairs.filter((pair) => pair.channel === channel);
      // A channel without a decided pair is not called.
      return own.length > 0 ? [-Math.min(1, ...own.filter(sure).map(({cosine}) => cosine))] : [];
    });
  return {
    vectors: kind,
    pairs: {different: of('different').length, same: of('same').length},
    auroc: separated(pairs),
    decidedAuroc: separated(pairs.filter(sure)),
    relevantAuroc: separated(pairs.filter(({relevant}) => relevant)),
    usual: rates(USUAL_GAMMA),
    relevant: rates(USUAL_GAMMA, (pair) => pair.relevant),
    confirmed: rates(USUAL_GAMMA, (pair) => pair.confirmed),
    suggested: {...rates(gamma), gamma, estimate},
    halves: compared.length > 0 ? alike.length / compared.length : NaN,
    channelAuroc: auroc(lowest(true), lowest(false)),
  };
}

/** The statistics with the gated sums that other labels give: what chance looks like. */
export function relabelled(
  stats: RelevanceStatistics,
  activations: KnownActivations,
  labels: ArrayLike<number>,
): RelevanceStatistics {
  const {inputs, outputs, kernel, channels} = activations;
  const [I, C] = [channels.inputs, channels.outputs];
  const gates = emptyGates();
  for (let n = 0; n < labels.length; n++) {
    for (let c = 0; c < C; c++) {
      for (let p = 0; p < POSITIONS; p++) {
        const activity = outputs[(n * POSITIONS + p) * C + c];
        if (!(activity > 0)) continue;
        const entry = gatedEntry(gates, c, labels[n], {classes: stats.classes, inputs: I})!;
        const half = n % 2;
        entry.activity[half] += activity;
        const row = (n * POSITIONS + p) * I;
        for (let i = 0; i < I; i++) entry.sums[half * I + i] += activity * kernel[i * C + c] * inputs[row + i];
      }
    }
  }
  return {...stats, collected: {...stats.collected, [GATES]: saveGates(gates, I)}};
}
