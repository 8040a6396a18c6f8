import type {Summary} from '../numerics/summary';

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

/** A mean with the deviation behind it, as `1.07 ± 0.32 [1.01, 1.13]`. */
export const withSpread = (summary: Summary) =>
  Number.isFinite(summary.deviation) && Number.isFinite(summary.interval[0])
    ? withInterval(summary).replace(' [', ` ± ${number(summary.deviation)} [`)
    : withInterval(summary);

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
