import {flag, oneOf, type FieldRule} from '../../common/fields';
import type {Argument} from './types';

/** What arguments of operators must be. */

const isWhole = (value: unknown, least: number) => Number.isSafeInteger(value) && (value as number) >= least;
const listOf = (test: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(test);

export const withInitial = (rule: FieldRule, initial: unknown): Argument => ({...rule, initial});

export const number: FieldRule = {test: Number.isFinite, wanted: 'a number'};
export const numberOrNull: FieldRule = {
  test: (value) => value === null || Number.isFinite(value),
  wanted: 'a number or null',
};
export const trueOrFalse = flag;
export {oneOf};
export const whole = (least: number): FieldRule => ({
  test: (value) => isWhole(value, least),
  wanted: `a whole number from ${least}`,
});
/** [height, width] */
export const pair = (least: number): FieldRule => ({
  test: (value) => listOf((one) => isWhole(one, least))(value) && (value as unknown[]).length === 2,
  wanted: `two whole numbers from ${least}, [height, width]`,
});
export const wholes = (least: number): FieldRule => ({
  test: listOf((one) => isWhole(one, least)),
  wanted: `a list of whole numbers from ${least}`,
});
export const inputSizes: FieldRule = {
  test: listOf((one) => one === null || isWhole(one, 1)),
  wanted: 'a list of whole numbers from 1, or null where a size is not given yet',
};
export const newShape: FieldRule = {
  test: (value) =>
    listOf((one) => one === -1 || isWhole(one, 1))(value) &&
    (value as number[]).filter((one) => one === -1).length <= 1,
  wanted: 'a list of whole numbers from 1, one of which may be -1',
};

const isAmounts = (value: unknown) => listOf((one) => isWhole(one, 0))(value) && (value as unknown[]).length === 2;
/** 'same', 'valid', [[top, bottom], [left, right]] */
export const padding: FieldRule = {
  test: (value) =>
    value === 'same' || value === 'valid' || (listOf(isAmounts)(value) && (value as unknown[]).length === 2),
  wanted: '"same", "valid" or [[top, bottom], [left, right]]',
};
export const amounts: FieldRule = {test: listOf(isAmounts), wanted: 'a list of [before, after], one for each axis'};
