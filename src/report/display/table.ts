import {countText, numberText} from '../../common/numbers';
import {textTable} from '../../common/textTable';
import type {Bundle} from './bundle';
import {html, isHtml, isolated, type Html} from './html';

export interface Column {
  title: string;
  /** @default right for a column of numbers, otherwise left */
  align?: 'left' | 'right' | 'center';
  /** How a number is written. @default three significant digits, whole numbers in full */
  format?: (value: number) => string;
  /** A word of explanation, shown over the title. */
  hint?: string;
  /** Pixels that a column of long cells keeps on a narrow page, which then scrolls. @default none */
  minWidth?: number;
}
export type Cell = string | number | boolean | null | undefined | Html;

export interface TableOptions {
  caption?: string;
  /** Rows that are shown; the others are counted. @default 50 */
  limit?: number;
}

// Greys that are seen on white and on black; the text keeps the page's own colour.
const ROW = 'border-bottom:1px solid rgb(140,149,159)';
const CELL = 'padding:3px 10px';

/** A table for every front end: inline styles only, text shown as text whatever is in it. */
export function tableBundle(
  columns: readonly (string | Column)[],
  rows: readonly Cell[][],
  options: TableOptions = {},
): Bundle {
  const titled = columns.map(asColumn);
  return {
    data: {'text/html': tableHtml(titled, rows, options).html, 'text/plain': tableText(titled, rows, options)},
  };
}

/** The table's markup, to be put beside other things. */
export function tableHtml(
  columns: readonly (string | Column)[],
  rows: readonly Cell[][],
  {caption, limit = 50}: TableOptions = {},
): Html {
  const titled = columns.map(asColumn);
  const aligned = titled.map((column, i) => alignment(column, rows, i));
  const head = titled.map(
    ({title, hint, minWidth}, i) =>
      html`<th
        style="${`${CELL};text-align:${aligned[i]};font-weight:600${minWidth ? `;min-width:${minWidth}px` : ''}`}"
        ${hint ? html` title="${hint}"` : ''}
      >
        ${isolated(title)}
      </th>`,
  );
  const body = rows.slice(0, limit).map((row) => {
    const cells = titled.map(
      (column, i) => html`<td style="${`${CELL};text-align:${aligned[i]}`}">${cellHtml(row[i], column)}</td>`,
    );
    return html`<tr style="${ROW}">
      ${cells}
    </tr>`;
  });
  const more = moreRows(rows.length, limit);
  return html`<div style="overflow-x:auto">
    ${caption ? html`<div style="font-weight:600;margin:4px 0">${isolated(caption)}</div>` : ''}
    <table style="border-collapse:collapse;margin:0;font-size:13px;font-variant-numeric:tabular-nums">
      <thead>
        <tr style="${ROW}">
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
    ${more ? html`<div style="margin:4px 0">${more}</div>` : ''}
  </div>`;
}

/** The table in columns of plain text. */
export function tableText(
  columns: readonly (string | Column)[],
  rows: readonly Cell[][],
  options: TableOptions = {},
): string {
  const {lines, right, more} = tableCells(columns, rows, options);
  const text = textTable(lines, (column) => right[column]);
  return [...(options.caption ? [options.caption] : []), ...text, more].filter(Boolean).join('\n');
}

/** The same as text in cells, the heads first; which columns stand to the right; and what is left out. */
export function tableCells(
  columns: readonly (string | Column)[],
  rows: readonly Cell[][],
  {limit = 50}: TableOptions = {},
): {lines: string[][]; right: boolean[]; more: string} {
  const titled = columns.map(asColumn);
  return {
    lines: [
      titled.map(({title}) => title),
      ...rows.slice(0, limit).map((row) => titled.map((column, i) => cellText(row[i], column))),
    ],
    right: titled.map((column, i) => alignment(column, rows, i) === 'right'),
    more: moreRows(rows.length, limit),
  };
}

function asColumn(column: string | Column): Column {
  return typeof column === 'string' ? {title: column} : column;
}

function alignment({align}: Column, rows: readonly Cell[][], index: number): string {
  if (align) return align;
  const values = rows.map((row) => row[index]).filter((value) => value !== null && value !== undefined);
  return values.length > 0 && values.every((value) => typeof value === 'number') ? 'right' : 'left';
}

function cellHtml(value: Cell, column: Column): Html {
  if (isHtml(value)) return value;
  return typeof value === 'number' ? html`${cellText(value, column)}` : isolated(cellText(value, column));
}

function cellText(value: Cell, {format = numberText}: Column): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return format(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return isHtml(value) ? value.html.replace(/<[^>]*>/g, '') : value;
}

function moreRows(count: number, limit: number): string {
  if (count === 0) return 'no rows';
  return count > limit ? `… and ${countText(count - limit)} more rows` : '';
}
