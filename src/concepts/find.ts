import {agnes} from 'ml-hclust';
import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import {
  averagedRelevanceVector,
  checkClass,
  classCount,
  warningsOf,
  type RelevanceStatistics,
} from '../numerics/statistics';
import {cosine} from '../numerics/vectors';
import {describeChannels} from './describe';
import type {
  CandidateChannel,
  ClassPair,
  Concept,
  FindOptions,
  PolysemanticChannel,
  PolysemanticChannels,
} from './types';
import {readable} from '../common/readable';

/**
 * Fraction of a class's images for which a channel is important, [Cout, K]: s_c ≥ τ (Hesse et al. 2025, section 3.1). All images
 * of the class count, whether the network recognises them or not.
 * @throws InputError for a τ below the floor of the statistics
 */
export function importance(stats: RelevanceStatistics, tau: number): Float64Array {
  checkArgument('statistics', stats, 'shares', 'collectRelevance(…) or loadStatistics(…)');
  const {floor, offsets, channels, values} = stats.shares;
  if (!(tau > 0 && tau <= 1))
    throw new InputError(`invalid tau: ${tau}; give a share above 0 and up to 1, such as 0.03`);
  if (tau < floor) {
    throw new InputError(
      `tau ${tau} is below the smallest share that the statistics keep (${floor}); give a larger tau, or collect with a smaller floor`,
    );
  }
  const fractions = new Float64Array(stats.layer.shape[3] * stats.classes);
  for (let image = 0; image + 1 < offsets.length; image++) {
    const k = stats.images.labels[image];
    for (let entry = offsets[image]; entry < offsets[image + 1]; entry++) {
      // Shares are kept in float32, which must not decide a share that equals τ.
      if (values[entry] >= Math.fround(tau)) fractions[channels[entry] * stats.classes + k] += 1;
    }
  }
  for (let at = 0; at < fractions.length; at++) fractions[at] /= Math.max(classCount(stats, at % stats.classes), 1);
  return fractions;
}

/** Classes that each channel is relevant to: important for at least a fraction p of their images. */
export function relevantClasses(stats: RelevanceStatistics, {tau, p}: {tau: number; p: number}): number[][] {
  if (!(p > 0 && p <= 1)) throw new InputError(`invalid p: ${p}; give a fraction above 0 and up to 1, such as 0.75`);
  const fractions = importance(stats, tau);
  return Array.from({length: stats.layer.shape[3]}, (_, c) =>
    Array.from({length: stats.classes}, (_unused, k) => k).filter((k) => fractions[c * stats.classes + k] >= p - 1e-12),
  );
}

/**
 * Channels that are relevant to several classes whose averaged relevance vectors point in different directions: γ-polysemantic
 * channels (Hesse et al. 2025, section 3.2; negative cosines count). Takes milliseconds, since no image is needed.
 * @throws InputError for a threshold out of range
 */
export function findPolysemantic(stats: RelevanceStatistics, options: FindOptions = {}): PolysemanticChannels {
  const {tau = 0.03, p = 0.75, gamma = 0.5, allPairs = false} = options;
  if (!(gamma >= -1 && gamma <= 1))
    throw new InputError(`invalid gamma: ${gamma}; give a cosine from −1 to 1, such as 0.5`);
  const candidates: CandidateChannel[] = [];
  const channels: PolysemanticChannel[] = [];
  const cosines: number[] = [];
  relevantClasses(stats, {tau, p}).forEach((classes, channel) => {
    if (classes.length < 2) return;
    const {arvs, pairs} = classPairs(stats, channel, classes);
    for (const pair of pairs) cosines.push(pair.cosine);
    const lowestCosine = pairs.length > 0 ? pairs[0].cosine : NaN;
    candidates.push({channel, classes, lowestCosine});
    const reported = allPairs ? pairs : pairs.filter((pair) => pair.cosine < gamma);
    if (reported.length === 0) return;
    const concepts = clusterClasses(arvs, classes, gamma).map((members) => makeConcept(stats, channel, members));
    channels.push({channel, classes, concepts, pairs: reported, lowestCosine});
  });
  channels.sort((a, b) => a.lowestCosine - b.lowestCosine || a.channel - b.channel);
  const outputs = stats.layer.shape[3];
  const warnings = warningsOf(stats);
  if (tau < 2 / outputs) {
    warnings.push(
      `tau ${tau} is small for ${outputs} channels: many will count as relevant; 2 / ${outputs} = ${(2 / outputs).toFixed(4)} is twice an equal share`,
    );
  }
  const pairs = channels.flatMap((channel) => channel.pairs).sort(byCosine);
  const found: Omit<PolysemanticChannels, keyof ReadonlyArray<PolysemanticChannel> | 'stats' | 'toString'> = {
    kind: 'polysemantic channels',
    layer: stats.layer.name,
    modelHash: stats.model.hash,
    thresholds: {tau, p, gamma, allPairs},
    candidates,
    pairs,
    cosines: Float64Array.from(cosines).sort(),
    warnings,
  };
  const result = Object.defineProperty(Object.assign(channels, found), 'stats', {value: stats, enumerable: false});
  return readable(result as unknown as PolysemanticChannels, describeChannels);
}

function byCosine(a: ClassPair, b: ClassPair): number {
  return a.cosine - b.cosine || a.channel - b.channel || a.classes[0] - b.classes[0] || a.classes[1] - b.classes[1];
}

/** ARVs of a channel's classes and the cosines of all their pairs, ascending; a pair with a zero ARV has none and is left out. */
export function classPairs(
  stats: RelevanceStatistics,
  channel: number,
  classes: readonly number[],
): {arvs: Float64Array[]; pairs: ClassPair[]} {
  const arvs = classes.map((k) => averagedRelevanceVector(stats, channel, [k]));
  const pairs: ClassPair[] = [];
  for (let i = 0; i < classes.length; i++) {
    for (let j = i + 1; j < classes.length; j++) {
      const value = cosine(arvs[i], arvs[j]);
      if (!Number.isNaN(value)) pairs.push({channel, classes: [classes[i], classes[j]], cosine: value});
    }
  }
  return {arvs, pairs: pairs.sort(byCosine)};
}

/**
 * Groups classes whose ARVs point the same way: complete linkage on 1 − cosine, cut at 1 − γ, so that every two classes of a group
 * have a cosine of at least γ. Where all agree, the two groups that differ most.
 * @returns groups of classes, each ascending, the group with the smallest class first
 */
function clusterClasses(arvs: Float64Array[], classes: readonly number[], gamma: number): number[][] {
  const distances = arvs.map((a, i) =>
    arvs.map((b, j) => {
      const similarity = cosine(a, b);
      // An ARV of zeros agrees with nothing.
      return i === j ? 0 : 1 - (Number.isNaN(similarity) ? -1 : similarity);
    }),
  );
  const tree = agnes(distances, {method: 'complete', isDistanceMatrix: true});
  let groups = tree.cut(Math.max(1 - gamma, 0));
  if (groups.length < 2) groups = tree.group(2).children;
  return groups
    .map((group) =>
      group
        .indices()
        .map((index) => classes[index])
        .sort((a, b) => a - b),
    )
    .sort((a, b) => a[0] - b[0]);
}

/**
 * A concept of one's own choosing.
 * @throws InputError for classes that are out of range or have no images
 */
export function makeConcept(stats: RelevanceStatistics, channel: number, classes: readonly number[]): Concept {
  if (classes.length === 0) throw new InputError('a concept needs at least one class');
  classes.forEach((k) => checkClass(stats, k));
  const sorted = [...new Set(classes)].sort((a, b) => a - b);
  return {
    classes: sorted,
    classNames: sorted.map((k) => stats.classNames[k]),
    arv: averagedRelevanceVector(stats, channel, sorted),
  };
}
