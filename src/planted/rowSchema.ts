import * as v from 'valibot';
import {isRecord} from '../common/isRecord';
import {parseRow, rowNumber as number} from '../files/resultRows';
import {TIERS} from './tiers';
import {IMAGE_SETS, type NegativeRow, type PlantRow} from './types';

/** One line of `rows.jsonl`. */
export type Line = {row: PlantRow} | {plant: number; negatives: NegativeRow[]};

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const perSet = v.strictObject(v.entriesFromList(IMAGE_SETS, number));
const scores = {negativeCosine: number, negativeLeak: number};

const RULE_SCORE = v.strictObject({
  r: perSet,
  r2: perSet,
  leakShare: number,
  edgeAccuracy: number,
  adjustedRandIndex: number,
  exactness: number,
  seconds: number,
  chosen: v.optional(v.record(v.string(), number)),
});
const ROW_FIELDS = v.strictObject({
  tier: v.picklist(TIERS.map(({name}) => name)),
  plant: whole,
  channels: v.array(whole),
  classes: v.array(whole),
  importance: v.array(number),
  candidate: v.boolean(),
  trueLeakShare: number,
  rules: v.pipe(v.custom(isRecord, 'an object of scores by rule'), v.record(v.string(), RULE_SCORE)),
  detection: v.optional(v.strictObject({...scores, permuted: v.strictObject(scores)})),
});
const ROW = v.pipe(
  ROW_FIELDS,
  v.forward(
    v.check(({classes, importance}) => importance.length === classes.length, 'one for each class'),
    ['importance'],
  ),
);
const NEGATIVE = v.strictObject({
  ...scores,
  kind: v.picklist(['natural', 'merge', 'unmerged']),
  channels: v.array(whole),
  classes: v.strictTuple([whole, whole]),
});
const ROW_LINE = v.strictObject({row: ROW});
const NEGATIVE_LINE = v.strictObject({plant: v.pipe(v.number(), v.safeInteger()), negatives: v.array(NEGATIVE)});

/** @throws InputError where the line is no result, or not the one that was written */
export function parseLine(line: string, file: string): Line {
  // The words for a union would be of both kinds.
  return parseRow<Line>(line, file, (said) => ('row' in said ? ROW_LINE : NEGATIVE_LINE));
}
