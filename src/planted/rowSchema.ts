import * as v from 'valibot';
import {InputError} from '../common/errors';
import {isRecord} from '../common/isRecord';
import {parseJson} from '../common/json';
import {sha256} from '../files/checksum';
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
const LINE = v.union([
  v.strictObject({row: ROW}),
  v.strictObject({plant: v.pipe(v.number(), v.safeInteger()), negatives: v.array(NEGATIVE)}),
]);

/** A line as it is written: with the SHA-256 of what it says. */
export const lineText = (line: Line): string => JSON.stringify({...line, sha256: sha256(JSON.stringify(line))});

/** @throws InputError where the line is no result, or not the one that was written */
export function parseLine(line: string, file: string): Line {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch {
    throw damaged(file, 'a line of it is not JSON');
  }
  if (!isRecord(json)) throw damaged(file, 'a line of it is no JSON object');
  const {sha256: recorded, ...said} = json;
  // The words for a union would be of both kinds.
  const checked = v.safeParse('row' in said ? LINE.options[0] : LINE.options[1], said);
  if (!checked.success) {
    const [issue] = checked.issues;
    throw damaged(file, `${v.getDotPath(issue) ?? 'a line of it'} is not valid (${issue.message.slice(0, 120)})`);
  }
  if (recorded !== sha256(JSON.stringify(said))) {
    throw damaged(file, `a line of it is not the one that was written: its sha256 is ${shown(recorded)}, and does not fit`); // prettier-ignore
  }
  return checked.output as Line;
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 18) ?? 'missing';

const damaged = (file: string, what: string) =>
  new InputError(`"${file}" is damaged: ${what}; delete the folder and run the benchmark again`);
