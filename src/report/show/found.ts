import type {Concept, PolysemanticChannel, PolysemanticChannels} from '../../concepts/types';
import type {LabelledImages} from '../../images/types';
import {mostRelevantImages} from '../../numerics/mostRelevant';
import type {RelevanceStatistics} from '../../numerics/statistics';
import {candidateScatter, cosineHistogram, similarityHeatmap} from '../../plots';
import {CONCEPT_COLOURS} from '../../plots/palette';
import {conceptLabel, nameText} from '../../plots/labels';
import {ROW, type ShowOptions} from './options';
import {thumbnailGrid, type ThumbnailRow} from './thumbnails';
import {table, words, type Block, type View} from './view';

/** Channels that are shown in full, where none are named. */
const IN_FULL = 1;

/** Found channels: a table, the candidates, and of the first, or those named, the similarity of its classes and example images. */
export async function channelsView(found: PolysemanticChannels, options: ShowOptions): Promise<View> {
  const {stats = found.stats, images} = options;
  const [title, ...rest] = String(found).split('\n');
  const notes = found.length === 0 ? rest.map((line) => line.trim()) : found.warnings.map((one) => `warning: ${one}`);
  const view: View = [words(title, ...notes)];
  if (found.length > 0) view.push(channelTable(found));
  view.push({figure: candidateScatter(found, {classNames: stats.classNames})}, {figure: cosineHistogram(found)});
  const chosen = options.channels
    ? found.filter(({channel}) => options.channels?.includes(channel))
    : found.slice(0, IN_FULL);
  for (const one of chosen) {
    view.push({figure: similarityHeatmap(stats, one, {gamma: found.thresholds.gamma})});
    if (images) view.push(await exampleImages(one, stats, images, options));
  }
  return view;
}

/** One found channel: its pairs, and with statistics the similarity of its classes and example images. */
export async function channelView(found: PolysemanticChannel, options: ShowOptions): Promise<View> {
  const {channel, concepts, pairs, classes, lowestCosine} = found;
  const {stats, images} = options;
  const names = namesOf(found);
  const rows = pairs.map(({classes: [a, b], cosine}) => [
    names.get(a) ?? `class ${a}`,
    names.get(b) ?? `class ${b}`,
    cosine,
  ]);
  const view: View = [
    words(
      `channel ${channel}: relevant to ${classes.length} classes, ${concepts.length} concepts, lowest cosine ${lowestCosine.toFixed(3)}`,
      ...concepts.map((concept, j) => `concept ${j + 1}: ${conceptLabel(concept, 6)}`),
    ),
    table(['class', 'and class', {title: 'cosine', hint: 'of their averaged relevance vectors'}], rows, {limit: 12}),
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
    words(`concept: ${classNames.map(nameText).join(' + ')} (class ${classes.join(', ')})`),
    table(
      ['source channel', {title: 'ARV', hint: 'mean contribution to the channel, summed over the positions'}],
      sources.map((i) => [i, arv[i]]),
      {caption: `the ${sources.length} sources of the largest relevance, of ${arv.length}`},
    ),
  ];
}

function channelTable(found: PolysemanticChannels): Block {
  const rows = found.map(({channel, lowestCosine, classes, concepts, pairs}) => [
    channel,
    lowestCosine,
    classes.length,
    pairs.length,
    concepts.map((concept) => conceptLabel(concept)).join('  |  '),
  ]);
  const columns = [
    'channel',
    {title: 'lowest cosine', format: (value: number) => value.toFixed(3)},
    {title: 'classes', hint: 'that the channel is relevant to'},
    {title: 'pairs', hint: 'of classes that are reported'},
    'concepts',
  ];
  return table(columns, rows, {limit: 12});
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
  const rows = concepts.map((concept, j): ThumbnailRow => {
    const [byClass] = mostRelevantImages(stats, [{channel, classes: concept.classes}], count);
    const shown = inTurns(byClass)
      .map(({image, share}) => ({index: indexOf.get(stats.images.paths[image]), image, share}))
      .filter((one): one is {index: number; image: number; share: number} => one.index !== undefined)
      .slice(0, count)
      .sort((a, b) => b.share - a.share);
    return {
      label: conceptLabel(concept),
      note:
        shown.length === 0
          ? `the channel has a share of ${stats.shares.floor} or more in none of these images`
          : `shares ${percent(shown[0].share)} to ${percent(shown[shown.length - 1].share)}`,
      images: shown.map(({index, image, share}) => ({
        index,
        hint: `${stats.classNames[stats.images.labels[image]]} · ${images.paths[index]} · share ${percent(share)}`,
        frame: CONCEPT_COLOURS[j % CONCEPT_COLOURS.length],
      })),
    };
  });
  return thumbnailGrid(`channel ${channel}: images of its concepts, the highest share first`, rows, images, options);
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** The first of each list, then the second of each, and so on. */
function inTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({length}) => length));
  return Array.from({length: longest}, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1))).flat();
}

function namesOf({concepts}: PolysemanticChannel): Map<number, string> {
  return new Map(concepts.flatMap(({classes, classNames}) => classes.map((k, at) => [k, classNames[at]] as const)));
}
