import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import {numberText} from '../common/numbers';
import {readable} from '../common/readable';
import {counted} from '../common/words';
import {subset} from '../images';
import {whateverLabels} from '../images/unlabelled';
import type {LabelledImages, PresetOption} from '../images/types';
import type {Model} from '../network/types';
import {centralRange, type Summary} from '../numerics/summary';
import {cosine, mean} from '../numerics/vectors';
import type {Split} from '../split/types';
import {channelNames, summedActivations} from './activations';
import {crossSimilarity, embeddingSums, pairSimilarity, type EmbeddingSums} from './embeddingSums';
import {checkControls, type EvaluationOptions} from './layerPass';
import {randomSplits} from './randomSplit';
import {textTable} from '../common/textTable';

export interface ScoreOptions extends EvaluationOptions {
  /** Any second network: what its last layer with weights reads is the embedding of an image. */
  embedder: Model;
  /** How pixels become the embedder's input. @default the images' preset, else the embedder's */
  embedderPreset?: PresetOption;
  /** Images that stand for a channel, those that excite it most. @default 20 */
  count?: number;
  /** Random splits of the same sizes. @default 20 */
  randomSplits?: number;
}

/** Scores of one channel; all are means of cosines between embeddings, −1..1, higher for one meaning. */
export interface ChannelScore {
  /** `original`, `d1` … `dk` */
  channel: string;
  /**
   * MS score: mean cosine of all pairs of images weighted by how much the channel is excited by both, from 0 for the image that excites it
   * least to 1 for the one that excites it most (Pach et al. 2025).
   */
  monosemanticity: number;
  /** Clarity: mean cosine of all pairs of the images that excite it most (SemanticLens, Dreyer et al. 2025). */
  clarity: number;
}

/** Scores of the parts together. */
export interface PartScores {
  /** Means over the parts. */
  monosemanticity: number;
  clarity: number;
  /** Mean over the parts of the highest cosine between its mean embedding and another part's (SemanticLens); lower is better. */
  redundancy: number;
  /** Mean cosine distance within the images of a part, and between those of two parts (PURE, Dreyer et al. 2024). */
  intra: number;
  inter: number;
}

/** What others score splits by, before and after, beside random splits. */
export interface SplitScores {
  readonly kind: 'split scores';
  layer: string;
  channel: number;
  rule: string;
  embedder: string;
  images: number;
  /** Images that stand for a channel. */
  count: number;
  channels: ChannelScore[];
  parts: PartScores;
  /** The same over random splits: mean, deviation and the range of the central 95 %. */
  random: Record<keyof PartScores, Summary>;
  /** `parts` minus the mean over random splits. */
  gain: PartScores;
  randomSplits: number;
  toString(): string;
}

const SCORES = ['monosemanticity', 'clarity', 'redundancy', 'intra', 'inter'] as const;

/**
 * Scores of a split by the embeddings of a second network: MS score and clarity of the channel and its parts, redundancy and PURE's
 * distances of the parts, each beside random splits of the same sizes. One pass of the network for activations, one of the embedder for
 * sums of embeddings; labels are not looked at.
 * @throws InputError for a count below 2, or fewer images than that
 */
export async function scoreSplit(split: Split, images: LabelledImages, options: ScoreOptions): Promise<SplitScores> {
  const {embedder, embedderPreset, count = 20, randomSplits: controls = 20, seed = 0, ...rest} = options;
  checkArgument('split', split, 'before', 'disentangle(…) or loadSplit(…)');
  checkArgument('embedder', embedder, 'graph', 'loadModel(…)');
  if (!Number.isSafeInteger(count) || count < 2)
    throw new InputError(`invalid count: ${count}; give a whole number of images from 2, such as 20`);
  if (images.paths.length < count)
    throw new InputError(
      `${counted(images.paths.length, 'image')} cannot give ${count} that excite a channel most; give more`,
    );
  checkControls(controls, seed);
  const random = randomSplits(split, {count: controls, seed});
  const k = split.parts.length;
  const kernels = [split.original, ...split.parts, ...random.flatMap(({parts}) => parts)];
  const given = whateverLabels(images);
  const {images: seen, activations} = await summedActivations(split, given, [...given.paths.keys()], kernels, rest);
  const weights = [...activations.map(fromLeastToMost), ...activations.map((values) => strongest(values, count))];
  const {batchSize, progress, signal} = rest;
  const sums = await embeddingSums(embedder, subset(given, {indices: seen}), weights, {
    preset: embedderPreset,
    batchSize,
    progress,
    signal,
  });
  const P = kernels.length;
  const scoreOf = (p: number) => ({monosemanticity: pairSimilarity(sums, p), clarity: pairSimilarity(sums, P + p)});
  const together = (first: number) =>
    partScores(
      sums,
      Array.from({length: k}, (_, j) => first + j),
      P,
    );
  const parts = together(1);
  const controlScores = random.map((_, r) => together(1 + k + r * k));
  const perScore = <T>(make: (name: keyof PartScores) => T) =>
    Object.fromEntries(SCORES.map((name) => [name, make(name)])) as Record<keyof PartScores, T>;
  const ranges = perScore((name) => centralRange(controlScores.map((one) => one[name]).filter(Number.isFinite)));
  const result: Omit<SplitScores, 'toString'> = {
    kind: 'split scores',
    layer: split.layer,
    channel: split.channel,
    rule: split.rule,
    embedder: embedder.name,
    images: sums.images,
    count,
    channels: channelNames(split).map((channel, p) => ({channel, ...scoreOf(p)})),
    parts,
    random: ranges,
    gain: perScore((name) => parts[name] - ranges[name].mean),
    randomSplits: controls,
  };
  return readable(result as SplitScores, describe);
}

/** @param at positions of the parts among the weightings; those of their strongest images follow P later */
function partScores(sums: EmbeddingSums, at: readonly number[], P: number): PartScores {
  const over = (make: (p: number, j: number) => number) => mean(at.map(make));
  const others = (j: number) => at.filter((_, l) => l !== j);
  const clarity = over((p) => pairSimilarity(sums, P + p));
  return {
    monosemanticity: over((p) => pairSimilarity(sums, p)),
    clarity,
    redundancy: over((p, j) => Math.max(...others(j).map((q) => cosine(sums.sums[P + p], sums.sums[P + q])))),
    intra: 1 - clarity,
    inter: over((p, j) => mean(others(j).map((q) => 1 - crossSimilarity(sums, P + p, P + q)))),
  };
}

/** Each value from 0 for the least to 1 for the most; zeros where all are alike. */
function fromLeastToMost(values: readonly number[]): Float64Array {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return Float64Array.from(values, (value) => (most > least ? (value - least) / (most - least) : 0));
}

/** 1 for the highest positive values, 0 else; of equal values the earlier. */
function strongest(values: readonly number[], count: number): Float64Array {
  const chosen = new Float64Array(values.length);
  const order = [...values.keys()].filter((n) => values[n] > 0).sort((a, b) => values[b] - values[a] || a - b);
  for (const n of order.slice(0, count)) chosen[n] = 1;
  return chosen;
}

function describe({
  layer,
  channel,
  embedder,
  images,
  count,
  channels,
  parts,
  random,
  randomSplits: controls,
}: SplitScores): string {
  const value = (x: number) => (Number.isFinite(x) ? numberText(x) : '–');
  const beside = ({mean: centre, interval: [low, high]}: Summary) =>
    controls > 0 ? `${value(centre)} [${value(low)}, ${value(high)}]` : '–';
  return [
    `scores of channel ${channel} of layer ${layer} by embeddings of ${embedder}; ${counted(images, 'image')}, the ${count} that excite a channel most`,
    ...textTable([
      ['', 'MS score', 'clarity'],
      ...channels.map((one) => [one.channel, value(one.monosemanticity), value(one.clarity)]),
    ]),
    ...textTable([
      ['parts together', 'here', `random splits (${controls})`],
      ...SCORES.map((name) => [WORDS[name], value(parts[name]), beside(random[name])]),
    ]),
  ].join('\n');
}

/** What the scores are called. */
export const WORDS: Readonly<Record<keyof PartScores, string>> = {
  monosemanticity: 'MS score',
  clarity: 'clarity',
  redundancy: 'redundancy (less is better)',
  intra: 'distance within parts (less is better)',
  inter: 'distance between parts',
};
