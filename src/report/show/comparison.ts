import type {AttributionComparison} from '../../pass/attribution';
import {numberText} from '../../plots/labels';
import {table, type View} from './view';

/** How alike attributions order the channels of a layer, each beside each. */
export function comparisonView({layer, names, images, correlations}: AttributionComparison): View {
  const columns = ['attribution', ...names.map((title) => ({title, format: numberText}))];
  return [
    table(
      columns,
      names.map((name, i) => [name, ...correlations[i]]),
      {caption: `rank correlation of the channels of ${layer}, mean over ${images} images`, limit: 40},
    ),
  ];
}
