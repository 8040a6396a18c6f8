import {importance} from '../concepts/find';
import {classesWithImages, type RelevanceStatistics} from '../numerics/statistics';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {classLabels, counted, narrowLabels, numberText, rounded} from './labels';
import {EMPTY, GROUND, ON_DARK, ON_LIGHT, SEQUENTIAL} from './palette';

export interface RelevanceMapOptions {
  /** τ: a channel is important for an image from this share on. @default 0.03 */
  tau?: number;
  /** p: cells from this fraction on, where the channel is relevant to the class, get a dot. @default 0.75 */
  p?: number;
  /** Channels to draw. @default those that are relevant to a class, the ones with most classes first */
  channels?: readonly number[];
  /** Channels and classes that are drawn at most. @default 40 and 40 */
  limit?: {channels?: number; classes?: number};
}

/**
 * In what fraction of each class's images each channel is important (Hesse et al. 2025, section 3.1): a column with several dots
 * is a channel that is relevant to several classes.
 */
export function relevanceMap(
  stats: RelevanceStatistics,
  {
    tau = 0.03,
    p = 0.75,
    channels,
    limit: {channels: most = 40, classes: mostClasses = 40} = {},
  }: RelevanceMapOptions = {},
): Figure {
  const title = 'How often each channel matters to each class';
  const fractions = importance(stats, tau); // [Cout, K]
  const {classes: K} = stats;
  const withImages = classesWithImages(stats);
  const relevant = (c: number) => withImages.filter((k) => fractions[c * K + k] >= p - 1e-12);
  const outputs = stats.layer.shape[3];
  const candidates = channels ?? Array.from({length: outputs}, (_, c) => c).filter((c) => relevant(c).length > 0);
  const byClasses = new Map(candidates.map((c) => [c, relevant(c).length]));
  const chosen = [...candidates]
    .sort((a, b) => (byClasses.get(b) ?? 0) - (byClasses.get(a) ?? 0) || a - b)
    .slice(0, most)
    .sort((a, b) => a - b);
  const thresholds = `τ = ${numberText(tau)}, p = ${numberText(p)}`;
  if (chosen.length === 0) {
    return sentenceFigure(
      title,
      `No channel of ${stats.layer.name} is relevant to any class (${thresholds}): give a smaller tau or p.`,
    );
  }
  const weight = new Map(withImages.map((k) => [k, chosen.reduce((sum, c) => sum + fractions[c * K + k], 0)] as const));
  const classes = [...withImages]
    .sort((a, b) => (weight.get(b) ?? 0) - (weight.get(a) ?? 0) || a - b)
    .slice(0, mostClasses)
    .sort((a, b) => a - b);
  const labels = classLabels(classes, stats.classNames);
  const values = classes.flatMap((k, row) =>
    chosen
      .filter((c) => fractions[c * K + k] > 0)
      .map((c) => ({channel: c, class: labels[row], fraction: rounded(fractions[c * K + k], 3)})),
  );
  const cell = Math.max(8, Math.min(26, Math.floor(Math.min(360 / chosen.length, 520 / classes.length))));
  const axis = {ticks: false, domain: false, labelLimit: 120, ...narrowLabels(cell)};
  const scale = (domain: readonly (string | number)[]) => ({domain: [...domain], paddingInner: 0, paddingOuter: 0});
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${stats.layer.name}; dot: relevant (${thresholds})`,
      (chosen.length < outputs || classes.length < withImages.length) &&
        `${chosen.length} of ${counted(outputs, 'channel')}${channels ? '' : ', those with most relevant classes'}; ` +
          `${classes.length} of ${counted(withImages.length, 'class', 'classes')}`,
    ),
    data: {values},
    width: {step: cell},
    height: {step: cell},
    config: {view: {fill: EMPTY}},
    encoding: {
      x: {
        field: 'channel',
        type: 'ordinal',
        title: 'channel',
        scale: scale(chosen),
        axis: {...axis, labelAngle: -90},
      },
      y: {field: 'class', type: 'nominal', title: 'class', scale: scale(labels), axis},
    },
    layer: [
      {
        mark: {type: 'rect', stroke: GROUND, strokeWidth: 0.5},
        encoding: {
          color: {
            field: 'fraction',
            type: 'quantitative',
            scale: {scheme: SEQUENTIAL, domain: [0, 1]},
            legend: {
              title: 'fraction of its images',
              // Below: beside the map, names with their indices leave it no room on a narrow page.
              orient: 'bottom',
              direction: 'horizontal',
              gradientLength: 160,
            },
          },
          tooltip: [
            {field: 'channel', type: 'nominal', title: 'channel'},
            {field: 'class', type: 'nominal', title: 'class'},
            {field: 'fraction', type: 'quantitative', title: 'important for', format: '.0%'},
          ],
        },
      },
      {
        transform: [{filter: `datum.fraction >= ${Number(p) - 1e-3}`}],
        mark: {type: 'circle', size: Math.max(6, cell), opacity: 1, tooltip: null},
        encoding: {color: {condition: {test: 'datum.fraction >= 0.5', value: ON_DARK}, value: ON_LIGHT}},
      },
    ],
  };
}
