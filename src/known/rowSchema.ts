import * as v from 'valibot';
import {parseRow, rowNumber as number} from '../files/resultRows';
import {KNOWN_KINDS} from './networks';
import {MEASURES, type KnownRow} from './row';

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const numbers = <K extends string>(...names: K[]) => v.entriesFromList(names, number);

const RATES = numbers('found', 'false', 'permuted', 'undecided');
const DETECTION = v.strictObject({
  vectors: v.picklist(['published', 'gated']),
  pairs: v.strictObject(numbers('different', 'same')),
  ...numbers('auroc', 'decidedAuroc', 'relevantAuroc', 'channelAuroc', 'halves'),
  usual: v.strictObject(RATES),
  relevant: v.strictObject(RATES),
  confirmed: v.strictObject(RATES),
  suggested: v.strictObject({...RATES, gamma: number, estimate: number}),
});
const SPLIT = v.strictObject({
  channel: whole,
  rule: v.string(),
  parts: whole,
  ...numbers('ownVersusOther', 'r', 'removedOwn', 'removedOther'),
});
const CLUSTERS = v.strictObject({
  channel: whole,
  parts: whole,
  ...numbers('agreement', 'alone', 'chosen', ...MEASURES),
});
const ROW = v.strictObject({
  kind: v.picklist(KNOWN_KINDS),
  seed: whole,
  ...numbers('topOne', 'zeroInputs'),
  parts: v.array(whole),
  confirmed: v.array(v.boolean()),
  detection: v.array(DETECTION),
  splitting: v.array(SPLIT),
  clusters: v.array(CLUSTERS),
  severalAuroc: v.strictObject(numbers(...MEASURES)),
});

/** @throws InputError where the line is no network's result */
export const parseKnownRow = (line: string, file: string): KnownRow => parseRow<KnownRow>(line, file, () => ROW);
