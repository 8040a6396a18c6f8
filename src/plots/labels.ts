import {namedClass} from '../common/words';
import type {VectorKind} from '../concepts/types';
import type {NamedClasses} from './inputs';

/** Names and numbers as figures write them. A class name is data: whatever is in it is shown as it is. */

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** First strong isolate and its end: text between them does not reorder what is around it. */
const ISOLATE = '\u2068';
const END_ISOLATE = '\u2069';

/** A name inside other text: on one line, and kept from turning its surroundings around where it runs from right to left. */
export function nameText(name: string): string {
  const line = name.replace(/\s+/g, ' ').trim();
  return RIGHT_TO_LEFT.test(line) ? `${ISOLATE}${line}${END_ISOLATE}` : line;
}

/** A class by its name and its index, `flag (1)`; one without a name is `class 1`. */
export function classLabel(k: number, name = ''): string {
  const shown = nameText(name);
  return shown === '' ? `class ${k}` : namedClass(k, shown);
}

/** Labels of classes, each of them different, since each has its index. */
export function classLabels(classes: readonly number[], classNames: readonly string[]): string[] {
  return classes.map((k) => classLabel(k, classNames[k]));
}

/** A concept by its classes and their indices, the first ones in full: `flag (1) + moon (11) + 2 more`. A cluster has a name and no classes. */
export function conceptLabel({classes = [], classNames}: NamedClasses, most = 2): string {
  const names = classNames
    .slice(0, most)
    .map((name, at) => (classes[at] === undefined ? nameText(name) : classLabel(classes[at], name)))
    .join(' + ');
  return classNames.length > most ? `${names} + ${classNames.length - most} more` : names;
}

/** Labels of concepts, each of them different. */
export function conceptLabels(concepts: readonly NamedClasses[]): string[] {
  const labels = concepts.map((concept) => conceptLabel(concept));
  return labels.map((label, j) =>
    labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${label} [${j + 1}]`,
  );
}

/** What a cosine is of, in words. */
export function cosineWords(kind: VectorKind): string {
  return kind === 'gated'
    ? 'gated vectors: what feeds the channel where it fires, less the classes’ mean'
    : 'published vectors (ARVs), over all positions';
}

/** Text in lines of about `width` characters, broken at spaces. */
export function wrapped(text: string, width = 76): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export {counted} from '../common/words';
export {COUNT_FORMAT, NUMBER_FORMAT, numberText, percentText} from '../common/numbers';

/** Pixels of a legend's item beside its text, and of a letter at the legends' size. */
const SYMBOL = 30;
const LETTER = 6.4;

/** Columns of a legend that is `width` pixels wide: as many as fit, without a last row of a single item. */
export function legendColumns(labels: readonly string[], {width = 460, limit = 170} = {}): number {
  const widest = Math.max(1, ...labels.map((label) => Math.min(limit, LETTER * label.length))) + SYMBOL;
  const most = Math.max(1, Math.min(labels.length, Math.floor(width / widest)));
  for (let columns = most; columns > 1; columns--) if (labels.length % columns !== 1) return columns;
  return 1;
}

/** Size and thinning of the labels of many narrow rows or columns, `step` pixels each: none lies on another. */
export function narrowLabels(step: number) {
  return {
    labelFontSize: Math.max(8, Math.min(11, step)),
    labelOverlap: step < 12 ? ('greedy' as const) : false,
  };
}

/** A number for data and text: short, and null where it is not finite, as JSON has it. */
export function rounded(value: number, digits = 4): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;
}
