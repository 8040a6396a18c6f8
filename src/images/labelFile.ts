import {parse} from 'csv-parse/sync';
import {InputError} from '../common/errors';
import {isRecord} from '../common/isRecord';
import {parseJson, repeatedKey} from '../common/json';
import {readTextFile} from '../files/regularFile';

/**
 * Label files as people have them, read to rows of cells; what the columns mean is found later, beside the images (`labelColumns.ts`).
 */

/** One row, and the line of the file that it stands in (from 1), where there is one. */
export interface LabelRow {
  cells: string[];
  line?: number;
}

export interface LabelTable {
  /** What messages call it. */
  source: string;
  rows: LabelRow[];
  /** Names of the columns, where they are known to be such. */
  header?: string[];
}

const MAX_FILE_BYTES = 2 ** 28;

/**
 * Reads a label file: JSON (an object of file to label, a list of pairs, of records or of class names), JSON lines, or text in columns
 * (comma, semicolon, tab or space). UTF-8 or UTF-16.
 * @throws InputError where it cannot be read
 */
export function readLabelFile(file: string): LabelTable {
  let text: string;
  try {
    // Some files end their lines in two ways.
    text = readTextFile(file, MAX_FILE_BYTES).replace(/\r\n?/g, '\n');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new InputError(
      `cannot read the labels ${file}: ${missing ? 'there is no such file' : (error as Error).message}`,
    );
  }
  const table = /^\s*[{[]/.test(text) ? jsonTable(text, file) : textTable(text, file);
  if (table.rows.length === 0) throw new InputError(`no labels in ${file}; it needs a class index for every image`);
  return table;
}

/** Labels given as an object. @throws InputError where one is neither a number nor text */
export function objectTable(source: string, labels: object): LabelTable {
  const rows = Object.entries(labels).map(([key, value]) => ({cells: [key, cellOf(value, key, source)]}));
  if (rows.length === 0) throw new InputError(`no labels in ${source}; it needs a class index for every image`);
  return {source, rows};
}

function jsonTable(text: string, source: string): LabelTable {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const records = jsonLines(text);
    if (records) return recordsTable(records, source);
    throw new InputError(`cannot read the labels ${source}: ${(error as Error).message}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) {
    throw new InputError(`two labels for ${twice} in ${source}, whose key is repeated; keep one of them`);
  }
  return tableOf(value, source);
}

function tableOf(value: unknown, source: string): LabelTable {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) return {source, rows: value.map((cell) => ({cells: [cell]}))};
    if (value.length > 0 && value.every((item) => Array.isArray(item) && item.length >= 2)) {
      return {
        source,
        rows: value.map((item: unknown[]) => ({cells: item.map((cell) => cellOf(cell, String(item[0]), source))})),
      };
    }
    if (value.length > 0 && value.every(isRecord)) return recordsTable(value, source);
  } else if (isRecord(value)) {
    const [only, ...others] = Object.values(value);
    if (others.length === 0 && Array.isArray(only) && only.some((item) => typeof item === 'object'))
      return tableOf(only, source);
    if (Object.values(value).some((item) => isRecord(item) || (Array.isArray(item) && isRecord(item[0])))) {
      throw new InputError(
        `invalid labels ${source}: an object of objects; give a JSON object of file name to class index, e.g. {"0001.png": 7}`,
      );
    }
    return objectTable(source, value);
  }
  throw new InputError(
    `invalid labels ${source}: not a JSON object of file name to class index, e.g. {"0001.png": 7}, and no list of pairs, records or class names`,
  );
}

function recordsTable(records: readonly Record<string, unknown>[], source: string): LabelTable {
  const header = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
  return {
    source,
    header,
    rows: records.map((record, at) => ({cells: header.map((key) => text(record[key])), line: at + 1})),
  };
}

/** One JSON object a line; undefined where it is not that. */
function jsonLines(text: string): Record<string, unknown>[] | undefined {
  try {
    const records = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line): unknown => parseJson(line));
    return records.every(isRecord) ? records : undefined;
  } catch {
    return undefined;
  }
}

/** Of a list, as in `{"0": ["n01440764", "tench"]}`, the first text. @throws InputError where the value is no label */
function cellOf(value: unknown, key: string, source: string): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return first;
  if (typeof first === 'number') return String(first);
  throw new InputError(
    `invalid label in ${source}: ${JSON.stringify(value)?.slice(0, 60) ?? typeof value} for ${key.slice(0, 200)}; a label is a class index, a class's name or, for a model of ImageNet, a WordNet id`,
  );
}

function textTable(text: string, source: string): LabelTable {
  if (text.includes('\0')) throw new InputError(`cannot read the labels ${source}: it is no text`);
  const delimiter = delimiterOf(text);
  if (delimiter === undefined) return {source, rows: spacedRows(text)};
  try {
    const records = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      delimiter,
      relax_column_count: true,
      info: true,
    }) as {record: string[]; info: {lines: number}}[];
    const rows = records.map(({record, info}) => ({cells: record, line: info.lines}));
    // Of a remark the first cell begins with #; so may a file's name, which then has an ending.
    return {source, rows: rows.filter(({cells}) => !(cells[0].startsWith('#') && !/\.\w+$/.test(cells[0])))};
  } catch (error) {
    throw new InputError(`cannot read the labels ${source}: ${(error as Error).message}`);
  }
}

/** Semicolons and tabs divide only a file whose first line has no comma, tabs only without semicolons: names may hold either. Without any: spaces. */
function delimiterOf(text: string): string | undefined {
  const line = text.split('\n').find((candidate) => candidate.trim() !== '' && !candidate.startsWith('#')) ?? '';
  return [',', ';', '\t'].find((delimiter) => line.includes(delimiter));
}

/**
 * Rows of words. Where all rows end in a number or a WordNet id and have different numbers of words, or begin with a path that only a later word ends,
 * names hold spaces: the last word is the label.
 */
function spacedRows(text: string): LabelRow[] {
  const rows = text
    .split('\n')
    .map((content, at) => ({content: content.trim(), line: at + 1}))
    .filter(({content}) => content !== '' && !/^#\s/.test(content));
  const words = rows.map(({content, line}) => ({cells: content.split(/\s+/), line}));
  const divided = words.every(
    ({cells}) => cells.length > 2 && /^[^.]*\/[^.]*$/.test(cells[0]) && /\.\w+$/.test(cells[cells.length - 2]),
  );
  if (!divided && words.every(({cells}) => cells.length === words[0].cells.length && cells.length !== 1)) return words;
  const labelLast = /^(.*\S)\s+(-?\d+|n\d{8})$/;
  if (rows.every(({content}) => labelLast.test(content))) {
    return rows.map(({content, line}) => ({cells: labelLast.exec(content)!.slice(1), line}));
  }
  const labelFirst = /^(-?\d+|n\d{8})\s+(\S.*)$/;
  if (rows.every(({content}) => labelFirst.test(content))) {
    return rows.map(({content, line}) => ({cells: labelFirst.exec(content)!.slice(1), line}));
  }
  return rows.map(({content, line}) => ({cells: [content], line}));
}
