import {INK, LINE} from '../../plots/palette';
import {drawnText, fitted, type Drawing} from './drawing';
import {textWidth} from './fonts';
import {tableCells, type Cell, type Column, type TableOptions} from './table';

const SIZE = 12;
const STEP = 20;
const PADDING = 8;
/** Pixels of a cell at most; longer text is cut. */
const WIDEST = 280;

/** A table as a drawing. */
export function drawnTable(
  columns: readonly (string | Column)[],
  rows: readonly Cell[][],
  options: TableOptions = {},
): Drawing {
  const {lines, right, more} = tableCells(columns, rows, options);
  const cut = lines.map((line, n) => line.map((cell) => fitted(cell, WIDEST, {size: SIZE, bold: n === 0})));
  const widths = right.map((_, i) =>
    Math.max(...cut.map((line, n) => textWidth(line[i], {size: SIZE, bold: n === 0}))),
  );
  const starts = widths.map((_, i) => widths.slice(0, i).reduce((sum, width) => sum + width + 2 * PADDING, 0));
  const width = widths.reduce((sum, one) => sum + one + 2 * PADDING, 0);
  const {caption} = options;
  const top = caption ? STEP : 0;
  const body = cut.map((line, n) => {
    const y = top + n * STEP;
    const cells = line.map((cell, i) =>
      drawnText(cell, starts[i] + PADDING + (right[i] ? widths[i] : 0), y + 14, {
        size: SIZE,
        bold: n === 0,
        fill: INK,
        anchor: right[i] ? 'end' : 'start',
      }),
    );
    return `${cells.join('')}<rect x="0" y="${y + STEP - 1}" width="${width}" height="1" fill="${LINE}"/>`;
  });
  const end = top + cut.length * STEP;
  const title = caption ? drawnText(caption, 0, 14, {size: 13, bold: true, fill: INK}) : '';
  const rest = more ? drawnText(more, PADDING, end + 14, {size: SIZE, fill: INK}) : '';
  const wide = Math.max(width, caption ? textWidth(caption, {size: 13, bold: true}) : 0);
  return {width: wide, height: end + (more ? STEP : 0), body: title + body.join('') + rest};
}
