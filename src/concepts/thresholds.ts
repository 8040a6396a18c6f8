import {numberText, percentText} from '../common/numbers';
import {readable} from '../common/readable';
import {classesWithImages, type RelevanceStatistics} from '../numerics/statistics';
import {falseCalls, type FalseCalls} from './falseCalls';
import {findPolysemantic} from './find';
import {classVectors, LEAST_AGREEMENT, vectorKind} from './relate';
import type {PolysemanticChannels, VectorKind} from './types';

/** τ, p and γ for one network, each with its reason. */
export interface SuggestedThresholds {
  readonly kind: 'suggested thresholds';
  tau: number;
  p: number;
  gamma: number;
  arv: VectorKind;
  reasons: {tau: string; p: string; gamma: string};
  /** Pairs that were compared, and those that could not be decided. */
  pairs: number;
  undecided: number;
  /** Share of the pairs that γ calls different. */
  called: number;
  /** Share of the decided pairs for which both halves of the images decide alike. */
  stability: number;
  /** Share of classes that γ would call different from themselves, one half of their images against the other. */
  selfCalled: number;
  /** What γ calls different where there is nothing to find. */
  falseCalls: FalseCalls;
  /** Each decided pair that both halves of the images can compare: its cosine, and that of either half. */
  calls: {channel: number; classes: [number, number]; cosine: number; halves: [number, number]}[];
  classNames: string[];
  toString(): string;
}

/** γ is looked for between these: beyond them one of the two groups would be hardly there. */
const LOWEST = 0.1;
const HIGHEST = 0.7;

/** Pairs from which on their cosines say where to cut. */
const FEW = 20;

const USUAL = {p: 0.75, gamma: 0.5};

/**
 * Thresholds for this network, from its own statistics. τ: twice an equal share of the relevance, but no less than what the statistics
 * keep. p: the paper's. γ: where the cosines of the decided pairs fall apart into two groups, by the cut that leaves the least variance
 * within them (Otsu 1979), between 0.1 and 0.7, unless the two halves of the images decide by it less alike than by 0.5; with fewer than
 * 20 pairs, or published vectors, whose cosines lie close together, 0.5.
 */
export function suggestThresholds(
  stats: RelevanceStatistics,
  options: {arv?: VectorKind; tau?: number; p?: number} = {},
): SuggestedThresholds {
  const outputs = stats.layer.shape[3];
  const arv = vectorKind(stats, options.arv);
  const tau = options.tau ?? Math.max(2 / outputs, stats.shares.floor);
  const p = options.p ?? USUAL.p;
  const all = findPolysemantic(stats, {tau, p, arv, allPairs: true});
  const {cosines} = all;
  const halves = halvesOf(all, stats, arv);
  const stability = (at: number) =>
    halves.pairs.length > 0
      ? halves.pairs.filter(({halves: [a, b]}) => a < at === b < at).length / halves.pairs.length
      : NaN;
  const apart = arv === 'gated' && cosines.length >= FEW ? round(otsu(cosines, LOWEST, HIGHEST)) : undefined;
  const cut = apart !== undefined && !(stability(apart) < stability(USUAL.gamma)) ? apart : undefined;
  const gamma = cut ?? USUAL.gamma;
  const found: Omit<SuggestedThresholds, 'toString'> = {
    kind: 'suggested thresholds',
    tau,
    p,
    gamma,
    arv,
    reasons: {
      tau: options.tau === undefined ? `twice an equal share of ${outputs} channels` : 'as given',
      p: options.p === undefined ? `three of four images of a class` : 'as given',
      gamma:
        cut !== undefined
          ? `where the cosines of ${cosines.length} decided pairs fall apart into two groups`
          : arv === 'published'
            ? "the paper's; published vectors lie too close together to say more"
            : apart === undefined
              ? `the usual one; ${cosines.length} decided pairs are too few to say more`
              : `the usual one; the cosines of ${cosines.length} decided pairs would fall apart at ${apart}, but the halves of the images decide less alike there`,
    },
    pairs: cosines.length + all.undecided.length,
    undecided: all.undecided.length,
    called: cosines.length > 0 ? cosines.filter((value) => value < gamma).length / cosines.length : NaN,
    stability: stability(gamma),
    selfCalled:
      halves.selves.length > 0 ? halves.selves.filter((value) => value < gamma).length / halves.selves.length : NaN,
    falseCalls: falseCalls(stats, all.candidates, {gamma, arv}),
    calls: halves.pairs,
    classNames: [...stats.classNames],
  };
  return readable(found as SuggestedThresholds, (one) => describe(one, classesWithImages(stats).length));
}

/** Cosines of each decided pair in either half, and of each class with itself between the halves. */
function halvesOf(
  {candidates, pairs}: PolysemanticChannels,
  stats: RelevanceStatistics,
  arv: VectorKind,
): {pairs: SuggestedThresholds['calls']; selves: number[]} {
  const found: {pairs: SuggestedThresholds['calls']; selves: number[]} = {pairs: [], selves: []};
  for (const {channel, classes} of candidates) {
    const vectors = classVectors(stats, channel, arv);
    for (const k of classes) {
      const agreement = vectors.agreement(k);
      if (arv === 'published' ? !Number.isNaN(agreement) : agreement > LEAST_AGREEMENT) found.selves.push(agreement);
    }
    for (const pair of pairs) {
      if (pair.channel !== channel || pair.decision === 'undecided') continue;
      const [a, b] = ([0, 1] as const).map((half) => vectors.cosine(...pair.classes, [half, half]));
      if (!Number.isNaN(a) && !Number.isNaN(b))
        found.pairs.push({channel, classes: pair.classes, cosine: pair.cosine, halves: [a, b]});
    }
  }
  return found;
}

const round = (value: number) => Math.round(100 * value) / 100;

/** The cut of ascending values that leaves the least variance within the two groups, its value within the bounds. */
function otsu(values: Float64Array, low: number, high: number): number {
  let [best, gamma] = [-1, NaN];
  const total = values.reduce((sum, value) => sum + value, 0);
  let below = 0;
  for (let n = 1; n < values.length; n++) {
    below += values[n - 1];
    const at = (values[n - 1] + values[n]) / 2;
    const between = n * (values.length - n) * (below / n - (total - below) / (values.length - n)) ** 2;
    if (between > best) [best, gamma] = [between, at];
  }
  return Math.min(high, Math.max(low, gamma));
}

function describe(found: SuggestedThresholds, classes: number): string {
  const percent = (share: number) => percentText(share);
  const {tau, p, gamma, reasons} = found;
  return [
    `suggested thresholds (${found.arv} vectors, ${classes} classes)`,
    `  τ = ${numberText(tau)}: ${reasons.tau}`,
    `  p ${p}: ${reasons.p}`,
    `  γ ${gamma}: ${reasons.gamma}`,
    `  at them ${percent(found.called)} of the decided pairs are called different; ${found.undecided} of ${found.pairs} are undecided`,
    `  the halves of the images decide ${percent(found.stability)} of them alike; against itself, ${percent(found.selfCalled)} of the classes would be called different`,
    `  where there is nothing to find it would call different: ${percent(found.falseCalls.permuted)} of classes with their images dealt at random, ${percent(found.falseCalls.merges)} of merges of the same two classes`,
  ].join('\n');
}
