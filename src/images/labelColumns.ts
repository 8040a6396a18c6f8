import type {LabelKeys} from './labelKeys';
import type {LabelTable} from './labelFile';
import {wordNetId} from './classes';

/** A class index, a WordNet id, or a class's name. */
export interface LabelPair {
  /** What the label is of: a file or a class folder. */
  key: string;
  label: string;
  line?: number;
}

export interface LabelPairs {
  pairs: LabelPair[];
  notes: string[];
  /** The labels are positions of a one among zeros, in this many columns. */
  oneHot?: number;
}

const KEY_WORDS = /^(file|path|image|img|name|folder|id$|fname|sample)/i;
const LABEL_WORDS = /^(label|class|index|target|synset|category|wnid|prediction|species|y$)/i;

/** The label that a cell holds: of an id with boxes (Kaggle's `n01440764 85 1 499 272`) the id. */
export function labelOf(cell: string): string {
  const text = cell.trim();
  return /^(n\d{8})(\s+-?\d+(\.\d+)?)+\b/.exec(text)?.[1] ?? text;
}

/** Whether a cell is a class index or a WordNet id. */
export function isLabel(cell: string | undefined): boolean {
  if (cell === undefined) return false;
  const text = labelOf(cell);
  return /^[+-]?\d+(\.\d+)?$/.test(text) || wordNetId(text) !== undefined;
}

/** Which columns hold files and labels, found by what the cells are: those that name images here hold files. */
export function pairsOf(table: LabelTable, keys: LabelKeys): LabelPairs {
  const {header, body} = headed(table, keys);
  const columns = body.reduce((most, {cells}) => Math.max(most, cells.length), header?.length ?? 0);
  const every = Math.max(1, Math.floor(body.length / 500));
  const sample = body.filter((_, at) => at % every === 0);
  const fit = Array.from({length: columns}, (_, c) =>
    sample.reduce((sum, {cells}) => sum + fitOf(cells[c] ?? '', keys), KEY_WORDS.test(header?.[c] ?? '') ? 0.5 : 0),
  );
  const best = fit.indexOf(Math.max(...fit));
  const fileColumn = fit[best] > 0 ? best : 0;
  const others = Array.from({length: columns}, (_, c) => c).filter((c) => c !== fileColumn);
  const oneHot = oneHotOf(header, body, others);
  if (oneHot) {
    return {
      pairs: body.map(({cells, line}) => ({
        key: cells[fileColumn],
        label: String(others.findIndex((c) => Number(cells[c]) === 1)),
        line,
      })),
      notes: [
        `the labels are columns of zeros and ones, in the order of ${others
          .slice(0, 3)
          .map((c) => header![c])
          .join(', ')}${others.length > 3 ? ', …' : ''}: the first is class 0`,
      ],
      oneHot: others.length,
    };
  }
  const labelled = others.filter((c) => body.every(({cells}) => isLabel(cells[c])));
  const called = others.filter((c) => LABEL_WORDS.test(header?.[c] ?? ''));
  const ids = labelled.filter((c) => body.every(({cells}) => wordNetId(labelOf(cells[c])) !== undefined));
  const labelColumn =
    called.find((c) => labelled.includes(c)) ?? called[0] ?? ids[0] ?? labelled[0] ?? others[0] ?? fileColumn;
  return {
    pairs: body.map(({cells, line}) => ({
      key: cells[fileColumn] ?? '',
      label: labelOf(cells[labelColumn] ?? ''),
      line,
    })),
    notes: [],
  };
}

/** How surely a cell names an image here: its path more than its folder, a looser form less. */
function fitOf(cell: string, keys: LabelKeys): number {
  const image = keys.imageOf(cell);
  if (image) return 3 - image.distance / 20;
  return keys.folderOf(cell) === undefined ? 0 : 1;
}

function headed({rows, header}: LabelTable, keys: LabelKeys) {
  if (header !== undefined || rows.length < 2) return {header, body: rows};
  const [first, ...body] = rows;
  const {cells} = first;
  if (cells.length < 2 || cells.some((cell) => fitOf(cell, keys) > 0)) return {header, body: rows};
  // A first row that names a file is no header, and its label, where it is none, a mistake.
  if (cells.some((cell) => isLabel(cell) || /\.[a-z]\w{1,4}$/i.test(cell))) return {header, body: rows};
  const words = cells.some((cell) => KEY_WORDS.test(cell) || LABEL_WORDS.test(cell));
  return words || body.some((row) => row.cells.some(isLabel)) ? {header: cells, body} : {header, body: rows};
}

/** Whether all columns but the file's hold a single one among zeros. */
function oneHotOf(header: string[] | undefined, body: LabelTable['rows'], others: readonly number[]): boolean {
  if (!header || others.length < 2 || others.some((c) => LABEL_WORDS.test(header[c]))) return false;
  return body.every(({cells}) => {
    const ones = others.filter((c) => Number(cells[c]) === 1).length;
    return ones === 1 && others.every((c) => /^[01](\.0*)?$/.test(cells[c] ?? ''));
  });
}
