import {findPolysemantic} from '../../concepts/find';
import {
  densities,
  evaluateSplit,
  topImages,
  type Densities,
  type EvaluateOptions,
  type SplitTopImages,
} from '../../evaluate';
import type {ConceptEvaluation} from '../../evaluate';
import {visualizeSplit, type SplitVisualization, type VisualizeSplitOptions} from '../../features';
import type {ClassPair} from '../../concepts/types';
import {subset} from '../../images';
import type {LabelledImages} from '../../images/types';
import type {Model} from '../../network/types';
import {InputError, InterruptError} from '../../common/errors';
import {option} from '../../common/options';
import {startTask, type LongCallOptions} from '../../common/progress';
import {counted} from '../../common/words';
import {topOne, type RelevanceStatistics} from '../../numerics/statistics';
import {disentangle} from '../../split/disentangle';
import type {Split} from '../../split/types';
import {verifySplit, type SplitProof} from '../../split/verify';
import {compareWithPublished, type FoundAgainstPublished} from './compare';
import {pooledFractions, type PooledFractions, type TripleFractions} from './pooled';
import {PUBLISHED_LAYER, PUBLISHED_THRESHOLDS, PUBLISHED_TRIPLES, TEASER, type Triple} from './published';

export interface PaperOptions extends LongCallOptions {
  /** Share of relevance from which an image counts in the fractions; the published code has runs at 0.03 and at 0.05. @default τ of the network */
  important?: number;
  /** τ of detection. @default 0.03, or 2 / channels of the layer where that is more */
  tau?: number;
  /** Lower end of the cosines that count as found; the published code's `cos_sim_low`, which drops negative ones. @default 0 */
  lowest?: number;
  /** A fixed ρ whose pooled result stands beside that of the chosen one. @default 0.5 */
  rho?: number;
  /** Triples to pull apart. @default the published 20 where the layer has them, else the pairs with the lowest cosines */
  triples?: readonly Triple[];
  /** Random splits of the same sizes that each triple is held against. @default 20 */
  randomSplits?: number;
  /** How the teaser's channel and its parts are visualised (figure 1); `false` leaves the visualisations out. @default those of `visualizeSplit` */
  features?: VisualizeSplitOptions | false;
}

/** One row of the table: images of one concept of one triple. */
export interface PaperRow {
  channel: number;
  classes: [number, number];
  rho: number | undefined;
  /** 0 or 1 */
  concept: number;
  evaluation: ConceptEvaluation;
}

/** Every figure and table of the paper, as data. */
export interface PaperReproduction {
  readonly kind: 'paper reproduction';
  /** Whether layer and triples are those of the paper; otherwise the same figures of another network. */
  published: boolean;
  model: string;
  layer: string;
  top1: {images: number; share: number};
  /** `lowest` ≤ cosine < `gamma` is what counts as found; `important` is the share from which an image counts in the fractions. */
  thresholds: {tau: number; p: number; gamma: number; lowest: number; important: number};
  /** The triples that were pulled apart, with their cosines; NaN for one whose channel is not relevant to both classes. */
  triples: (Triple & {cosine: number; classNames: [string, string]})[];
  pairs: ClassPair[];
  comparison: FoundAgainstPublished;
  /** Pooled over all triples, with the ρ chosen for each and with the fixed one. */
  pooled: {best: PooledFractions[]; fixed: PooledFractions[]; rho: number};
  rows: PaperRow[];
  /** Triples that have no row, and why. */
  left: (Triple & {reason: string})[];
  perImage: TripleFractions[];
  teaser: {
    split: Split;
    densities: Densities;
    /** With the places that the channel fires at. */
    top: SplitTopImages;
    features: SplitVisualization | undefined;
    proof: SplitProof;
  };
  stats: RelevanceStatistics;
}

/**
 * Everything that the paper shows, from statistics: the list of pairs against the published one, the pooled fractions of all triples at the
 * chosen and at a fixed ρ, the density figure (signed, by concept) and the teaser's channel with its proof.
 * @param train images that concepts' sources and ρ are found on
 * @param test images that everything is measured on
 * @throws InputError where no channel is relevant to two classes; InterruptError when stopped
 */
export async function reproducePaper(
  model: Model,
  stats: RelevanceStatistics,
  train: LabelledImages,
  test: LabelledImages,
  options: PaperOptions = {},
): Promise<PaperReproduction> {
  const outputs = stats.layer.shape[3];
  const {tau = Math.max(PUBLISHED_THRESHOLDS.tau, 2 / outputs), rho = 0.5, randomSplits = 20} = options;
  const {important = tau, lowest = PUBLISHED_THRESHOLDS.lowest, features = {}, progress, signal} = options;
  const calls = {progress, signal};
  const {p, gamma} = PUBLISHED_THRESHOLDS;
  if (!(lowest < gamma)) {
    throw new InputError(`invalid ${option('lowest')}: ${lowest}; give a cosine below γ, ${gamma}, such as 0 or -1`);
  }
  const {pairs} = findPolysemantic(stats, {tau, p, gamma, allPairs: true, arv: 'published'});
  const published = stats.layer.name === PUBLISHED_LAYER && outputs === 2048 && stats.classes === 1000;
  const triples = options.triples ?? (published ? PUBLISHED_TRIPLES : lowestCosines(pairs));
  if (triples.length === 0) {
    throw new InputError(
      `no channel of ${stats.layer.name} is relevant to two classes at τ ${tau}; give a smaller ${option('tau')}`,
    );
  }
  const measured = await fractionsOfTriples(model, stats, triples, {
    train,
    test,
    rho,
    evaluating: {tau: important, randomSplits, perImage: true, ...calls},
  });
  // Theirs where it can be divided here: a folder may lack its classes.
  const split = await firstSplit(published && !options.triples ? [TEASER, ...triples] : triples, (triple) =>
    splitOf(model, stats, triple, train, {rho: 'auto', ...calls}),
  );
  const divided = split.concepts.flatMap(({classes}) => classes);
  return {
    kind: 'paper reproduction',
    published,
    model: model.name,
    layer: stats.layer.name,
    top1: {
      images: stats.images.paths.length,
      share: topOne(stats),
    },
    thresholds: {tau, p, gamma, lowest, important},
    triples: triples.map((triple) => ({
      ...triple,
      classNames: namesOf(stats, triple),
      cosine:
        pairs.find((pair) => pair.channel === triple.channel && pair.classes.join() === triple.classes.join())
          ?.cosine ?? NaN,
    })),
    pairs,
    comparison: compareWithPublished(pairs, {gamma, lowest}),
    pooled: {best: pooledFractions(measured.best), fixed: pooledFractions(measured.fixed), rho},
    rows: measured.rows,
    left: measured.left,
    perImage: measured.best,
    teaser: {
      split,
      densities: await densities(split, test, {sums: 'signed', by: 'concept', ...calls}),
      top: await topImages(split, test, {relevance: true, ...calls}),
      features: features === false ? undefined : await visualizeSplit(split, {...calls, ...features}),
      proof: await verifySplit(split, proofImages(test, divided, model.classes), calls),
    },
    stats,
  };
}

interface MeasuredTriples {
  rows: PaperRow[];
  /** At the chosen ρ, and at the fixed one. */
  best: TripleFractions[];
  fixed: TripleFractions[];
  left: PaperReproduction['left'];
}

/** Pulls each triple apart at the ρ that is chosen for it and at a fixed one, and measures both; triples that cannot be divided are left with a reason. */
async function fractionsOfTriples(
  model: Model,
  stats: RelevanceStatistics,
  triples: readonly Triple[],
  {
    train,
    test,
    rho,
    evaluating,
  }: {train: LabelledImages; test: LabelledImages; rho: number; evaluating: EvaluateOptions},
): Promise<MeasuredTriples> {
  const {signal} = evaluating;
  const result: MeasuredTriples = {rows: [], best: [], fixed: [], left: []};
  // One bar for all: a cell with one for each of sixty calls would be folded away.
  const quiet = {progress: false, signal} as const;
  const measure = async (triple: Triple, given: number | 'auto', options: EvaluateOptions) => {
    const split = await splitOf(model, stats, triple, train, {rho: given, ...quiet});
    try {
      const {concepts, perImage = []} = await evaluateSplit(split, test, {...options, ...quiet});
      const fractions = {...triple, classNames: namesOf(stats, triple), rho: split.rho?.rho, images: perImage};
      return {fractions, concepts};
    } finally {
      split.dispose();
    }
  };
  const task = startTask(
    {label: `splitting and evaluating ${counted(triples.length, 'triple')}`, total: triples.length, unit: 'triples'},
    evaluating.progress,
  );
  try {
    for (const triple of triples) {
      try {
        const {fractions, concepts} = await measure(triple, 'auto', evaluating);
        result.best.push(fractions);
        result.rows.push(
          ...concepts.map((evaluation, concept) => ({...triple, rho: fractions.rho, concept, evaluation})),
        );
        // Controls stand beside the chosen ρ; the fixed one needs its images alone.
        result.fixed.push((await measure(triple, rho, {...evaluating, randomSplits: 0})).fractions);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        result.left.push({...triple, reason: error.message});
      }
      task.advance(1);
    }
    task.finish('done');
    return result;
  } catch (error) {
    task.finish(error instanceof InterruptError ? 'interrupted' : 'failed');
    throw error;
  }
}

const namesOf = (stats: RelevanceStatistics, {classes: [a, b]}: Triple): [string, string] => [
  stats.classNames[a],
  stats.classNames[b],
];

const lowestCosines = (pairs: readonly ClassPair[]): Triple[] =>
  pairs.slice(0, PUBLISHED_TRIPLES.length).map(({channel, classes}) => ({channel, classes}));

function splitOf(
  model: Model,
  stats: RelevanceStatistics,
  {channel, classes}: Triple,
  images: LabelledImages,
  options: {rho: number | 'auto'} & LongCallOptions,
): Promise<Split> {
  const concepts = classes.map((k) => [k]);
  return disentangle(model, stats, {channel, concepts}, {images, rule: 'published', ...options});
}

/** The first triple that can be divided. @throws InputError the first one's reason, where none can be */
async function firstSplit(triples: readonly Triple[], split: (triple: Triple) => Promise<Split>): Promise<Split> {
  let first: InputError | undefined;
  for (const triple of triples) {
    try {
      return await split(triple);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      first ??= error;
    }
  }
  throw first ?? new InputError('no triple was given; give at least one');
}

/** Images that the proof looks at. */
const PROOF_IMAGES = 400;

/** Images spread over all classes, the divided ones' among them. */
function proofImages(images: LabelledImages, classes: readonly number[], outputs: number): LabelledImages {
  const labels = images.labelsFor(outputs);
  const own = [...labels.keys()].filter((index) => classes.includes(labels[index])).slice(0, PROOF_IMAGES / 4);
  const step = Math.max(1, Math.ceil(labels.length / (PROOF_IMAGES - own.length)));
  const spread = [...labels.keys()].filter((index) => index % step === 0);
  return subset(images, {indices: [...new Set([...own, ...spread])].sort((a, b) => a - b)});
}
