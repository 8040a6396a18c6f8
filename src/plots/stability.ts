import {namedClass} from '../common/words';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {cosineWords, counted, NUMBER_FORMAT, nameText, numberText, percentText, rounded} from './labels';
import {MARK, PALE, QUIET, SERIES} from './palette';
import type {VectorKind} from '../concepts/types';

/** What the figure reads of suggested thresholds. */
export interface StableCalls {
  gamma: number;
  arv: VectorKind;
  stability: number;
  calls: readonly {
    channel: number;
    classes: readonly [number, number];
    cosine: number;
    halves: readonly [number, number];
  }[];
}

export interface StabilityOptions {
  /** Names by class index, for the hints over the points. @default class numbers */
  classNames?: readonly string[];
  /** Points that are drawn at most, evenly over the list. @default 2000 */
  limit?: number;
}

const SIDE = 300;
const [DIFFERENT, SAME, UNSTABLE] = ['different in both halves', 'same in both', 'the halves disagree'];

/** Each decided pair by its cosine in either half of the images: calls are stable in two of the quarters that γ makes. */
export function stabilityScatter(
  {gamma, arv, stability, calls}: StableCalls,
  {classNames = [], limit = 2000}: StabilityOptions = {},
): Figure {
  const title = 'How stable each call is';
  if (calls.length === 0)
    return sentenceFigure(
      title,
      'No pair of classes can be compared in both halves of the images: more images of each class help.',
    );
  const every = Math.max(1, Math.ceil(calls.length / limit));
  const name = (k: number) => namedClass(k, nameText(classNames[k] ?? `class ${k}`));
  const values = calls
    .filter((_, n) => n % every === 0)
    .map(({channel, classes, cosine, halves: [a, b]}) => ({
      channel,
      pair: classes.map(name).join(' | '),
      cosine: rounded(cosine),
      first: rounded(a),
      second: rounded(b),
      call: a < gamma !== b < gamma ? UNSTABLE : a < gamma ? DIFFERENT : SAME,
    }));
  const lowest = Math.min(gamma, ...calls.flatMap(({halves}) => halves));
  const domain = [Math.floor(lowest * 10 - 0.2) / 10, 1.02];
  const axis = (field: string, words: string) => ({
    field,
    type: 'quantitative' as const,
    title: words,
    scale: {domain, nice: false},
  });
  const rule = (channel: 'x' | 'y') => ({
    data: {values: [{gamma}]},
    mark: {type: 'rule' as const, strokeDash: [4, 3], color: QUIET, tooltip: null},
    encoding: {[channel]: {field: 'gamma', type: 'quantitative' as const}},
  });
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `${counted(calls.length, 'decided pair')}, cosine of ${cosineWords(arv)}; γ = ${numberText(gamma)}`,
      `the halves of the images decide ${percentText(stability)} of them alike`,
    ),
    width: SIDE,
    height: SIDE,
    layer: [
      {
        data: {values},
        mark: {type: 'point', filled: true, size: calls.length > 200 ? 18 : 36, opacity: 0.7, clip: true},
        encoding: {
          x: axis('first', 'cosine in one half of the images'),
          y: axis('second', 'cosine in the other'),
          color: {
            field: 'call',
            type: 'nominal',
            scale: {domain: [DIFFERENT, SAME, UNSTABLE], range: [MARK, SERIES[0], PALE]},
            legend: {title: null, orient: 'top', offset: 4, columns: 1, labelLimit: 240},
          },
          tooltip: [
            {field: 'channel', type: 'nominal', title: 'channel'},
            {field: 'pair', type: 'nominal', title: 'classes'},
            {field: 'cosine', type: 'quantitative', title: 'cosine, all images', format: NUMBER_FORMAT},
            {field: 'call', type: 'nominal', title: 'call'},
          ],
        },
      },
      rule('x'),
      rule('y'),
    ],
  };
}
