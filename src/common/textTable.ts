/**
 * Rows of text in columns that are two spaces apart.
 * @param rows as many cells in each
 * @param right which columns are aligned to the right, by index. @default all but the first
 */
export function textTable(
  rows: readonly (readonly string[])[],
  right: (column: number) => boolean = (column) => column > 0,
): string[] {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, c) => Math.max(all[c] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, c) => (right(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd(),
  );
}
