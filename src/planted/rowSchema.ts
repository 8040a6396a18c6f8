import * as v from 'valibot';
import {InputError} from '../common/errors';
import {parseJson} from '../common/json';
import {TIERS} from './tiers';
import {IMAGE_SETS, type NegativeRow, type PlantRow} from './types';

/** One line of `rows.jsonl`. */
export type Line = {row: PlantRow} | {plant: number; negatives: NegativeRow[]};

/** JSON has no NaN; it was written as null. */
const number = v.pipe(
  v.union([v.null(), v.number()]),
  v.transform((value) => value ?? NaN),
);
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
const LINE = v.union([
  v.strictObject({row: ROW}),
  v.strictObject({plant: v.pipe(v.number(), v.safeInteger()), negatives: v.array(NEGATIVE)}),
]);

/** @throws InputError where the line is no result */
export function parseLine(line: string, file: string): Line {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch {
    throw damaged(file, 'a line of it is not JSON');
  }
  // The words for a union would be of both kinds.
  const isRow = typeof json === 'object' && json !== null && 'row' in json;
  const checked = v.safeParse(isRow ? LINE.options[0] : LINE.options[1], json);
  if (checked.success) return checked.output as Line;
  const [issue] = checked.issues;
  throw damaged(file, `${v.getDotPath(issue) ?? 'a line of it'} is not valid (${issue.message.slice(0, 120)})`);
}

const damaged = (file: string, what: string) =>
  new InputError(`"${file}" is damaged: ${what}; delete the folder and run the benchmark again`);
