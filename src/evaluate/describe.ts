import type {Summary} from '../numerics/summary';
import type {Fractions, SplitEvaluation} from './types';

/** Rows of text in columns, the first aligned left and the others right. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, c) => Math.max(all[c] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd(),
  );
}

/** A number with two decimals; a dash where it is not defined. */
export const number = (value: number) => (Number.isFinite(value) ? value.toFixed(2) : '–');

/** A mean and its interval, as `1.07 [1.01, 1.13]`. */
export const withInterval = ({mean, interval}: Summary) =>
  Number.isFinite(interval[0]) ? `${number(mean)} [${interval.map(number).join(', ')}]` : number(mean);

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A table a concept, for a terminal or a cell. */
export function describeEvaluation(evaluation: Omit<SplitEvaluation, 'toString'>): string {
  const {layer, channel, rule, tau, images, concepts, top1, randomSplits, warnings} = evaluation;
  const lines = [
    `channel ${channel} of layer ${layer}, divided by rule ${rule}, on ${images} images (τ ${tau}); top-1 ${percent(top1.before)} before, ${percent(top1.after)} after`,
    'fractions of the original with the 95 % interval of the mean' +
      (randomSplits > 0 ? `; random: mean and central 95 % of ${randomSplits} random splits of the same sizes` : ''),
  ];
  concepts.forEach(({classes, classNames, published, positive, ratioOfSums, auroc}, own) => {
    const heads = auroc.parts.map((_, j) => (j === own ? `part ${j + 1} (own)` : `part ${j + 1}`));
    const rows: string[][] = [['', 'images', ...heads, 'residue']];
    const add = (name: string, {images: count, summary, random}: Fractions) => {
      rows.push([name, String(count), ...summary.parts.map(withInterval), withInterval(summary.residue)]);
      if (randomSplits > 0)
        rows.push(['  random', '', ...random.parts.map(withInterval), withInterval(random.residue)]);
    };
    add('published', published);
    add('positive', positive);
    add('ratio of sums', ratioOfSums);
    rows.push([`AUROC (original ${number(auroc.original)})`, '', ...auroc.parts.map(number), '']);
    if (randomSplits > 0) rows.push(['  random', '', ...auroc.random.map(withInterval), '']);
    lines.push('', `${classNames.join(' + ')} (class ${classes.join(', ')})`);
    lines.push(...textTable(rows).map((line) => `  ${line}`));
  });
  return [...lines, ...warnings.map((warning) => `warning: ${warning}`)].join('\n');
}
