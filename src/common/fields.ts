import * as v from 'valibot';
import {InputError} from './errors';
import {isRecord} from './isRecord';

/** What a field must be: the test, and the words for it. */
export interface FieldRule {
  test: (value: unknown) => boolean;
  wanted: string;
}

/** A rule by a schema. */
const rule = (schema: v.GenericSchema, wanted: string): FieldRule => ({test: (value) => v.is(schema, value), wanted});

const number = v.pipe(v.number(), v.finite());
const wholeNumber = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least));

export const text = rule(v.string(), 'text');
export const texts = rule(v.array(v.string()), 'a list of texts');
export const flag = rule(v.boolean(), 'true or false');
export const finite = rule(number, 'a number');
export const share = rule(v.pipe(number, v.minValue(0), v.maxValue(1)), 'a number from 0 to 1');
export const record = rule(v.custom(isRecord), 'an object');
export const wholeFrom = (least: number) => rule(wholeNumber(least), `a whole number from ${least}`);
export const sizes = (length: number) =>
  rule(v.pipe(v.array(wholeNumber(1)), v.length(length)), `a list of ${length} whole numbers from 1`);
export const wholeNumbers = (least = 0) =>
  rule(
    v.pipe(v.array(wholeNumber(0)), v.minLength(least)),
    `a list of ${least > 0 ? `at least ${least} ` : ''}whole numbers from 0`,
  );
export const listsOfWholeNumbers = rule(v.array(v.array(wholeNumber(0))), 'a list of lists of whole numbers from 0');
export const oneOf = (...values: readonly string[]) =>
  rule(v.picklist(values), values.map((value) => `"${value}"`).join(' or '));
export const optional = ({test, wanted}: FieldRule): FieldRule => ({
  test: (value) => value === undefined || test(value),
  wanted: `${wanted}, or absent`,
});

/** A list of records, each with these fields. */
export const records = (fields: Readonly<Record<string, FieldRule>>, least = 0) =>
  rule(
    v.pipe(v.array(v.custom((value) => wrongField(value, fields) === undefined)), v.minLength(least)),
    `a list of ${least > 0 ? `at least ${least} ` : ''}records, each with ${inWords(fields)}`,
  );

const above0 = v.pipe(number, v.gtValue(0));

/** How pixels become input, as manifests record it. */
export const PRESET_FIELDS: Readonly<Record<string, FieldRule>> = {
  'preset.name': text,
  'preset.mean': rule(v.strictTuple([number, number, number]), 'three numbers'),
  'preset.std': rule(v.strictTuple([above0, above0, above0]), 'three numbers above 0'),
  'preset.shorterSide': optional(wholeFrom(1)),
  'preset.cropSide': optional(wholeFrom(1)),
  'preset.rounding': optional(oneOf('torchvision', 'nearest')),
  'preset.interpolation': optional(oneOf('bilinear', 'bicubic')),
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
