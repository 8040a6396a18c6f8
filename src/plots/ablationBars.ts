import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {AblatedClassRow, AblatedSplit} from './inputs';
import {classLabels, conceptLabels, counted, legendColumns, NUMBER_FORMAT, rounded} from './labels';
import {conceptColours, INK, NO_CONCEPT, QUIET} from './palette';

export interface AblationBarsOptions {
  /** Classes that are drawn at most: those of the concepts, then those that change most. @default 12 */
  limit?: number;
}

/**
 * How much the logit of each class changes when one concept, or the whole channel, is taken out of the network; a tick shows the same
 * for random parts.
 */
export function ablationBars(ablation: AblatedSplit, {limit = 12}: AblationBarsOptions = {}): Figure {
  const {layer, channel, concepts, classes, randomSplits} = ablation;
  const title = `What removing a concept of channel ${channel} costs`;
  const change = ({zeroed, removed}: AblatedClassRow) =>
    [zeroed, ...removed].reduce((most, {logit}) => Math.max(most, Math.abs(logit)), 0);
  const drawable = classes.filter((one) => [one.zeroed, ...one.removed].some(({logit}) => Number.isFinite(logit)));
  if (drawable.length === 0) {
    return sentenceFigure(title, `No class of layer ${layer} has images and logits that are finite numbers.`);
  }
  const rank = ({concept}: AblatedClassRow) => (concept < 0 ? concepts.length : concept);
  const shown = [...drawable]
    .sort((a, b) => Number(a.concept < 0) - Number(b.concept < 0) || change(b) - change(a))
    .slice(0, limit)
    .sort((a, b) => rank(a) - rank(b) || change(b) - change(a));
  const names: string[] = [];
  for (const one of classes) names[one.class] = one.className;
  const labels = classLabels(
    shown.map((one) => one.class),
    names,
  );
  const removals = ['whole channel', ...conceptLabels(concepts)];
  const values = shown.flatMap((one, row) =>
    [one.zeroed, ...one.removed].map(({logit}, n) => ({
      class: labels[row],
      images: one.images,
      removed: removals[n],
      change: rounded(logit),
      random: n > 0 && randomSplits > 0 ? rounded(one.random[n - 1].logit) : null,
    })),
  );
  const y = {
    field: 'class',
    type: 'nominal' as const,
    sort: labels,
    title: 'class of the images',
    axis: {labelLimit: 150, ticks: false},
  };
  const yOffset = {field: 'removed', type: 'nominal' as const, sort: removals};
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer}; classes of the concepts first${randomSplits > 0 ? `; tick: mean of ${counted(randomSplits, 'random split')}` : ''}`,
      shown.length < drawable.length &&
        `${shown.length} of ${counted(drawable.length, 'class', 'classes')}, those whose logit changes most`,
    ),
    data: {values},
    width: 380,
    height: {step: 8, for: 'offset'},
    layer: [
      {
        mark: {type: 'bar'},
        encoding: {
          y,
          yOffset,
          x: {
            field: 'change',
            type: 'quantitative',
            title: 'mean change of the class’s own logit',
            axis: {tickCount: 6},
          },
          color: {
            field: 'removed',
            type: 'nominal',
            scale: {domain: removals, range: [NO_CONCEPT, ...conceptColours(concepts)]},
            legend: {title: 'removed', orient: 'bottom', columns: legendColumns(removals), labelLimit: 170},
          },
          tooltip: [
            {field: 'class', type: 'nominal', title: 'class'},
            {field: 'images', type: 'quantitative', title: 'its images'},
            {field: 'removed', type: 'nominal', title: 'removed'},
            {field: 'change', type: 'quantitative', title: 'change of its logit', format: NUMBER_FORMAT},
            {field: 'random', type: 'quantitative', title: 'with random parts', format: NUMBER_FORMAT},
          ],
        },
      },
      {
        transform: [{filter: 'datum.random !== null'}],
        mark: {type: 'tick', color: INK, thickness: 2, size: 8, tooltip: null},
        encoding: {y, yOffset, x: {field: 'random', type: 'quantitative'}},
      },
      {mark: {type: 'rule', color: QUIET, tooltip: null}, encoding: {x: {datum: 0}}},
    ],
  };
}
