import {InputError} from '../../common/errors';
import type {SplitRule} from '../types';
import {LARGEST_SIZE} from './activity';
import {energyMatch} from './energyMatch';
import {freeRidge} from './freeRidge';
import {gatedPublished} from './gatedPublished';
import {gatedRidge} from './gatedRidge';
import {gatedWiener} from './gatedWiener';
import {published} from './published';
import {scaledRidge} from './scaledRidge';

/** Rules by name; `defaultRule` says which one is taken where none is named. */
export const SPLIT_RULES: Readonly<Record<string, SplitRule>> = {
  published,
  gatedPublished,
  gatedWiener,
  energyMatch,
  gatedRidge,
  scaledRidge,
  freeRidge,
};

/** Rules that share a source out by how much stronger one concept's relevance is; the others have no ρ. */
export const RULES_WITH_RHO: readonly string[] = [published.name, gatedPublished.name];

/**
 * The rule where none is named. With images: `freeRidge`, which is ahead of the published rule on channels of several known meanings and
 * on merged natural channels alike (test/bench/README.md), or `energyMatch` where its matrices would be too large. Without
 * images, or with a ρ, which only the published rule has: `published`.
 * @param size inputs of one output, taps · Cin
 */
export function defaultRule({images, rho, size}: {images: boolean; rho: boolean; size: number}): string {
  if (!images || rho) return published.name;
  return size <= LARGEST_SIZE ? freeRidge.name : energyMatch.name;
}

/** @throws InputError that lists the rules */
export function splitRule(rule: string | SplitRule): SplitRule {
  if (typeof rule !== 'string') return rule;
  const known = Object.hasOwn(SPLIT_RULES, rule) ? SPLIT_RULES[rule] : undefined;
  if (!known) throw new InputError(`unknown rule "${rule}"; rules: ${Object.keys(SPLIT_RULES).join(', ')}`);
  return known;
}
