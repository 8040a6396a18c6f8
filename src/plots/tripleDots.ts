import type {Summary} from '../numerics/summary';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {legendColumns, nameText, NUMBER_FORMAT, numberText, rounded} from './labels';
import {PALE, SERIES} from './palette';

/** One row: images of one class of a channel that was divided between two. */
export interface TripleDot {
  channel: number;
  /** The class that the images are of. */
  className: string;
  /** The class of the other concept; told where the channel and the class occur with several. */
  otherName?: string;
  own: Summary;
  other: Summary;
  /** The own part of random splits of the same sizes: mean, and the range of 95 % of them. */
  random?: Summary;
}

const OWN = 'own part';
const OTHER = 'other part';
const RANDOM = 'own part of random splits';

/** Where a mean or an interval reaches beyond these fractions, it is cut off: single images with a small denominator do that. */
const SHOWN: [number, number] = [-1, 2.5];

/**
 * What the own and the other part carry of the original in every divided channel, with 95 % intervals, beside random splits: a row per channel
 * and class (the table of Hesse et al. 2025, section 4.2, drawn).
 */
export function tripleDots(dots: readonly TripleDot[], {layer = ''}: {layer?: string} = {}): Figure {
  const title = 'What the own and the other part carry of the original';
  if (dots.length === 0) return sentenceFigure(title, 'There is no divided channel to show.');
  const order = rowLabels(dots);
  const rows = dots.flatMap(({own, other, random}, n) =>
    [{part: OWN, of: own}, {part: OTHER, of: other}, ...(random ? [{part: RANDOM, of: random}] : [])].map(
      ({part, of}) => ({
        row: order[n],
        part,
        value: within(of.mean),
        low: within(of.interval[0]),
        high: within(of.interval[1]),
      }),
    ),
  );
  const outside = (value: number) => Number.isFinite(value) && (value < SHOWN[0] || value > SHOWN[1]);
  const cut = dots.some(({own, other, random}) =>
    [own, other, ...(random ? [random] : [])].some((of) => [of.mean, ...of.interval].some(outside)),
  );
  const parts = [OWN, OTHER, RANDOM];
  const color = {
    field: 'part',
    type: 'nominal' as const,
    scale: {domain: parts, range: [SERIES[0], SERIES[1], PALE]},
    legend: {title: null, orient: 'top' as const, columns: legendColumns(parts, {limit: 240}), labelLimit: 240},
  };
  const y = {field: 'row', type: 'nominal' as const, sort: [...new Set(order)], title: null, axis: {labelLimit: 220}};
  const yOffset = {field: 'part', type: 'nominal' as const, sort: parts};
  const scale = {domain: span(rows), nice: false, zero: false};
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `${layer ? `layer ${layer}; ` : ''}mean of Σ part / Σ original over the kept images, with its 95 % interval; random splits with the range of 95 % of them${cut ? `; values are cut off at ${SHOWN.map(numberText).join(' and ')}` : ''}`,
    ),
    width: 380,
    height: {step: 20, for: 'position'},
    data: {values: rows},
    layer: [
      {mark: {type: 'rule', strokeDash: [3, 3], color: PALE}, encoding: {x: {datum: 1}}},
      {mark: {type: 'rule', strokeDash: [3, 3], color: PALE}, encoding: {x: {datum: 0}}},
      {
        mark: {type: 'rule', strokeWidth: 2},
        encoding: {x: {field: 'low', type: 'quantitative', scale}, x2: {field: 'high'}, y, yOffset, color},
      },
      {
        mark: {type: 'point', filled: true, size: 36, opacity: 1},
        encoding: {
          x: {field: 'value', type: 'quantitative', title: 'fraction of the original', scale, axis: {tickCount: 7}},
          y,
          yOffset,
          color,
          tooltip: [
            {field: 'row', type: 'nominal', title: 'channel · images of'},
            {field: 'part', type: 'nominal'},
            {field: 'value', type: 'quantitative', format: NUMBER_FORMAT},
          ],
        },
      },
    ],
  };
}

const within = (value: number) =>
  Number.isFinite(value) ? rounded(Math.min(SHOWN[1], Math.max(SHOWN[0], value))) : null;

/** From below 0 to above 1, and as far as the rows reach. */
function span(rows: readonly {low: number | null; high: number | null}[]): [number, number] {
  const ends = rows.flatMap(({low, high}) => [low ?? 0, high ?? 0]);
  return [Math.min(-0.1, ...ends), Math.max(1.1, ...ends)];
}

/** A label for each row, each of them different. */
function rowLabels(dots: readonly TripleDot[]): string[] {
  const short = dots.map(({channel, className}) => `${channel} · ${nameText(className)}`);
  const twice = (labels: readonly string[], label: string) => labels.indexOf(label) !== labels.lastIndexOf(label);
  const told = short.map((label, n) => {
    const {otherName} = dots[n];
    return twice(short, label) && otherName !== undefined ? `${label} / ${nameText(otherName)}` : label;
  });
  return told.map((label, n) => (twice(told, label) ? `${label} [${n + 1}]` : label));
}
