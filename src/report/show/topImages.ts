import {topImages, type Peak, type SplitTopImages} from '../../evaluate';
import {classIndex} from '../../common/classIndex';
import type {LabelledImages} from '../../images/types';
import {intervalText, numberText, percentText} from '../../common/numbers';
import type {NamedClasses} from '../../plots/inputs';
import {classLabel, conceptLabels} from '../../plots/labels';
import {colourName, conceptColours, NO_CONCEPT} from '../../plots/palette';
import type {Split} from '../../split/types';
import {ROW, type ShowOptions} from './options';
import {thumbnailGrid, type ThumbnailRow} from './thumbnails';
import {table, words, type View} from './view';

/** The view of a split with the images that excite the channel and its parts most. */
export async function withTopImages(
  view: View,
  split: Split,
  images: LabelledImages,
  options: ShowOptions,
): Promise<View> {
  const {count = ROW, classes, crop, mask = false} = options;
  const relevance = mask || crop === 'relevance';
  const top = await topImages(split, images, {count, classes, relevance, randomSplits: 0, progress: false});
  return [...view, ...(await topImagesView(top, {...options, classes: undefined}))];
}
/** Which images excite the original and each part most; with the images themselves, framed by concept. */
export async function topImagesView(top: SplitTopImages, options: ShowOptions): Promise<View> {
  const {channel, layer, concepts, lists, randomSplits} = top;
  const labels = conceptLabels(concepts);
  const percent = (share: number) => percentText(share);
  const rows = lists.map(({channel: name, images, purity, random}, n) => [
    name === 'original' ? name : `${name} · ${labels[n - 1]}`,
    images.length,
    ...purity.map(percent),
    random && randomSplits > 0 ? intervalText(random) : '–',
  ]);
  const right = (title: string, hint?: string) => ({title, hint, align: 'right' as const});
  const columns = [
    'channel',
    right('images'),
    ...labels.map((label) => right(label, 'share of these images that are of its classes')),
    right('own, random', 'share of the own concept over random splits, central 95 %'),
  ];
  const view: View = [words(`images that excite channel ${channel} of ${layer} and its parts most`)];
  if (options.images) {
    const grid = await thumbnailGrid('', topImageRows(top, options.classes), options.images, options);
    view.push(grid);
    const known = lists.some(({images: own}) => own.some(({peak}) => peak));
    view.push(
      words(
        '',
        ...(concepts.length > 0 ? [`frames: ${frameWords(concepts)}; grey: other classes`] : []),
        ...(known ? [PREDICTED] : []),
        ...(options.crop ? [CROPPED] : []),
      ),
    );
  }
  return [...view, table(columns, rows)];
}

/** What stands below pictures, and what a click on them does. */
export const PREDICTED = 'below each: the predicted class and its probability; ≠ marks a wrong prediction';
export const CROPPED =
  'each cropped to what the channel sees where it fires most strongly; click for the whole picture';

/**
 * The lists as rows of a grid, each image framed in its concept's colour.
 * @param only images of these classes, by index or name
 * @throws InputError for a class that no image is of
 */
export function topImageRows({concepts, lists}: SplitTopImages, only?: readonly (number | string)[]): ThumbnailRow[] {
  const names: string[] = [];
  for (const {class: k, className} of lists.flatMap(({images}) => images)) names[k] = className;
  const classes = only?.map((wanted) => (typeof wanted === 'number' ? wanted : classIndex(wanted, names)));
  const labels = conceptLabels(concepts);
  const colours = conceptColours(concepts);
  return lists.map(({channel: name, images, purity}, n) => ({
    label: name === 'original' ? 'original' : `${name} · ${labels[n - 1]}`,
    note:
      n === 0
        ? concepts.map((_, j) => `${percentOf(purity[j])} ${labels[j]}`).join(', ')
        : `${percentOf(purity[n - 1])} of its own concept`,
    images: images
      .filter((image) => !classes || classes.includes(image.class))
      .map(({index, path, class: k, className, activation, peak}) => {
        const concept = concepts.findIndex(({classes}) => classes.includes(k));
        return {
          index,
          hint: `${classLabel(k, className)} · ${path} · activation ${numberText(activation)}`,
          ...(peak && {peak, caption: predictedText(peak, k)}),
          frame: concept < 0 ? NO_CONCEPT : colours[concept],
        };
      }),
  }));
}

/** What the network takes an image of class `k` for: `flag 98 %`, `≠ kite 61 %`. The percentage stays on one line. */
export function predictedText({predicted}: Pick<Peak, 'predicted'>, k: number): string {
  return `${predicted.class === k ? '' : '≠ '}${predicted.className} ${percentOf(predicted.probability).replace(' ', '\u00a0')}`;
}

/** Which frame is which concept's. */
export function frameWords(concepts: readonly NamedClasses[]): string {
  const colours = conceptColours(concepts);
  return conceptLabels(concepts)
    .map((label, j) => `${colourName(colours[j])}: ${label}`)
    .join(', ');
}

function percentOf(share: number): string {
  return Number.isNaN(share) ? 'none' : percentText(share);
}
