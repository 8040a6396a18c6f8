import {InputError} from './errors';
import {isRecord} from './isRecord';

/** What a field must be: the test, and the words for it. */
export interface FieldRule {
  test: (value: unknown) => boolean;
  wanted: string;
}

const count = (value: unknown, least = 0) => Number.isSafeInteger(value) && (value as number) >= least;
const listOf =
  (test: (value: unknown) => boolean, least = 0) =>
  (value: unknown) =>
    Array.isArray(value) && value.length >= least && value.every(test);
const isText = (value: unknown) => typeof value === 'string';

export const text: FieldRule = {test: isText, wanted: 'text'};
export const texts: FieldRule = {test: listOf(isText), wanted: 'a list of texts'};
export const flag: FieldRule = {test: (value) => typeof value === 'boolean', wanted: 'true or false'};
export const finite: FieldRule = {test: Number.isFinite, wanted: 'a number'};
export const share: FieldRule = {
  test: (value) => Number.isFinite(value) && (value as number) >= 0 && (value as number) <= 1,
  wanted: 'a number from 0 to 1',
};
export const wholeFrom = (least: number): FieldRule => ({
  test: (value) => count(value, least),
  wanted: `a whole number from ${least}`,
});
export const sizes = (length: number): FieldRule => ({
  test: (value) => listOf((size) => count(size, 1))(value) && (value as number[]).length === length,
  wanted: `a list of ${length} whole numbers from 1`,
});
export const wholeNumbers = (least = 0): FieldRule => ({
  test: listOf((value) => count(value), least),
  wanted: `a list of ${least > 0 ? `at least ${least} ` : ''}whole numbers from 0`,
});
export const listsOfWholeNumbers: FieldRule = {
  test: listOf(listOf((value) => count(value))),
  wanted: 'a list of lists of whole numbers from 0',
};
export const oneOf = (...values: readonly string[]): FieldRule => ({
  test: (value) => values.includes(value as string),
  wanted: values.map((value) => `"${value}"`).join(' or '),
});
export const optional = ({test, wanted}: FieldRule): FieldRule => ({
  test: (value) => value === undefined || test(value),
  wanted: `${wanted}, or absent`,
});

/** A list of records, each with these fields. */
export const records = (fields: Readonly<Record<string, FieldRule>>, least = 0): FieldRule => ({
  test: listOf((value) => wrongField(value, fields) === undefined, least),
  wanted: `a list of ${least > 0 ? `at least ${least} ` : ''}records, each with ${inWords(fields)}`,
});

const colour: FieldRule = {
  test: (value) => listOf(Number.isFinite, 3)(value) && (value as unknown[]).length === 3,
  wanted: 'three numbers',
};

/** How pixels become input, as manifests record it. */
export const PRESET_FIELDS: Readonly<Record<string, FieldRule>> = {
  'preset.name': text,
  'preset.mean': colour,
  'preset.std': colour,
  'preset.shorterSide': optional(wholeFrom(1)),
  'preset.cropSide': optional(wholeFrom(1)),
  'preset.rounding': optional(oneOf('torchvision', 'nearest')),
};

/** A preset as it is written now: up to 0.1 its `std` was called `deviation`. */
export function currentPreset(preset: unknown): unknown {
  if (!isRecord(preset) || !('deviation' in preset) || 'std' in preset) return preset;
  const {deviation, ...others} = preset;
  return {...others, std: deviation};
}

const inWords = (fields: Readonly<Record<string, FieldRule>>) =>
  Object.entries(fields)
    .map(([name, {wanted}]) => `${name} (${wanted})`)
    .join(', ');

function wrongField(value: unknown, fields: Readonly<Record<string, FieldRule>>): string | undefined {
  if (!isRecord(value)) return '';
  return Object.keys(fields).find((name) => !fields[name].test(valueAt(value, name)));
}

/** The field of a dotted name, e.g. `layer.shape`. */
function valueAt(value: unknown, name: string): unknown {
  return name.split('.').reduce((found, key) => (isRecord(found) ? found[key] : undefined), value);
}

/**
 * Checks what was read from a file, field by field.
 * @param fields rules by name; a dotted name is a field of a field
 * @param advice what to do about a damaged file
 * @throws InputError that names the first wrong field, its value and what it must be
 */
export function checkFields(
  value: unknown,
  fields: Readonly<Record<string, FieldRule>>,
  file: string,
  advice: string,
): void {
  const wrong = wrongField(value, fields);
  if (wrong === undefined) return;
  if (wrong === '') throw new InputError(`"${file}" is damaged: it holds no JSON object; ${advice}`);
  const found = valueAt(value, wrong);
  const shown = found === undefined ? 'missing' : JSON.stringify(found).slice(0, 60);
  throw new InputError(`"${file}" is damaged: ${wrong} is ${shown}; it must be ${fields[wrong].wanted}; ${advice}`);
}
