import {everyPairBelow} from './everyPairBelow';
import {smallTau} from './smallTau';
import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import {
  averagedRelevanceVector,
  checkChannel,
  checkClass,
  classCount,
  warningsOf,
  type RelevanceStatistics,
} from '../numerics/statistics';
import {describeChannel, describeChannels} from './describe';
import {groupClasses} from './group';
import {classIndex} from './names';
import {
  byCosine,
  byLowestCosine,
  classVectors,
  isComparable,
  relatedPairs,
  vectorKind,
  type ClassVectors,
} from './relate';
import type {
  CandidateChannel,
  ClassPair,
  Concept,
  FindOptions,
  PolysemanticChannel,
  PolysemanticChannels,
} from './types';
import {readable} from '../common/readable';
import {counted} from '../common/words';
import {requireGates} from '../numerics/gated';
import {countsAtLeast, shareIndex} from '../numerics/shareIndex';

/**
 * Fraction of a class's images for which a channel is important, [Cout, K]: s_c ≥ τ (Hesse et al. 2025, section 3.1). All images
 * of the class count, whether the network recognises them or not.
 * @throws InputError for a τ below the floor of the statistics
 */
export function importance(stats: RelevanceStatistics, tau: number): Float64Array {
  checkArgument('statistics', stats, 'shares', 'collectRelevance(…) or loadStatistics(…)');
  const {floor} = stats.shares;
  if (!(tau > 0 && tau <= 1))
    throw new InputError(`invalid tau: ${tau}; give a share above 0 and up to 1, such as 0.03`);
  if (tau < floor) {
    throw new InputError(
      `tau ${tau} is below the smallest share that the statistics keep (${floor}); give a larger tau, or collect with a smaller floor`,
    );
  }
  const ofClass = Float64Array.from({length: stats.classes}, (_, k) => Math.max(classCount(stats, k), 1));
  const counts = countsAtLeast(shareIndex(stats), tau);
  const fractions = new Float64Array(counts.length);
  for (let at = 0; at < counts.length; at++)
    if (counts[at] > 0) fractions[at] = counts[at] / ofClass[at % stats.classes];
  return fractions;
}

/** Classes that each channel is relevant to: important for at least a fraction p of their images. */
export function relevantClasses(stats: RelevanceStatistics, {tau, p}: {tau: number; p: number}): number[][] {
  if (!(p > 0 && p <= 1)) throw new InputError(`invalid p: ${p}; give a fraction above 0 and up to 1, such as 0.75`);
  const fractions = importance(stats, tau);
  const relevant = Array.from({length: stats.layer.shape[3]}, (): number[] => []);
  for (let at = 0; at < fractions.length; at++)
    if (fractions[at] >= p - 1e-12) relevant[Math.floor(at / stats.classes)].push(at % stats.classes);
  return relevant;
}

/**
 * Channels that are relevant to several classes whose vectors point in different directions: γ-polysemantic channels (Hesse et al. 2025,
 * section 3.2; negative cosines count). Takes milliseconds, since no image is needed.
 *
 * Gated vectors are compared where the statistics hold them: on networks whose channels were trained to mean one part or several, the
 * published vectors find nothing at γ = 0.5 and the gated ones most of what there is (test/bench/README.md). Their pairs have a third
 * answer, undecided, where a class does not agree with itself between the halves of its images.
 * @throws InputError for a threshold out of range, or `arv: 'gated'` with statistics without gated sums
 */
export function findPolysemantic(stats: RelevanceStatistics, options: FindOptions = {}): PolysemanticChannels {
  const {tau = 0.03, p = 0.75, gamma = 0.5, allPairs = false} = options;
  if (!(gamma >= -1 && gamma <= 1))
    throw new InputError(`invalid gamma: ${gamma}; give a cosine from −1 to 1, such as 0.5`);
  if (options.arv !== undefined && options.arv !== 'gated' && options.arv !== 'published')
    throw new InputError(`invalid arv: ${JSON.stringify(options.arv)}; give 'gated' or 'published'`);
  const relevant = relevantClasses(stats, {tau, p});
  const kind = vectorKind(stats, options.arv);
  const candidates: CandidateChannel[] = [];
  const channels: PolysemanticChannel[] = [];
  const cosines: number[] = [];
  const undecidedPairs: ClassPair[] = [];
  relevant.forEach((classes, channel) => {
    if (classes.length < 2) return;
    const vectors = classVectors(stats, channel, kind);
    const pairs = relatedPairs(vectors, channel, classes, gamma);
    const decided = pairs.filter(({decision}) => decision !== 'undecided');
    for (const pair of decided) cosines.push(pair.cosine);
    undecidedPairs.push(...pairs.filter(({decision}) => decision === 'undecided'));
    const lowestCosine = decided.length > 0 ? decided[0].cosine : NaN;
    candidates.push({channel, classes, lowestCosine});
    const reported = allPairs ? pairs : pairs.filter(({decision}) => decision === 'different');
    if (reported.length === 0) return;
    const sure = classes.filter((k) => isComparable(vectors, k));
    const undecided = classes.filter((k) => !sure.includes(k));
    const concepts = groupedConcepts(stats, channel, vectors, sure, {gamma});
    channels.push({channel, classes, concepts, undecided, pairs: reported, lowestCosine});
  });
  channels.sort(byLowestCosine);
  const outputs = stats.layer.shape[3];
  const warnings = [...warningsOf(stats), ...smallTau(tau, outputs), ...everyPairBelow(cosines, gamma)];
  const dropped = kind === 'gated' ? requireGates(stats).dropped : 0;
  if (dropped > 0) {
    warnings.push(
      `${counted(dropped, 'gated sum')} found no room in memory and ${dropped === 1 ? 'is' : 'are'} left out, so that some classes cannot be compared; collect with a larger floor`,
    );
  }
  const pairs = channels.flatMap((channel) => channel.pairs).sort(byCosine);
  const found: Omit<PolysemanticChannels, keyof ReadonlyArray<PolysemanticChannel> | 'stats' | 'toString' | 'byName'> =
    {
      kind: 'polysemantic channels',
      layer: stats.layer.name,
      modelHash: stats.model.hash,
      thresholds: {tau, p, gamma, allPairs, arv: kind},
      candidates,
      pairs,
      cosines: Float64Array.from(cosines).sort(),
      undecided: undecidedPairs.sort(byCosine),
      warnings,
    };
  const byName = (name: string) => {
    const k = classIndex(stats, name);
    const named = channels.filter(({concepts}) => concepts.some(({classes}) => classes.includes(k)));
    return readable(named, (list) => list.map(describeChannel).join('\n') || `no channel with ${name}`);
  };
  for (const channel of channels) readable(channel, describeChannel);
  const result = Object.defineProperties(Object.assign(channels, found), {
    stats: {value: stats, enumerable: false},
    byName: {value: byName, enumerable: false},
  });
  return readable(result as unknown as PolysemanticChannels, describeChannels);
}

function groupedConcepts(
  stats: RelevanceStatistics,
  channel: number,
  vectors: ClassVectors,
  classes: readonly number[],
  options: {gamma: number; count?: number},
): Concept[] {
  const {groups, confidence} =
    classes.length >= 2
      ? groupClasses(vectors, classes, options)
      : {groups: classes.map((k) => [k]), confidence: [NaN]};
  return groups.map((members, j) => ({...makeConcept(stats, channel, members), confidence: confidence[j]}));
}

/**
 * All classes that a channel is relevant to, grouped into a given number of concepts.
 * @param options.count number of concepts. @default what γ and the halves say
 * @throws InputError for a channel that is relevant to fewer than two classes, or a count above the number of its classes
 */
export function channelConcepts(
  stats: RelevanceStatistics,
  channel: number,
  {count, tau = 0.03, p = 0.75, gamma = 0.5, arv}: Omit<FindOptions, 'allPairs'> & {count?: number} = {},
): Concept[] {
  checkChannel(stats, channel);
  const vectors = classVectors(stats, channel, vectorKind(stats, arv));
  const classes = relevantClasses(stats, {tau, p})[channel].filter((k) => isComparable(vectors, k));
  if (classes.length < 2) {
    throw new InputError(
      `channel ${channel} has ${classes.length === 0 ? 'no class' : '1 class'} that it is relevant to and that can be compared (τ ${tau}, p ${p}); give a smaller tau or p, or another channel`,
    );
  }
  return groupedConcepts(stats, channel, vectors, classes, {gamma, count});
}

/**
 * A concept of one's own choosing.
 * @param classes class indices, or names of classes
 * @throws InputError for classes that are out of range, unknown or have no images
 */
export function makeConcept(
  stats: RelevanceStatistics,
  channel: number,
  classes: readonly (number | string)[],
): Concept {
  if (classes.length === 0) throw new InputError('a concept needs at least one class');
  const indices = classes.map((k) => (typeof k === 'string' ? classIndex(stats, k) : k));
  indices.forEach((k) => checkClass(stats, k));
  const sorted = [...new Set(indices)].sort((a, b) => a - b);
  return {
    classes: sorted,
    classNames: sorted.map((k) => stats.classNames[k]),
    arv: averagedRelevanceVector(stats, channel, sorted),
  };
}
