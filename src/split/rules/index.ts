import {InputError} from '../../common/errors';
import type {SplitRule} from '../types';
import {energyMatch} from './energyMatch';
import {freeRidge} from './freeRidge';
import {gatedPublished} from './gatedPublished';
import {gatedRidge} from './gatedRidge';
import {gatedWiener} from './gatedWiener';
import {published} from './published';
import {scaledRidge} from './scaledRidge';

/** Rules by name; `published` is the default, for parity with the paper. */
export const SPLIT_RULES: Readonly<Record<string, SplitRule>> = {
  published,
  gatedPublished,
  gatedWiener,
  energyMatch,
  gatedRidge,
  scaledRidge,
  freeRidge,
};

/** @throws InputError that lists the rules */
export function splitRule(rule: string | SplitRule): SplitRule {
  if (typeof rule !== 'string') return rule;
  const known = Object.hasOwn(SPLIT_RULES, rule) ? SPLIT_RULES[rule] : undefined;
  if (!known) throw new InputError(`unknown rule "${rule}"; rules: ${Object.keys(SPLIT_RULES).join(', ')}`);
  return known;
}
