import {option} from '../common/options';
import {ensureBackend} from '../engine';
import {withInterrupt} from '../engine/interrupt';
import type {LabelledImages, PresetOption} from '../images/types';
import {makeConcept} from '../concepts/find';
import {classIndex} from '../concepts/names';
import {usualTau} from '../concepts/smallTau';
import type {Concept, PolysemanticChannel} from '../concepts/types';
import {firing} from '../network/firing';
import {channelKernel, linearLayer, type LinearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';
import {checkArgument} from '../common/argument';
import {InputError, InterruptError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import {checkChannel, zeroInputShare, type RelevanceStatistics} from '../numerics/statistics';
import {numberText} from '../common/numbers';
import {counted, namedClasses} from '../common/words';
import {countsAtLeast, shareIndex} from '../numerics/shareIndex';
import {presetFor} from '../images/presetFor';
import {networkAtLayer} from '../network/networkAtLayer';
import {backgroundMoment} from './background';
import type {DiscoveredConcepts} from './discover';
import {conceptInputs} from './conceptInputs';
import {groupView, type GroupView} from './group';
import {kernelsFromOwnership, kernelsFromParts} from './kernels';
import {conceptImagesHash, FEW_IMAGES, imagesByConcept} from './members';
import {refuseDivided} from './rewrite';
import {defaultRule, RULES_WITH_RHO, splitRule} from './rules';
import {makeSplit} from './split';
import type {Split, SplitProblem, SplitRule} from './types';

/** A channel and the concepts to pull apart: two or more, each of one or more classes. */
export interface SplitTarget {
  channel: number;
  /** Classes of each concept: indices, names, or found concepts. */
  concepts: readonly (number | string | readonly (number | string)[] | Pick<Concept, 'classes'>)[];
}

export interface DisentangleOptions extends LongCallOptions {
  /** Images of the concepts' classes, for `rho: 'auto'` and for rules that look at images. */
  images?: LabelledImages;
  /** ρ of the published rule, above 0 and up to 1; to give one is to ask for that rule. @default 'auto': the best of 0.05, 0.10 … 1.00 */
  rho?: number | 'auto';
  /** How the weights are divided: a name in `SPLIT_RULES` or a rule of one's own. @default see `defaultRule`: 'freeRidge' with images, else 'published' */
  rule?: string | SplitRule;
  /** How pixels become input. @default what the statistics recorded */
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
}

/**
 * Divides a channel by clusters instead of classes, else as below: part j is for the images of cluster j. No statistics are needed; in place of averaged relevance
 * vectors stand the clusters' mean contributions.
 * @param discovered of `discoverConcepts`, of two or more clusters
 * @param options `images`: the list that was looked into, or one that has its images
 */
export async function disentangle(
  model: Model,
  discovered: DiscoveredConcepts,
  options?: DisentangleOptions,
): Promise<Split>;
/**
 * Divides a channel's incoming weights among new channels, one per concept, that add up to the channel again: the network computes the
 * same (Hesse et al. 2025, section 3.3; see `Split` for the formulas).
 *
 * Where a rule goes through the images several times, the layer's inputs are kept in memory if they take at most 1 GB, else computed
 * again each time; images of other classes, which are read once, are never kept.
 * @param target a found channel, or a channel and the classes of each concept
 * @throws InputError for statistics of another model, no channel, one out of range or one that is divided already, fewer than two
 *   concepts, a class without images
 */
export async function disentangle(
  model: Model,
  stats: RelevanceStatistics,
  target: PolysemanticChannel | SplitTarget,
  options?: DisentangleOptions,
): Promise<Split>;
export async function disentangle(
  model: Model,
  from: RelevanceStatistics | DiscoveredConcepts,
  ...rest: [DisentangleOptions?] | [PolysemanticChannel | SplitTarget, DisentangleOptions?]
): Promise<Split> {
  if (from?.kind === 'discovered concepts') return byClusters(model, from, rest[0] as DisentangleOptions | undefined);
  const [target, options = {}] = rest as [PolysemanticChannel | SplitTarget, DisentangleOptions?];
  return byClasses(model, from, target, options);
}

async function byClasses(
  model: Model,
  stats: RelevanceStatistics,
  target: PolysemanticChannel | SplitTarget,
  options: DisentangleOptions,
): Promise<Split> {
  checkStatistics(model, stats);
  checkTarget(target);
  checkChannel(stats, target.channel);
  const concepts = conceptsOf(stats, target);
  return divide(model, options, {
    layerName: stats.layer.name,
    channel: target.channel,
    concepts,
    zeroInputShare: zeroInputShare(stats),
    preset: stats.preset,
    labelsFile: stats.images.labelsFile,
    notes: rarelyRelevant(stats, target.channel, concepts),
  });
}

async function byClusters(
  model: Model,
  discovered: DiscoveredConcepts,
  options: DisentangleOptions = {},
): Promise<Split> {
  const {layer, channel, zeroInputShare: zeros, preset, modelHash, concepts} = discovered;
  checkArgument('model', model, 'graph', 'loadModel(…)');
  if (model.hash !== modelHash && !model.origins.includes(modelHash))
    throw new InputError(`the clusters are of another model than ${model.name}; discover them with this one`);
  if (concepts.length < 2)
    throw new InputError(
      `${counted(concepts.length, 'cluster')} of channel ${channel}; at least two are needed to divide it`,
    );
  return divide(model, options, {
    layerName: layer,
    channel,
    concepts: concepts.map(({contribution, paths}, j) => ({
      classes: [],
      classNames: [`cluster ${j + 1}`],
      arv: contribution,
      images: paths,
    })),
    zeroInputShare: zeros,
    preset,
  });
}

/** What a channel is divided by, wherever it comes from. */
interface Division extends Pick<Split, 'channel' | 'concepts' | 'zeroInputShare' | 'preset' | 'labelsFile' | 'notes'> {
  layerName: string;
}

async function divide(model: Model, options: DisentangleOptions, division: Division): Promise<Split> {
  const {rho = 'auto'} = options;
  const {channel, concepts, layerName, ...recorded} = division;
  if (rho !== 'auto' && typeof options.rule === 'string' && !RULES_WITH_RHO.includes(splitRule(options.rule).name)) {
    throw new InputError(
      `rho ${rho} was given to the rule ${options.rule}, which has none; leave ${option('rho')} out, or give ${option('rule')} one of ${RULES_WITH_RHO.join(', ')}`,
    );
  }
  if (rho !== 'auto' && !(rho > 0 && rho <= 1))
    throw new InputError(`invalid rho: ${rho}; give a number above 0 and up to 1, or 'auto'`);
  const layer = linearLayer(model.graph, layerName);
  refuseDivided(model.graph, layer.name, channel);
  const [kh, kw, inputs] = layer.shape;
  const given = {images: !!options.images, rho: options.rho !== undefined, size: kh * kw * inputs};
  const rule = splitRule(options.rule ?? defaultRule(given));
  const kernel = channelKernel(layer, channel);
  const problem: SplitProblem = {
    layer,
    channel,
    kernel,
    bias: layer.bias?.[channel] ?? 0,
    concepts,
    inputs: undefined,
    ...firesAt(model, layer, channel),
    rho,
  };
  const group = groupView(layer, channel);
  const looks = rule.needsInputs({rho});
  const found = looks
    ? await withImages(model, problem, rule, options, division, group)
    : await rule.solve(group?.narrow(problem) ?? problem);
  const solution = group?.widen(found) ?? found;
  const free = 'kernels' in solution;
  const {parts, residue} = free
    ? kernelsFromParts(kernel, solution.kernels)
    : kernelsFromOwnership(kernel, solution.ownership);
  return makeSplit({
    ...recorded,
    ...(looks && {
      fittedOn: conceptImagesHash(options.images!, imagesByConcept(options.images!, model.classes, concepts)),
    }),
    layer: layer.name,
    channel,
    concepts: concepts.map(({classes, classNames, arv, images}) => ({
      classes,
      classNames,
      arv,
      ...(images && {images}),
    })),
    rule: rule.name,
    rho: free ? undefined : solution.rho,
    ownership: free ? undefined : solution.ownership,
    sources: free ? concepts.map(() => []) : ownSources(solution.ownership),
    kernelShape: [kh, kw, inputs],
    original: kernel,
    bias: problem.bias,
    parts,
    residue,
    before: model,
  });
}

/** The side on which the channel fires, and sign·w·x from which on it does. */
function firesAt(model: Model, {name, bias}: LinearLayer, channel: number): {sign: 1 | -1; fires: number} {
  const {sign, threshold} = firing(model.graph, name);
  const side = sign[channel] < 0 ? -1 : 1;
  return {sign: side, fires: side * (threshold[channel] - (bias?.[channel] ?? 0))};
}

/** Runs a rule on the layer's inputs for the concepts' images. */
async function withImages(
  model: Model,
  problem: SplitProblem,
  rule: SplitRule,
  options: DisentangleOptions,
  recorded: Division,
  group: GroupView | undefined,
) {
  const {images, batchSize = 32} = options;
  if (!images) {
    throw new InputError(
      `the rule ${rule.name} needs images of the concepts' classes; give ${option('images')}${rule.name === 'published' ? `, or a ${option('rho')}` : ''}`,
    );
  }
  await ensureBackend();
  const preset = presetFor(model, images, options.preset, recorded.preset);
  const network = networkAtLayer(model, recorded.layerName);
  try {
    return await withInterrupt(options, async (signal) => {
      const reading = {preset, batchSize, signal, progress: options.progress};
      const inputs = conceptInputs(network, model, images, recorded.concepts, reading);
      const background = () => backgroundMoment(network, model, images, recorded.concepts, reading, group);
      const whole = {...problem, inputs, background};
      try {
        return await rule.solve(group?.narrow(whole) ?? whole);
      } catch (error) {
        if (!signal.aborted) throw error;
        throw new InterruptError(
          `dividing channel ${problem.channel} of ${problem.layer.name} was interrupted; nothing was kept`,
        );
      }
    });
  } finally {
    network.dispose();
  }
}

/** @throws InputError where the statistics are of another model, or of another layer than its name says */
export function checkStatistics(model: Model, stats: RelevanceStatistics): void {
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('statistics', stats, 'shares', 'collectRelevance(…) or loadStatistics(…)');
  if (model.hash !== stats.model.hash && !model.origins.includes(stats.model.hash)) {
    throw new InputError(
      `the statistics are of model ${stats.model.name} (${stats.model.hash.slice(0, 8)}), not of ${model.name} (${model.hash.slice(0, 8)}); collect them for this model (also where they are of unweave 0.1, which knew models by another hash)`,
    );
  }
}

/** An empty result's first channel is undefined, which a cell's types do not show. */
function checkTarget(target: PolysemanticChannel | SplitTarget | undefined): void {
  if (target?.channel === undefined) {
    throw new InputError(
      'no channel was given; where findPolysemantic found none, give it a larger gamma, or allPairs: true',
    );
  }
  if (!Array.isArray(target.concepts)) {
    const {channel} = target;
    throw new InputError(
      `no concepts were given for channel ${channel}; give two or more, each of one or more classes, e.g. {channel: ${channel}, concepts: [0, [1, 2]]}`,
    );
  }
}

function conceptsOf(stats: RelevanceStatistics, target: PolysemanticChannel | SplitTarget): Concept[] {
  const index = (k: number | string) => (typeof k === 'string' ? classIndex(stats, k) : k);
  const groups = target.concepts.map((concept) => {
    if (typeof concept === 'number' || typeof concept === 'string') return [index(concept)];
    return 'classes' in concept ? concept.classes : concept.map(index);
  });
  if (groups.length < 2)
    throw new InputError(
      `${counted(groups.length, 'concept')} ${groups.length === 1 ? 'was' : 'were'} given; at least two are needed to divide channel ${target.channel}`,
    );
  const seen = new Set<number>();
  for (const k of groups.flat()) {
    if (seen.has(k)) throw new InputError(`class ${k} is in two concepts; a class belongs to one`);
    seen.add(k);
  }
  return groups.map((classes) => makeConcept(stats, target.channel, classes));
}

/** Concepts that the channel hardly matters to, as the statistics know. */
function rarelyRelevant(stats: RelevanceStatistics, channel: number, concepts: readonly Concept[]): string[] {
  const tau = usualTau(stats.layer.shape[3], stats.shares.floor);
  const counts = countsAtLeast(shareIndex(stats), tau);
  return concepts.flatMap((concept) => {
    const reach = concept.classes.reduce((sum, k) => sum + counts[channel * stats.classes + k], 0);
    if (reach >= FEW_IMAGES) return [];
    return `channel ${channel} has a share of ${numberText(tau)} or more in ${reach === 0 ? 'no image' : `only ${counted(reach, 'image')}`} of ${namedClasses(concept)}: what is divided there says little`;
  });
}

/** Sources that one concept owns wholly and no other in part. */
function ownSources(ownership: readonly Float64Array[]): number[][] {
  return ownership.map((own, j) =>
    [...own.keys()].filter((i) => own[i] === 1 && ownership.every((other, l) => l === j || other[i] === 0)),
  );
}
