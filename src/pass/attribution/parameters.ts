import {InputError} from '../../common/errors';

/** @throws InputError for anything else */
export function wholeNumberFrom(least: number, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new InputError(`invalid ${what}: ${value}; give a whole number from ${least}`);
}

/** @throws InputError for anything else */
export function numberFrom(least: number, what: string, value: number): void {
  if (!(Number.isFinite(value) && value >= least))
    throw new InputError(`invalid ${what}: ${value}; give a number from ${least}`);
}
