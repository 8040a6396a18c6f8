import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {InputError} from '../common/errors';
import {printable} from '../common/printable';

let classes: ReadonlyMap<string, {index: number; name: string}> | undefined;

/** ImageNet's 1000 classes by WordNet id, in the order of their indices: sorted ids. */
export function imagenetClasses(): ReadonlyMap<string, {index: number; name: string}> {
  if (!classes) {
    const names = JSON.parse(readFileSync(join(__dirname, '../../data/imagenet-classes.json'), 'utf8')) as Record<
      string,
      string
    >;
    classes = new Map(Object.entries(names).map(([id, name], index) => [id, {index, name}]));
  }
  return classes;
}

/** The WordNet id in a folder's name such as `n01440764`, `0000_n01440764` or `n01440764-tench`. */
export function wordNetId(name: string): string | undefined {
  return /^(?:\d+[_-])?(n\d{8})(?:[_-].*)?$/.exec(name)?.[1];
}

/** Where ImageNet's classes begin in a network's outputs; TensorFlow's of 1001 outputs begin with a background. */
export function imagenetOffset(outputs: number): 0 | 1 | undefined {
  return outputs === 1000 ? 0 : outputs === 1001 ? 1 : undefined;
}

/** A name for show: ImageNet's word where the folder is named by a WordNet id. */
export function shownName(folder: string): string {
  const id = wordNetId(folder);
  return (id !== undefined && imagenetClasses().get(id)?.name) || folder;
}

/** Up to three items of a list, and how many more there are. */
export function few(items: readonly string[]): string {
  const more = items.length - 3;
  return items.slice(0, 3).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/**
 * Class indices as they are, checked against the model's outputs.
 * @throws InputError that names the first image whose label is no output
 */
export function checkedLabels(labels: ArrayLike<number>, paths: readonly string[], outputs: number): Int32Array {
  for (let i = 0; i < labels.length; i++) {
    if (!Number.isInteger(labels[i]) || labels[i] < 0 || labels[i] >= outputs) {
      throw new InputError(
        `invalid label: ${labels[i]} of ${paths[i]}; the model has outputs 0 to ${outputs - 1}. Correct the labels, or name the model that they are made for`,
      );
    }
  }
  return Int32Array.from(labels);
}

/** `class 7` for every output, replaced by the names that are known. */
export function classNames(outputs: number, known: Iterable<readonly [index: number, name: string]> = []): string[] {
  const names = Array.from({length: outputs}, (_, index) => `class ${index}`);
  for (const [index, name] of known) if (index >= 0 && index < outputs) names[index] = printable(name);
  return names;
}
