import * as v from 'valibot';
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
const ROW = v.strictObject({
  tier: v.picklist(TIERS.map(({name}) => name)),
  plant: whole,
  channels: v.array(whole),
  classes: v.array(whole),
  importance: v.array(number),
  candidate: v.boolean(),
  trueLeakShare: number,
  rules: v.record(v.string(), RULE_SCORE),
  detection: v.optional(v.strictObject({...scores, permuted: v.strictObject(scores)})),
});
const NEGATIVE = v.strictObject({
  ...scores,
  kind: v.picklist(['natural', 'merge', 'unmerged']),
  channels: v.array(whole),
  classes: v.strictTuple([whole, whole]),
});
const ROW_LINE = v.strictObject({row: ROW});
const NEGATIVE_LINE = v.strictObject({plant: v.pipe(v.number(), v.safeInteger()), negatives: v.array(NEGATIVE)});

/** @throws InputError where the line is no result */
export function parseLine(line: string, file: string): Line {
  // The words for a union would be of both kinds.
  const isRow = (json: unknown) => typeof json === 'object' && json !== null && 'row' in json;
  return parseRow<Line>(line, file, (json) => (isRow(json) ? ROW_LINE : NEGATIVE_LINE));
}
