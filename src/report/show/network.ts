import {countText, numberText, percentText} from '../../common/numbers';
import {classLabel} from '../../plots/labels';
import type {LabelledImages} from '../../images/types';
import type {Model} from '../../network/types';
import {
  classCount,
  classesWithImages,
  describeStatistics,
  topOne,
  warningsOf,
  zeroInputShare,
  type RelevanceStatistics,
} from '../../numerics/statistics';
import {relevantClasses} from '../../concepts/find';
import {usualTau} from '../../concepts/smallTau';
import {relevanceMap} from '../../plots';
import {addPeaks} from './addPeaks';
import {ROW, type ShowOptions} from './options';
import {thumbnailGrid, type ThumbnailRow} from './thumbnails';
import {table, words, type View} from './view';

/** A network: its layers that can be analysed. */
export function modelView(model: Model): View {
  const rows = model
    .layers()
    .map(({name, kind, kernel: [kh, kw, inputs, outputs], output, bias}) => [
      name,
      kind,
      `${kh}×${kw}`,
      inputs,
      outputs,
      output.join('×'),
      bias,
    ]);
  const columns = [
    'layer',
    'kind',
    'kernel',
    {title: 'inputs', hint: 'source channels'},
    'channels',
    {title: 'output', hint: 'height × width × channels'},
    'bias',
  ];
  return [words(String(model)), table(columns, rows, {limit: 200})];
}

/** Images: some of them, spread over the list. */
export async function imagesView(images: LabelledImages, options: ShowOptions): Promise<View> {
  const {count = ROW, model} = options;
  const total = images.paths.length;
  const wanted = Math.min(total, 3 * count);
  const chosen = Array.from({length: wanted}, (_, n) => Math.floor((n * total) / wanted));
  const labels = model && images.labelsFor(model.classes);
  const names = model && (model.classNames ?? images.classNamesFor(model.classes));
  const hint = (index: number) =>
    labels && names
      ? `${classLabel(labels[index], names[labels[index]])} · ${images.paths[index]}`
      : images.paths[index];
  const rows: ThumbnailRow[] = [];
  for (let from = 0; from < wanted; from += count) {
    const own = chosen.slice(from, from + count).map((index) => ({index, hint: hint(index)}));
    rows.push({label: `${chosen[from]} …`, images: own});
  }
  const grid = await thumbnailGrid(`${wanted} of ${countText(total)}, evenly spread`, rows, images, options);
  return [words(String(images)), grid];
}

/** Statistics: what they are about, which channels matter to which classes, and the images that excite some channels most. */
export async function statisticsView(stats: RelevanceStatistics, options: ShowOptions): Promise<View> {
  const outputs = stats.layer.shape[3];
  const {tau = usualTau(outputs, stats.shares.floor), p = 0.75, images} = options;
  const counts = classesWithImages(stats).map((k) => classCount(stats, k));
  const rows = [
    ['top-1', percentText(topOne(stats), 1)],
    ['images', stats.images.paths.length],
    ['classes with images', `${counts.length} of ${stats.classes}`],
    ['images per class', counts.length > 0 ? `${counts.reduce(least)} to ${counts.reduce(most)}` : 0],
    ['inputs of the layer that are zero', percentText(zeroInputShare(stats))],
    ['smallest share that is kept', stats.shares.floor],
    ['unreadable images left out', stats.images.skipped.length],
  ];
  const [title, about] = describeStatistics(stats).split('\n');
  const warnings = warningsOf(stats).map((warning) => `warning: ${warning}`);
  const view: View = [
    words(title, about, ...warnings),
    table(['', {title: '', align: 'right'}], rows),
    {figure: relevanceMap(stats, {tau, p})},
  ];
  if (images) {
    const channels = options.channels ?? telling(stats, {tau, p});
    for (const channel of channels) view.push(await exemplars(stats, channel, images, options));
  }
  return view;
}

const least = (a: number, b: number) => Math.min(a, b);
const most = (a: number, b: number) => Math.max(a, b);

/** The channels that are relevant to most classes. */
function telling(stats: RelevanceStatistics, thresholds: {tau: number; p: number}, count = 3): number[] {
  const classes = relevantClasses(stats, thresholds).map((own, channel) => ({channel, count: own.length}));
  return classes
    .filter((one) => one.count > 0)
    .sort((a, b) => b.count - a.count || a.channel - b.channel)
    .slice(0, count)
    .map(({channel}) => channel);
}

/** The images with the highest relevance and the highest activation of a channel. */
async function exemplars(stats: RelevanceStatistics, channel: number, images: LabelledImages, options: ShowOptions) {
  const row = (label: string, kind: 'relevance' | 'activation'): ThumbnailRow => ({
    label,
    images: topOf(stats, channel, kind, images).map(({index, label: k, value}) => ({
      index,
      hint: `${classLabel(k, stats.classNames[k])} · ${images.paths[index]} · ${kind} ${numberText(value)}`,
    })),
  });
  const rows = [row('highest relevance', 'relevance'), row('highest activation', 'activation')];
  const shown = rows.flatMap((one) => one.images.slice(0, options.count ?? ROW));
  await addPeaks(channel, stats, images, shown, options);
  return thumbnailGrid(`channel ${channel}`, rows, images, options);
}

/** A channel's highest images in the statistics, as far as they are among `images`, the highest first. */
export function topOf(
  stats: RelevanceStatistics,
  channel: number,
  kind: 'relevance' | 'activation',
  images: LabelledImages,
): {index: number; label: number; value: number}[] {
  const {count} = stats.top;
  const {images: indices, values} = stats.top[kind];
  const places = new Map(images.paths.map((path, index) => [path, index]));
  return Array.from({length: count}, (_, n) => channel * count + n).flatMap((at) => {
    const image = indices[at];
    const index = image < 0 ? undefined : places.get(stats.images.paths[image]);
    return index === undefined ? [] : [{index, label: stats.images.labels[image], value: values[at]}];
  });
}
