/** `1 class`, `1,000 classes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** A number in a sentence: no more digits than say something, with a true minus sign. */
export function numberText(value: number, digits = 3): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))).replace('-', '−') : '–';
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
  return classes.map((k, at) => namedClass(k, classNames[at])).join(' + ');
}
