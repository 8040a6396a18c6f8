import {percentText} from '../common/numbers';

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

export {fractionText as number, intervalText as withInterval, spreadText as withSpread} from '../common/numbers';

export const percent = (share: number) => percentText(share, 1);
