import {InputError} from '../common/errors';
import {classNames, few, imagenetClasses, imagenetOffset, shownName, wordNetId} from './classes';
import {isLabel, pairsOf, type LabelPair} from './labelColumns';
import {objectTable, readLabelFile, type LabelTable} from './labelFile';
import {labelKeys, type LabelKeys} from './labelKeys';
import type {Labelling} from './labelling';

/** File name, relative path or class folder → class index or WordNet id; or the path of a file that holds it, see `readLabelFile`. */
export type LabelOption = string | Readonly<Record<string, number | string>>;

/** What an image's label is, before a model says what it means: a class index, a WordNet id or a class's name. */
export interface Entry {
  label: string;
  line?: number;
}

/**
 * The labels of images from a label file or an object.
 * @param root absolute path of the folder that `paths` are relative to
 * @throws InputError where they cannot be read or an image has none; `labels(outputs)` throws where one is no output
 */
export function mappedLabelling(option: LabelOption, paths: readonly string[], root = ''): Labelling {
  const table = typeof option === 'string' ? readLabelFile(option) : objectTable('labels', option);
  const keys = labelKeys(paths, root);
  if (table.rows.every(({cells}) => cells.length === 1)) return oneColumn(table, paths, keys);
  const {pairs, notes, oneHot} = pairsOf(table, keys);
  const swapped = inverted(pairs, keys);
  const all = swapped ?? pairs;
  checkPairs(all, table.source);
  return labellingOf(entriesFor(all, paths, keys, table.source), paths, table.source, {
    all: [...new Set(all.map(({label}) => label))],
    notes,
    oneHot,
  });
}

/** One word a line: class names by index, or a label for each image in its order. */
function oneColumn({rows, source}: LabelTable, paths: readonly string[], keys: LabelKeys): Labelling {
  const words = rows.map(({cells, line}) => ({word: cells[0].trim(), line}));
  const folders = words.map(({word}) => keys.folderOf(word));
  if (folders.some((folder) => folder !== undefined)) {
    const pairs = words.map(({word, line}, index) => ({key: word, label: String(index), line}));
    return labellingOf(entriesFor(pairs, paths, keys, source), paths, source, {
      all: pairs.map(({label}) => label),
      notes: [`${source} lists the class folders: the first is class 0`],
    });
  }
  const short = words.find(({word}) => !isLabel(word)) ?? words.find(({word}) => keys.imageOf(word) !== undefined);
  if (short) {
    throw new InputError(
      `invalid labels ${source}: ${short.line === undefined ? 'entry' : `row ${short.line}`}, "${short.word.slice(0, 80)}", has one column; a row is a file name and a class index, e.g. 0001.png,7`,
    );
  }
  const numbers = words.filter(({word}) => wordNetId(word) === undefined);
  if (numbers.length > 0 && (/ground.?truth/i.test(source) || paths.some((path) => /ILSVRC20\d\d_/.test(path)))) {
    throw new InputError(
      `invalid labels ${source}: a number per line for images of ILSVRC, whose ground truth counts classes in an order of its own; give synset_labels.txt (a WordNet id a line) or a file of file name and class index`,
    );
  }
  if (words.length !== paths.length) {
    throw new InputError(
      `${words.length} labels in ${source}, one per line, for ${paths.length} images; without file names there is one for each image, in the order of the images' names`,
    );
  }
  return labellingOf(
    words.map(({word, line}) => ({label: word, line})),
    paths,
    source,
    {
      all: [...new Set(words.map(({word}) => word))],
      notes: [`${source} names no files: its lines are taken in the order of the images' names (${few(paths)})`],
    },
  );
}

/** A map from index to class (`{"0": "cat"}`) turned round; undefined where it is none. */
function inverted(pairs: readonly LabelPair[], keys: LabelKeys): LabelPair[] | undefined {
  const fits = (text: string) => keys.imageOf(text) !== undefined || keys.folderOf(text) !== undefined;
  if (pairs.some(({key}) => !/^\d+$/.test(key) || fits(key))) return undefined;
  if (!pairs.some(({label}) => keys.folderOf(label) !== undefined)) return undefined;
  return pairs.map(({key, label, line}) => ({key: label, label: key, line}));
}

/** @throws InputError for labels of which some are names and others are indices or ids, and for two of one key */
function checkPairs(pairs: readonly LabelPair[], source: string): void {
  const known = pairs.filter(({label}) => isLabel(label));
  const wrong = pairs.find(({label}) => label === '' || (known.length > 0 && !isLabel(label)));
  if (wrong) {
    throw new InputError(
      `invalid label in ${source}${atLine(wrong.line)}: ${JSON.stringify(wrong.label.slice(0, 80))} for ${wrong.key.slice(0, 200)}; a label is a class index or, for a model of ImageNet, a WordNet id`,
    );
  }
  const labels = new Map<string, string>();
  for (const {key, label, line} of pairs) {
    const before = labels.get(key);
    if (before !== undefined && before !== label) {
      throw new InputError(
        `two labels for ${key} in ${source}${atLine(line)}: ${before} and ${label}; keep one of them`,
      );
    }
    labels.set(key, label);
  }
}

function atLine(line: number | undefined): string {
  return line === undefined ? '' : `, line ${line}`;
}

/** Each image's entry: by its path, else by its class folder. The table may be of more images than these. */
function entriesFor(pairs: readonly LabelPair[], paths: readonly string[], keys: LabelKeys, source: string): Entry[] {
  const found = new Array<(LabelPair & {distance: number}) | undefined>(paths.length).fill(undefined);
  const ofFolder = new Map<string, LabelPair>();
  for (const pair of pairs) {
    const match = keys.imageOf(pair.key);
    const folder = match ? undefined : keys.folderOf(pair.key);
    if (folder !== undefined && !ofFolder.has(folder)) ofFolder.set(folder, pair);
    if (!match) continue;
    const before = found[match.image];
    if (before && before.distance === match.distance && before.label !== pair.label) {
      throw new InputError(
        `two labels for ${paths[match.image]} in ${source}${atLine(pair.line)}: ${before.label} and ${pair.label} (${before.key} and ${pair.key}); keep one of them`,
      );
    }
    if (!before || match.distance < before.distance) found[match.image] = {...pair, distance: match.distance};
  }
  const entries = found.map((entry, image) => entry ?? ofFolder.get(paths[image].split('/')[0]));
  const unlabelled = paths.filter((_, image) => entries[image] === undefined);
  if (unlabelled.length === paths.length) {
    throw new InputError(
      `none of the ${pairs.length} labels in ${source} is of an image here: they name ${few(pairs.map(({key}) => key.slice(0, 200)))}, and the images are ${few(paths)}; give paths relative to the folder, or names of class folders`,
    );
  }
  if (unlabelled.length) {
    throw new InputError(
      `no label in ${source} for ${unlabelled.length} of ${paths.length} images: ${few(unlabelled)}; add them or remove the images`,
    );
  }
  return entries as Entry[];
}

/** The labelling of images that each have a label of their own. @param all the distinct labels of the whole data set */
export function labellingOf(
  entries: readonly Entry[],
  paths: readonly string[],
  source: string,
  {
    all,
    notes = [],
    oneHot,
    folders = true,
  }: {
    all: readonly string[];
    notes?: string[];
    oneHot?: number;
    /** Whether the folders that images lie in may name their classes. */
    folders?: boolean;
  },
): Labelling {
  const labels = (outputs: number) => {
    if (oneHot !== undefined && oneHot > outputs) {
      throw new InputError(
        `${source} has ${oneHot} columns of zeros and ones, but the model has ${outputs} outputs; give labels that are made for it`,
      );
    }
    const meaning = meaningOf(all, outputs);
    return Int32Array.from(entries, ({label, line}, i) => {
      const index = meaning(label);
      if (!Number.isInteger(index) || index < 0 || index >= outputs) {
        throw new InputError(
          `invalid label in ${source}${atLine(line)}: ${label.slice(0, 80)} for ${paths[i]}; the model has outputs 0 to ${outputs - 1}`,
        );
      }
      return index;
    });
  };
  return {
    labels,
    names: (outputs) => {
      const named = folders && paths.some((path) => path.includes('/'));
      if (!named && all.every((label) => /^[+-]?\d/.test(label))) {
        return flatNames(outputs);
      }
      const known = new Map<number, string>();
      labels(outputs).forEach((label, i) => {
        const folder = named && paths[i].includes('/') ? paths[i].split('/')[0] : undefined;
        const text = /^[+-]?\d/.test(entries[i].label) ? undefined : entries[i].label;
        const name = shownName(wordNetId(text ?? '') ?? text ?? folder ?? `class ${label}`);
        // Of several folders for one class none is its name.
        known.set(label, (known.get(label) ?? name) === name ? name : `class ${label}`);
      });
      return classNames(outputs, known);
    },
    notes,
  };
}

/** What labels mean to a model: indices themselves; WordNet ids and ImageNet's words to a model with its outputs; as many names as outputs their sorted order. */
function meaningOf(all: readonly string[], outputs: number): (label: string) => number {
  const offset = imagenetOffset(outputs);
  const named = all.filter((label) => !/^[+-]?\d/.test(label));
  if (named.length === 0) return Number;
  if (offset !== undefined) {
    const known = imagenetClasses();
    const words = wordsOfImagenet();
    return (label) => (known.get(wordNetId(label) ?? '')?.index ?? words.get(label.toLowerCase()) ?? NaN) + offset;
  }
  if (all.length !== outputs) return () => NaN;
  const sorted = new Map([...all].sort().map((label, index) => [label, index]));
  return (label) => sorted.get(label) ?? NaN;
}

/** ImageNet's words that one class alone has. */
function wordsOfImagenet(): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  for (const {index, name} of imagenetClasses().values()) {
    const word = name.toLowerCase();
    words.set(word, words.has(word) ? NaN : index);
  }
  return words;
}

/** Names where no folder gives any: ImageNet's, of a model with its outputs. */
export function flatNames(outputs: number): string[] {
  const offset = imagenetOffset(outputs);
  if (offset === undefined) return classNames(outputs);
  return classNames(
    outputs,
    [...imagenetClasses().values()].map(({index, name}) => [index + offset, name] as const),
  );
}
