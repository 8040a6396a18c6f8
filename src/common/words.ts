import {countText} from './numbers';

/** `1 class`, `1,000 classes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** `truck (9)`; an unnamed class is its index already, `class 9`. */
export function namedClass(k: number, name: string): string {
  return name === `class ${k}` ? name : `${name} (${k})`;
}

/** The classes of a concept, `automobile (1) + truck (9)`. */
export function namedClasses({
  classes,
  classNames,
}: {
  classes: readonly number[];
  classNames: readonly string[];
}): string {
  // A cluster has a name and no classes.
  return classes.length === 0
    ? classNames.join(' + ')
    : classes.map((k, at) => namedClass(k, classNames[at])).join(' + ');
}
