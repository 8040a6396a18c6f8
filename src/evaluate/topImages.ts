import type {LabelledImages} from '../images/types';
import {classIndex} from '../common/classIndex';
import {InputError} from '../common/errors';
import {centralRange, type Summary} from '../numerics/summary';
import type {Split} from '../split/types';
import {peaksOf, type Peak} from './peaks';
import {channelNames, summedActivations} from './activations';
import {checkControls, imagesOfConcepts, type EvaluationOptions} from './layerPass';
import {randomSplits} from './randomSplit';
import {intervalText, percentText} from '../common/numbers';
import {textTable} from '../common/textTable';
import {namedClasses} from '../common/words';
import {readable} from '../common/readable';

export interface TopImagesOptions extends EvaluationOptions {
  /** Images a list. @default 20 */
  count?: number;
  /** Random splits of the same sizes that the lists' purity is held against. @default 20 */
  randomSplits?: number;
  /** Images of these classes only, by index or name. @default all */
  classes?: readonly (number | string)[];
  /** Whether each image gets a map of what excites the channel in it, for masks and close crops. @default false */
  relevance?: boolean;
}

/** An image in a list. */
export interface TopImage {
  /** Its place among the images given, and its path there. */
  index: number;
  path: string;
  class: number;
  className: string;
  /** Summed activation Σ_hw relu(channel), above 0. */
  activation: number;
  /** Where the channel fires most in it, and what the network takes it for. */
  peak?: Peak;
}

/** The images that excite one channel most. */
export interface TopList {
  /** `original`, `d1` … `dk` */
  channel: string;
  /** The highest activation first; fewer than asked for where fewer excite the channel at all. */
  images: TopImage[];
  /** Share of these images that are of each concept's classes, [k]; NaN of an empty list. */
  purity: number[];
  /** The same share for the list's own concept over random splits: mean, deviation and central 95 %. Undefined for the original. */
  random?: Summary;
}

/** Which images excite the original channel and each part most. */
export interface SplitTopImages {
  readonly kind: 'top images';
  layer: string;
  channel: number;
  concepts: {classes: number[]; classNames: string[]; shareOfAll: number}[];
  /** Of the original, then of each part; part j's own concept is j. */
  lists: TopList[];
  randomSplits: number;
  toString(): string;
}

/**
 * The images that excite the original channel and each part most, by summed activation Σ_hw relu over all images given, and how pure each
 * list is: the share of its own concept's classes, beside the same for random splits of the same sizes.
 * @throws InputError for a concept without images or a count below 1; InterruptError when stopped
 */
export async function topImages(
  split: Split,
  images: LabelledImages,
  options: TopImagesOptions = {},
): Promise<SplitTopImages> {
  const {count = 20, randomSplits: controls = 20, seed = 0, relevance = false, ...running} = options;
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InputError(`invalid count: ${count}; give a whole number of images from 1, such as 20`);
  checkControls(controls, seed);
  imagesOfConcepts(split, images);
  const random = randomSplits(split, {count: controls, seed});
  const k = split.parts.length;
  const kernels = [split.original, ...split.parts, ...random.flatMap(({parts}) => parts)];
  const labels = images.labelsFor(split.before.classes);
  const classNames = split.before.classNames ?? images.classNamesFor(split.before.classes);
  const classes = options.classes?.map((wanted) => classIndex(wanted, classNames));
  const all = Array.from(images.paths.keys()).filter((index) => !classes || classes.includes(labels[index]));
  if (all.length === 0)
    throw new InputError(`${images.name} has no image of the classes ${options.classes?.join(', ')}`);
  const measured = await summedActivations(split, images, all, kernels, running);
  const listOf = (kernel: number): TopImage[] => {
    const values = measured.activations[kernel];
    return highest(values, count).map((at) => {
      const index = measured.images[at];
      const label = labels[index];
      return {
        index,
        path: images.paths[index],
        class: label,
        className: classNames[label],
        activation: values[at],
      };
    });
  };
  const purityOf = (list: readonly TopImage[], concept: number) =>
    list.filter((image) => split.concepts[concept].classes.includes(image.class)).length / list.length;
  const lists = channelNames(split).map((channel, n): TopList => {
    const list = listOf(n);
    const randomPurity = (j: number) =>
      centralRange(
        random.map((_, r) => purityOf(listOf(1 + k + r * k + j), j)).filter((share) => !Number.isNaN(share)),
      );
    return {
      channel,
      images: list,
      purity: split.concepts.map((_, j) => purityOf(list, j)),
      ...(n > 0 && {random: randomPurity(n - 1)}),
    };
  });
  const places = lists.flatMap((list, kernel) => list.images.map((image) => ({image, index: image.index, kernel})));
  const own = kernels.slice(0, 1 + k).map((kernel) => ({kernel}));
  const peaks = await peaksOf(split, own, images, places, {...running, relevance, progress: false});
  places.forEach(({image}, at) => Object.assign(image, peaks[at] && {peak: peaks[at]}));
  const result: Omit<SplitTopImages, 'toString'> = {
    kind: 'top images',
    layer: split.layer,
    channel: split.channel,
    concepts: split.concepts.map(({classes, classNames: names}) => ({
      classes,
      classNames: names,
      shareOfAll: measured.images.filter((index) => classes.includes(labels[index])).length / measured.images.length,
    })),
    lists,
    randomSplits: controls,
  };
  return readable(result, () => describeTopImages(result, count));
}

/** Where the highest positive values are, the highest first; equal values in their order. */
function highest(values: readonly number[], count: number): number[] {
  return Array.from(values.keys())
    .filter((at) => values[at] > 0)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, count);
}

function describeTopImages(top: Omit<SplitTopImages, 'toString'>, count: number): string {
  const {layer, channel, concepts, lists, randomSplits: controls} = top;
  const share = (value: number) => (Number.isNaN(value) ? '–' : percentText(value, 1));
  const rows = lists.map(({channel: of, images, purity, random}) => [
    of,
    String(images.length),
    ...purity.map(share),
    random && controls > 0 ? intervalText(random) : '',
  ]);
  const base = ['all images', '', ...concepts.map(({shareOfAll}) => percentText(shareOfAll, 1)), ''];
  const heads = ['', 'images', ...concepts.map(namedClasses), controls > 0 ? 'own concept, random splits' : ''];
  return [
    `the ${count} images that excite channel ${channel} of layer ${layer} and each part most: share of each concept`,
    ...textTable([heads, ...rows, base]),
  ].join('\n');
}
