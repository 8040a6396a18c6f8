import {fractionText, intervalText, numberText, percentText, spreadText} from '../common/numbers';
import {namedClasses} from '../common/words';
import {textTable} from '../common/textTable';
import type {Fractions, SplitEvaluation} from './types';
import {verdictsOf} from './verdict';

/** A table a concept, for a terminal or a cell. */
export function describeEvaluation(evaluation: Omit<SplitEvaluation, 'toString'>): string {
  const {layer, channel, rule, tau, images, concepts, top1, randomSplits, warnings} = evaluation;
  const lines = [
    ...verdictsOf(evaluation).map(({sentence}) => sentence),
    '',
    `channel ${channel} of layer ${layer}, divided by rule ${rule}, on ${images} images (τ ${numberText(tau)}); top-1 ${percentText(top1.before, 1)} before, ${percentText(top1.after, 1)} after`,
    'fractions of the original: mean ± deviation over the images [95 % interval of the mean]' +
      (randomSplits > 0 ? `; random: mean and central 95 % of ${randomSplits} random splits of the same sizes` : ''),
  ];
  concepts.forEach(({classes, classNames, published, positive, ratioOfSums, auroc}, own) => {
    const heads = auroc.parts.map((_, j) => (j === own ? `part ${j + 1} (own)` : `part ${j + 1}`));
    const rows: string[][] = [['', 'images', ...heads, 'residue']];
    const add = (name: string, {images: count, summary, random}: Fractions) => {
      rows.push([name, String(count), ...summary.parts.map(spreadText), spreadText(summary.residue)]);
      if (randomSplits > 0)
        rows.push(['  random', '', ...random.parts.map(intervalText), intervalText(random.residue)]);
    };
    add('published', published);
    add('positive', positive);
    add('ratio of sums', ratioOfSums);
    rows.push([`AUROC (original ${fractionText(auroc.original)})`, '', ...auroc.parts.map(fractionText), '']);
    if (randomSplits > 0) rows.push(['  random', '', ...auroc.random.map(intervalText), '']);
    lines.push('', namedClasses({classes, classNames}));
    lines.push(...textTable(rows).map((line) => `  ${line}`));
  });
  return [...lines, ...warnings.map((warning) => `warning: ${warning}`)].join('\n');
}
