import {classIndex} from '../../common/classIndex';
import {inTurn} from '../../common/inTurn';
import {namedClass} from '../../common/words';
import {makeConcept} from '../../concepts/find';
import {suggestThresholds} from '../../concepts/thresholds';
import {byLowestCosine, classVectors, relatedPairs} from '../../concepts/relate';
import type {CandidateChannel, Concept, PolysemanticChannel, PolysemanticChannels} from '../../concepts/types';
import type {LabelledImages} from '../../images/types';
import {mostRelevantImages} from '../../numerics/mostRelevant';
import type {RelevanceStatistics} from '../../numerics/statistics';
import {candidateScatter, cosineHistogram, similarityHeatmap} from '../../plots';
import {conceptColours} from '../../plots/palette';
import {classLabel, conceptLabel, cosineWords, counted, nameText, numberText, percentText} from '../../plots/labels';
import {ROW, type ShowOptions} from './options';
import {addPeaks} from './addPeaks';
import {thumbnailGrid, type ThumbnailRow} from './thumbnails';
import {table, words, type Block, type View} from './view';

/** Channels that are shown in full, where none are named. */
const IN_FULL = 1;
/** Candidates in the table; a terminal and a page show its first dozen. */
const CANDIDATES = 100;
const DECISIONS = ['different', 'same', 'undecided'] as const;
const GAMMAS = [-0.5, -0.25, 0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995];

/**
 * Found channels: a sentence, all candidates with what was decided, what other γ would give where nothing is below this one, and of the
 * first channel, or those named, its pairs, the similarity of its classes and example images.
 */
export async function channelsView(found: PolysemanticChannels, options: ShowOptions): Promise<View> {
  const {stats = found.stats, images} = options;
  const [title, ...rest] = String(found).split('\n');
  const notes = found.length === 0 ? rest.map((line) => line.trim()) : found.warnings.map((one) => `warning: ${one}`);
  const view: View = [words(title, ...notes)];
  if (found.candidates.length > 0) view.push(candidateTable(found, stats, options));
  if (found.length === 0 && found.cosines.length > 0)
    view.push(gammaTable(found), words('What the network suggests', ...suggested(found, stats)));
  view.push({figure: candidateScatter(found, {classNames: stats.classNames})}, {figure: cosineHistogram(found)});
  const {gamma, arv} = found.thresholds;
  for (const one of inFull(found, stats, options)) {
    view.push(pairTable(one, stats.classNames), {figure: similarityHeatmap(stats, one, {gamma, arv})});
    if (images) view.push(await exampleImages(one, stats, images, options));
  }
  return view;
}

/** The channels that are named, else the first that was found, else the candidate of the lowest cosine, with all their pairs. */
function inFull(found: PolysemanticChannels, stats: RelevanceStatistics, {channels}: ShowOptions) {
  const ordered = [...found.candidates].sort(byLowestCosine);
  const wanted = channels ?? [...found, ...ordered].slice(0, IN_FULL).map(({channel}) => channel);
  return ordered
    .filter(({channel}) => wanted.includes(channel))
    .map((candidate): PolysemanticChannel => {
      const known = found.find(({channel}) => channel === candidate.channel);
      // Of a channel that was not found each class is a concept of its own.
      const concepts = known?.concepts ?? candidate.classes.map((k) => makeConcept(stats, candidate.channel, [k]));
      return {undecided: [], ...candidate, ...known, concepts, pairs: pairsOf(found, stats, candidate)};
    });
}

/** Every pair of a candidate's classes, as the search decided it. */
function pairsOf({thresholds: {gamma, arv}}: PolysemanticChannels, stats: RelevanceStatistics, of: CandidateChannel) {
  return relatedPairs(classVectors(stats, of.channel, arv), of.channel, of.classes, gamma);
}

/** One found channel: its pairs, and with statistics the similarity of its classes and example images. */
export async function channelView(found: PolysemanticChannel, options: ShowOptions): Promise<View> {
  const {channel, concepts, classes, lowestCosine} = found;
  const {stats, images} = options;
  const lowest = Number.isNaN(lowestCosine)
    ? 'no pair that can be decided'
    : `lowest cosine ${numberText(lowestCosine)}`;
  const view: View = [
    words(
      `channel ${channel}: relevant to ${counted(classes.length, 'class', 'classes')}, ${counted(concepts.length, 'concept')}, ${lowest}`,
      ...concepts.map((concept, j) => `concept ${j + 1}: ${named(concept, 6)}`),
    ),
    pairTable(found, stats?.classNames),
  ];
  if (stats) view.push({figure: similarityHeatmap(stats, found)});
  if (stats && images) view.push(await exampleImages(found, stats, images, options));
  return view;
}

/** A concept: its classes and the source channels that count most. */
export function conceptView({classes, classNames, arv}: Concept): View {
  const sources = Array.from(arv.keys())
    .sort((a, b) => Math.abs(arv[b]) - Math.abs(arv[a]))
    .slice(0, 10);
  return [
    words(`concept: ${named({classes, classNames}, 12)}`),
    table(
      ['source channel', {title: 'ARV', hint: 'mean contribution to the channel, summed over the positions'}],
      sources.map((i) => [i, arv[i]]),
      {caption: `the ${sources.length} sources of the largest relevance, of ${arv.length}`},
    ),
  ];
}

/** Every candidate, found or not: its concepts, else its classes, and how many of its pairs were decided how. */
function candidateTable(found: PolysemanticChannels, stats: RelevanceStatistics, {descriptions}: ShowOptions): Block {
  const concepts = new Map(found.map((one) => [one.channel, one.concepts]));
  const {gamma, arv} = found.thresholds;
  const shown = [...found.candidates].sort(byLowestCosine).slice(0, CANDIDATES);
  const rows = shown.map((candidate) => {
    const {channel, lowestCosine, classes} = candidate;
    const pairs = pairsOf(found, stats, candidate);
    const decisions = DECISIONS.map((decision) => pairs.filter((pair) => pair.decision === decision).length);
    const parts = concepts.get(channel);
    const names = parts
      ? parts.map((concept) => named(concept)).join('  |  ')
      : named({classes, classNames: classes.map((k) => stats.classNames[k])}, 4);
    const said = descriptions ? [descriptions.of(found.layer, channel) ?? '–'] : [];
    return [channel, names, lowestCosine, ...decisions, parts ? 'yes' : 'no', ...said];
  });
  const columns = [
    'channel',
    {title: 'concepts (divided by |), or classes, with their indices', minWidth: 200},
    {title: 'lowest cosine', hint: 'of the pairs that were decided', format: numberText},
    {title: 'different', hint: `pairs of classes with a cosine below γ = ${numberText(gamma)}`},
    {title: 'same', hint: 'pairs of classes with a cosine from γ on'},
    {title: 'undecided', hint: 'pairs with a class that does not agree with itself between the halves of its images'},
    'found',
    ...(descriptions ? [{title: 'described as', hint: `in ${descriptions.source}`, minWidth: 160}] : []),
  ];
  const all = found.candidates.length;
  return table(columns, rows, {
    limit: 12,
    caption: `candidate channels, by the cosine of ${cosineWords(arv)}${all > shown.length ? `; ${shown.length} of ${all}` : ''}`,
  });
}

/** Thresholds that the statistics suggest, in sentences. */
function suggested({thresholds: {tau, p, arv}}: PolysemanticChannels, stats: RelevanceStatistics): string[] {
  return String(suggestThresholds(stats, {tau, p, arv}))
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

/** What would be found at larger γ. */
function gammaTable({cosines, candidates, thresholds}: PolysemanticChannels): Block {
  const larger = GAMMAS.filter((gamma) => gamma > thresholds.gamma && cosines[0] < gamma);
  const rows = (larger.length > 0 ? larger.slice(0, 6) : [1]).map((gamma) => [
    gamma,
    candidates.filter(({lowestCosine}) => lowestCosine < gamma).length,
    cosines.filter((cosine) => cosine < gamma).length,
  ]);
  const columns = [{title: 'γ', format: numberText}, 'channels', {title: 'pairs', hint: `of ${cosines.length}`}];
  return table(columns, rows, {caption: 'what a larger γ would find'});
}

/** A channel's pairs with what is said of each. */
function pairTable({channel, pairs, concepts}: PolysemanticChannel, classNames?: readonly string[]): Block {
  const names = new Map(
    concepts.flatMap((one) => one.classes.map((k, at) => [k, namedClass(k, nameText(one.classNames[at]))] as const)),
  );
  const name = (k: number) => names.get(k) ?? namedClass(k, nameText(classNames?.[k] ?? `class ${k}`));
  const rows = pairs.map(({classes: [a, b], cosine, agreement, decision}) => [
    name(a),
    name(b),
    cosine,
    agreement,
    decision,
  ]);
  const columns = [
    'class',
    'and class',
    {title: 'cosine', hint: 'of the vectors that are compared', format: numberText},
    {
      title: 'agreement',
      hint: 'the lower cosine of a class with itself between the halves of its images',
      format: numberText,
    },
    'decision',
  ];
  return table(columns, rows, {limit: 12, caption: `pairs of classes of channel ${channel}`});
}

/** A concept's classes with their indices, the first ones. */
function named({classes, classNames}: Pick<Concept, 'classes' | 'classNames'>, most = 2): string {
  const names = classes.slice(0, most).map((k, at) => namedClass(k, nameText(classNames[at])));
  return `${names.join(' + ')}${classes.length > most ? ` + ${classes.length - most} more` : ''}`;
}

/**
 * Images of each concept's classes that the channel matters to most, by turns from each class, so that no class hides the others. Images
 * that the statistics do not know, or in which the channel's share is below their floor, are not shown in their place.
 */
async function exampleImages(
  {channel, concepts}: PolysemanticChannel,
  stats: RelevanceStatistics,
  images: LabelledImages,
  options: ShowOptions,
): Promise<Block> {
  const {count = ROW} = options;
  const indexOf = new Map(images.paths.map((path, index) => [path, index]));
  const only = options.classes?.map((wanted) => classIndex(wanted, stats.classNames));
  const colours = conceptColours(concepts);
  const nameOf = (k: number) => classLabel(k, stats.classNames[k]);
  const rows = concepts.map((concept, j): ThumbnailRow => {
    const classes = concept.classes.filter((k) => !only || only.includes(k));
    const [byClass] = mostRelevantImages(stats, [{channel, classes}], count);
    const shown = inTurn(byClass)
      .map(({image, share}) => ({index: indexOf.get(stats.images.paths[image]), image, share}))
      .filter((one): one is {index: number; image: number; share: number} => one.index !== undefined)
      .slice(0, count)
      .sort((a, b) => b.share - a.share);
    return {
      label: conceptLabel(concept),
      note:
        shown.length === 0
          ? classes.length === 0
            ? 'of other classes'
            : `the channel has a share of ${stats.shares.floor} or more in none of these images`
          : `shares ${percentText(shown[0].share)} to ${percentText(shown[shown.length - 1].share)}`,
      images: shown.map(({index, image, share}) => ({
        index,
        hint: `${nameOf(stats.images.labels[image])} · ${images.paths[index]} · share ${percentText(share)}`,
        frame: colours[j],
      })),
    };
  });
  await addPeaks(
    channel,
    stats,
    images,
    rows.flatMap((row) => row.images),
    options,
  );
  return thumbnailGrid(`channel ${channel}: images of its concepts, the highest share first`, rows, images, options);
}
