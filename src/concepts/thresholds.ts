import {numberText, percentText} from '../common/numbers';
import {readable} from '../common/readable';
import {counted} from '../common/words';
import {classesWithImages, type RelevanceStatistics} from '../numerics/statistics';
import {isOneSided, mostAgreed, type Cut} from './agreedCut';
import {falseCalls, permutedCosines, shareBelow, type FalseCalls} from './falseCalls';
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

/** Pairs from which on their cosines say where to cut. */
const FEW = 20;

const USUAL = {p: 0.75, gamma: 0.5};

/** Share of classes with their images dealt at random that γ may call different, and the steps in which a γ within it is looked for. */
const MOST_BY_CHANCE = 0.05;
const STEP = 0.01;

/**
 * Thresholds for this network, from its own statistics. τ: twice an equal share of the relevance, but no less than what the statistics
 * keep. p: the paper's. γ: 0.5, at which gated vectors find what is different on networks whose channels' meanings are known
 * (test/bench/README.md), as long as it has decided pairs on either side. Where it has not, as on networks of few classes, each of which is a
 * large part of the mean that is subtracted from it: the cut between two neighbouring cosines from 0.1 to 0.7 on which the two halves of
 * the images agree best beyond chance (Cohen 1960), if they do so substantially. With fewer than 20 pairs, or published vectors, whose
 * cosines lie close together, 0.5. Where more than 5 % of classes with their images dealt at random would be called different at that γ:
 * the largest below it, in steps of 0.01, at which no more are, as long as it has decided pairs below it; else γ stays, and its reason says so.
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
  const below = cosines.filter((value) => value < USUAL.gamma).length;
  const oneSided = isOneSided(below, cosines.length);
  const many = arv === 'gated' && cosines.length >= FEW;
  const cut = many && oneSided ? mostAgreed(halves.pairs) : undefined;
  const chance = permutedCosines(stats, all.candidates, arv);
  const {gamma, lowered, caution = ''} = withinChance(cut?.gamma ?? USUAL.gamma, chance, cosines);
  const found: Omit<SuggestedThresholds, 'toString'> = {
    kind: 'suggested thresholds',
    tau,
    p,
    gamma,
    arv,
    reasons: {
      tau: options.tau === undefined ? `twice an equal share of ${outputs} channels` : 'as given',
      p: options.p === undefined ? `three of four images of a class` : 'as given',
      gamma: lowered ?? gammaReason({cut, many, oneSided, below, pairs: cosines.length}, arv) + caution,
    },
    pairs: cosines.length + all.undecided.length,
    undecided: all.undecided.length,
    called: cosines.length > 0 ? cosines.filter((value) => value < gamma).length / cosines.length : NaN,
    stability: stability(gamma),
    selfCalled:
      halves.selves.length > 0 ? halves.selves.filter((value) => value < gamma).length / halves.selves.length : NaN,
    falseCalls: falseCalls(stats, all.candidates, {gamma, arv, chance}),
    calls: halves.pairs,
    classNames: [...stats.classNames],
  };
  return readable(found as SuggestedThresholds, (one) => describe(one, classesWithImages(stats).length));
}

/** γ, or a smaller one at which chance calls few pairs different and why it was taken, or what is to be said where there is none. */
function withinChance(
  gamma: number,
  chance: readonly number[],
  cosines: ArrayLike<number>,
): {gamma: number; lowered?: string; caution?: string} {
  const rate = (at: number) => shareBelow(chance, at);
  if (!(rate(gamma) > MOST_BY_CHANCE)) return {gamma};
  const dealt = 'of classes with their images dealt at random different';
  for (let steps = Math.ceil(gamma / STEP) - 1; steps > 0; steps--) {
    const lower = Number((steps * STEP).toFixed(2));
    if (rate(lower) > MOST_BY_CHANCE) continue;
    if (!Array.from(cosines).some((value) => value < lower)) break;
    const lowered = `the largest that would call at most ${percentText(MOST_BY_CHANCE)} ${dealt}; ${numberText(gamma)} would call ${percentText(rate(gamma), 1)}`;
    return {gamma: lower, lowered};
  }
  const caution = `; but it would call ${percentText(rate(gamma), 1)} ${dealt}, and so would every lower one that calls anything: give more images of each class`;
  return {gamma, caution};
}

/** Why γ is where it is, in words. */
function gammaReason(
  {cut, many, oneSided, below, pairs}: {cut?: Cut; many: boolean; oneSided: boolean; below: number; pairs: number},
  arv: VectorKind,
): string {
  if (arv === 'published') return "the paper's; published vectors lie too close together to say more";
  if (!many)
    return `the usual one; ${counted(pairs, 'decided pair')} ${pairs === 1 ? 'is' : 'are'} too few to say more`;
  const usual = numberText(USUAL.gamma);
  if (!oneSided)
    return `the usual one, confirmed on networks with known meanings; here ${below} of ${pairs} decided pairs are below it`;
  const nothing = `${usual} has ${below} of ${pairs} decided pairs below it, which tells nothing apart`;
  return cut
    ? `${nothing}; here the halves of the images agree best on which pairs differ (κ = ${numberText(cut.kappa)})`
    : `the usual one, though ${nothing}: there is no other on which the halves of the images agree`;
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
