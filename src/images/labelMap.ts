import {readFileSync, statSync} from 'node:fs';
import {parse} from 'csv-parse/sync';
import {InputError} from '../common/errors';
import {few, imagenetClasses, imagenetOffset, wordNetId} from './classes';

/** File name, relative path or class folder → class index or WordNet id; or the path of a JSON or CSV file that holds it. */
export type LabelOption = string | Readonly<Record<string, number | string>>;

/** A label map, read but not yet applied to a model. */
export interface LabelMap {
  /** What messages call it. */
  source: string;
  entries: ReadonlyMap<string, number | string>;
}

const MAX_FILE_BYTES = 2 ** 28;

/**
 * Reads a label map: an object, a JSON file with an object, or a CSV file (comma, semicolon or tab) of two columns, file and
 * class index. A CSV file may begin with a header, which also finds the two columns among others: `file`, `path` or `image`, and
 * `label`, `class` or `index`.
 * @throws InputError where it cannot be read, or a label is neither a number nor a WordNet id
 */
export function readLabels(option: LabelOption): LabelMap {
  if (typeof option !== 'string') return labelMap('labels', Object.entries(option));
  let text: string;
  try {
    if (statSync(option).size > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`);
    text = readFileSync(option, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new InputError(`cannot read the labels ${option}: ${(error as Error).message}`);
  }
  return labelMap(option, /^\s*[{[]/.test(text) ? jsonRows(text, option) : csvRows(text, option));
}

function jsonRows(text: string, file: string): (readonly [string, unknown])[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`cannot read the labels ${file}: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`invalid labels ${file}: not a JSON object of file name to class index, e.g. {"0001.png": 7}`);
  }
  return Object.entries(value);
}

function csvRows(text: string, file: string): (readonly [string, unknown])[] {
  let rows: string[][];
  try {
    rows = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      delimiter: delimiterOf(text),
      relax_column_count: true,
    });
  } catch (error) {
    throw new InputError(`cannot read the labels ${file}: ${(error as Error).message}`);
  }
  const short = rows.findIndex((row) => row.length < 2);
  if (short >= 0) {
    throw new InputError(
      `invalid labels ${file}: row ${short + 1}, "${rows[short].join(',')}", has one column; a row is a file name and a class index, e.g. 0001.png,7`,
    );
  }
  // A first row that names a file is no header: its label is a mistake, and reported as one.
  if (rows.length === 0 || isLabel(rows[0][1]) || /\.\w+$/.test(rows[0][0])) return rows.map((row) => [row[0], row[1]]);
  const [header, ...body] = rows;
  const fileColumn = header.findIndex((cell) => /^(file|path|image|img|name|folder)/i.test(cell));
  const labelColumn = header.findIndex(
    (cell, c) => /^(label|class|index|target)/i.test(cell) && body.every((row) => isLabel(row[c])),
  );
  return body.map((row) => [row[Math.max(fileColumn, 0)] ?? '', row[labelColumn < 0 ? 1 : labelColumn]]);
}

/** Semicolons and tabs divide only a file whose first line has no comma, tabs only without semicolons: names may hold either. */
function delimiterOf(text: string): string {
  const line = text.trimStart().split('\n', 1)[0];
  return [',', ';', '\t'].find((delimiter) => line.includes(delimiter)) ?? ',';
}

function isLabel(value: unknown): value is number | string {
  if (typeof value === 'number') return true;
  return typeof value === 'string' && (/^[+-]?\d+(\.\d+)?$/.test(value) || wordNetId(value) !== undefined);
}

function labelMap(source: string, rows: (readonly [string, unknown])[]): LabelMap {
  const entries = new Map<string, number | string>();
  for (const [key, value] of rows) {
    if (!isLabel(value)) {
      throw new InputError(
        `invalid label in ${source}: ${JSON.stringify(value)} for ${key}; a label is a class index or, for a model of ImageNet, a WordNet id`,
      );
    }
    const name = key.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/$/, '');
    const before = entries.get(name);
    if (before !== undefined && String(before) !== String(value)) {
      throw new InputError(`two labels for ${name} in ${source}: ${before} and ${value}; keep one of them`);
    }
    entries.set(name, value);
  }
  if (entries.size === 0) throw new InputError(`no labels in ${source}; it needs a class index for every image`);
  return {source, entries};
}

/**
 * The class index of one entry for a model with `outputs` outputs.
 * @throws InputError where it is not one of them
 */
export function labelIndex(value: number | string, of: string, source: string, outputs: number): number {
  const id = typeof value === 'string' ? wordNetId(value) : undefined;
  const offset = imagenetOffset(outputs);
  const index =
    id === undefined ? Number(value) : offset === undefined ? NaN : (imagenetClasses().get(id)?.index ?? NaN) + offset;
  if (!Number.isInteger(index) || index < 0 || index >= outputs) {
    throw new InputError(`invalid label in ${source}: ${value} for ${of}; the model has outputs 0 to ${outputs - 1}`);
  }
  return index;
}

/**
 * The map's entry for each image: by its path, else by its class folder. The map may be of more images than these.
 * @throws InputError where an image has none
 */
export function entriesFor({entries, source}: LabelMap, paths: readonly string[]): (number | string)[] {
  const unlabelled: string[] = [];
  const found = paths.map((path) => {
    const entry = entries.get(path) ?? entries.get(path.split('/')[0]);
    if (entry === undefined) unlabelled.push(path);
    return entry as number | string;
  });
  if (unlabelled.length === paths.length) {
    throw new InputError(
      `none of the ${entries.size} labels in ${source} is of an image here: they name ${few([...entries.keys()])}, and the images are ${few(paths)}; give paths relative to the folder, or names of class folders`,
    );
  }
  if (unlabelled.length) {
    throw new InputError(
      `no label in ${source} for ${unlabelled.length} of ${paths.length} images: ${few(unlabelled)}; add them or remove the images`,
    );
  }
  return found;
}
