import {INK, LINE} from '../../plots/palette';
import {brokenLines, drawnText, type Drawing} from './drawing';
import {textWidth} from './fonts';
import {tableCells, type Cell, type Column, type TableOptions} from './table';

const SIZE = 12;
const STEP = 20;
/** Between the lines of one cell. */
const LINE_STEP = 15;
const PADDING = 8;
/** Pixels of a cell at most; longer text goes on in the next line. */
const WIDEST = 280;

/** A table as a drawing. */
export function drawnTable(
  columns: readonly (string | Column)[],
  rows: readonly Cell[][],
  options: TableOptions = {},
): Drawing {
  const {lines, right, more} = tableCells(columns, rows, options);
  const broken = lines.map((row, n) => row.map((cell) => brokenLines(cell, WIDEST, {size: SIZE, bold: n === 0})));
  const widths = right.map((_, i) =>
    Math.max(...broken.flatMap((row, n) => row[i].map((line) => textWidth(line, {size: SIZE, bold: n === 0})))),
  );
  const heights = broken.map((row) => STEP + LINE_STEP * (Math.max(1, ...row.map(({length}) => length)) - 1));
  const starts = widths.map((_, i) => widths.slice(0, i).reduce((sum, width) => sum + width + 2 * PADDING, 0));
  const width = widths.reduce((sum, one) => sum + one + 2 * PADDING, 0);
  const {caption} = options;
  const top = caption ? STEP : 0;
  let end = top;
  const body = broken.map((row, n) => {
    const y = end;
    end += heights[n];
    const cells = row.flatMap((cell, i) =>
      cell.map((line, at) =>
        drawnText(line, starts[i] + PADDING + (right[i] ? widths[i] : 0), y + 14 + LINE_STEP * at, {
          size: SIZE,
          bold: n === 0,
          fill: INK,
          anchor: right[i] ? 'end' : 'start',
        }),
      ),
    );
    return `${cells.join('')}<rect x="0" y="${end - 1}" width="${width}" height="1" fill="${LINE}"/>`;
  });
  const title = caption ? drawnText(caption, 0, 14, {size: 13, bold: true, fill: INK}) : '';
  const rest = more ? drawnText(more, PADDING, end + 14, {size: SIZE, fill: INK}) : '';
  const wide = Math.max(width, caption ? textWidth(caption, {size: 13, bold: true}) : 0);
  return {width: wide, height: end + (more ? STEP : 0), body: title + body.join('') + rest};
}
