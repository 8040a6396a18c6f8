import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {DividedChannel} from './inputs';
import {conceptLabels, legendColumns, NUMBER_FORMAT, rounded} from './labels';
import {conceptColours, NO_CONCEPT} from './palette';

/**
 * What each of several splits of one channel gives its parts and the residue: Σ|weight|, of the original's. A shared source counts in every
 * part, so a row may add up to more than 1.
 */
export function partWeights(splits: readonly (DividedChannel & {residue: ArrayLike<number>})[]): Figure {
  const title = 'What each rule gives the parts and the residue';
  const [first] = splits;
  if (!first) return sentenceFigure(title, 'There is no split to show.');
  const other = splits.find(({layer, channel}) => layer !== first.layer || channel !== first.channel);
  if (other) {
    return sentenceFigure(
      title,
      `These splits are of channel ${first.channel} of ${first.layer} and of channel ${other.channel} of ${other.layer}: they cannot be compared.`,
    );
  }
  const parts = [...conceptLabels(first.concepts).map((label, j) => `d${j + 1} · ${label}`), 'residue'];
  const size = (kernel: ArrayLike<number>) => Array.from(kernel).reduce((sum, weight) => sum + Math.abs(weight), 0);
  const values = splits.flatMap(({rule, original, parts: kernels, residue}) =>
    [...kernels, residue].map((kernel, n) => ({rule, part: parts[n], weight: rounded(size(kernel) / size(original))})),
  );
  return {
    $schema: SCHEMA,
    title: figureTitle(title, `channel ${first.channel} of ${first.layer}; Σ|weight| as a share of the original’s`),
    data: {values},
    width: 380,
    height: {step: 9, for: 'offset'},
    mark: {type: 'bar'},
    encoding: {
      y: {field: 'rule', type: 'nominal', sort: splits.map(({rule}) => rule), title: null, axis: {labelLimit: 170}},
      yOffset: {field: 'part', type: 'nominal', sort: parts},
      x: {field: 'weight', type: 'quantitative', title: 'share of the original', axis: {format: '%', tickCount: 6}},
      color: {
        field: 'part',
        type: 'nominal',
        scale: {domain: parts, range: [...conceptColours(first.concepts), NO_CONCEPT]},
        legend: {title: null, orient: 'bottom', columns: legendColumns(parts), labelLimit: 170},
      },
      tooltip: [
        {field: 'rule', type: 'nominal', title: 'rule'},
        {field: 'part', type: 'nominal', title: 'part'},
        {field: 'weight', type: 'quantitative', title: 'Σ|weight|', format: NUMBER_FORMAT},
      ],
    },
  };
}
