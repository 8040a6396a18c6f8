import type {CandidateChannel, FindOptions} from '../concepts/types';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {namedClass} from '../common/words';
import {COUNT_FORMAT, cosineWords, counted, nameText, NUMBER_FORMAT, numberText, rounded} from './labels';
import {INK, MARK, PALE} from './palette';

/** What `findPolysemantic` returns, as far as these figures read it. */
export interface FoundChannels extends ReadonlyArray<{channel: number}> {
  layer: string;
  thresholds: Required<FindOptions>;
  candidates: readonly CandidateChannel[];
  cosines: Float64Array;
  /** Pairs that could not be decided. @default none */
  undecided?: readonly unknown[];
}

export interface CandidateScatterOptions {
  /** Names by class index, for the hints over the points. @default class numbers */
  classNames?: readonly string[];
  /** Points that are drawn at most, the lowest cosines first. @default 2000 */
  limit?: number;
}

/** From this many classes on the axis is logarithmic. */
const MANY_CLASSES = 60;
/** More points than this are moved sideways, since whole numbers of classes put them onto each other. */
const CROWD = 60;
const WIDTH = 420;
const HEIGHT = 240;

/** Every candidate channel by the number of classes that it is relevant to and the lowest cosine of two of them that was decided, with γ. */
export function candidateScatter(
  found: FoundChannels,
  {classNames = [], limit = 2000}: CandidateScatterOptions = {},
): Figure {
  const {layer, thresholds, candidates} = found;
  const title = 'Candidate channels';
  const settings = `τ = ${numberText(thresholds.tau)}, p = ${numberText(thresholds.p)}`;
  const about = `layer ${layer}; ${settings}`;
  const comparable = candidates.filter(({lowestCosine}) => Number.isFinite(lowestCosine));
  if (comparable.length === 0) {
    return sentenceFigure(
      title,
      candidates.length === 0
        ? `No channel of ${layer} is relevant to two classes (${settings}): give a smaller tau or p.`
        : thresholds.arv === 'gated'
          ? `None of the ${counted(candidates.length, 'candidate channel')} of ${layer} has a pair of classes that can be decided: more images of each class help.`
          : `None of the ${counted(candidates.length, 'candidate channel')} of ${layer} has two ARVs that can be compared: they are all zero.`,
    );
  }
  const shown = [...comparable].sort((a, b) => a.lowestCosine - b.lowestCosine).slice(0, limit);
  const polysemantic = new Set(found.map(({channel}) => channel));
  const gamma = numberText(thresholds.gamma);
  const [yes, no] = [`polysemantic: below γ = ${gamma}`, `none below γ = ${gamma}`];
  const most = shown.reduce((largest, {classes}) => Math.max(largest, classes.length), 2);
  const logarithmic = most > MANY_CLASSES;
  const spread = shown.length > CROWD;
  const values = shown.map(({channel, classes, lowestCosine}) => ({
    channel,
    classes: classes.length,
    x: rounded(spread ? aside(classes.length, channel, logarithmic) : classes.length),
    cosine: rounded(lowestCosine),
    names: classHint(classes, classNames),
    verdict: polysemantic.has(channel) ? yes : no,
  }));
  const lowest = Math.min(shown[0].lowestCosine, thresholds.gamma);
  const bottom = Math.floor(lowest * 10 - 0.2) / 10;
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `${about}${spread ? '; points moved sideways so as not to hide each other' : ''}`,
      `cosine of ${cosineWords(thresholds.arv)}`,
      comparable.length > shown.length &&
        `${counted(shown.length, 'channel')} of ${counted(comparable.length, 'candidate')}, those of the lowest cosines`,
      comparable.length < candidates.length &&
        `${counted(candidates.length - comparable.length, 'candidate')} without a ${thresholds.arv === 'gated' ? 'decided pair' : 'cosine'} left out`,
    ),
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: {values},
        mark: {type: 'point', filled: true, size: spread ? 24 : 55, opacity: spread ? 0.6 : 0.8, clip: true},
        encoding: {
          x: {
            field: 'x',
            type: 'quantitative',
            title: 'classes that the channel is relevant to',
            scale: logarithmic ? {type: 'log', domain: [1.9, most * 1.1]} : {domain: [1.5, most + 0.5]},
            axis: {
              format: COUNT_FORMAT,
              ...(logarithmic ? {tickCount: 5} : {tickMinStep: 1, tickCount: Math.min(most, 10)}),
            },
          },
          y: {
            field: 'cosine',
            type: 'quantitative',
            title: thresholds.arv === 'gated' ? 'lowest gated cosine' : 'lowest cosine of two ARVs',
            scale: {domain: [bottom, 1.02], nice: false},
          },
          color: {
            field: 'verdict',
            type: 'nominal',
            scale: {domain: [yes, no], range: [MARK, PALE]},
            legend: {title: null, orient: 'top', offset: 4, labelLimit: 240},
          },
          tooltip: [
            {field: 'channel', type: 'nominal', title: 'channel'},
            {field: 'cosine', type: 'quantitative', title: 'lowest cosine', format: NUMBER_FORMAT},
            {field: 'classes', type: 'quantitative', title: 'relevant classes'},
            {field: 'names', type: 'nominal', title: 'classes'},
          ],
        },
      },
      gammaRule(thresholds.gamma),
      {
        data: {values: labelled(values, {bottom, most, logarithmic})},
        mark: {type: 'text', align: 'left', dx: 7, fontSize: 10, color: INK, tooltip: null},
        encoding: {
          x: {field: 'x', type: 'quantitative'},
          y: {field: 'cosine', type: 'quantitative'},
          text: {field: 'channel', type: 'nominal'},
        },
      },
    ],
  };
}

/** How the cosines of all pairs of relevant classes are distributed: what a γ for this network can be read from. */
export function cosineHistogram({layer, cosines, thresholds, undecided = []}: FoundChannels, {bins = 40} = {}): Figure {
  const title = 'Cosines of the pairs of relevant classes';
  if (cosines.length === 0) {
    return sentenceFigure(
      title,
      undecided.length > 0
        ? `None of the ${counted(undecided.length, 'pair')} of relevant classes of ${layer} can be decided: more images of each class help.`
        : `No channel of ${layer} has two relevant classes to compare: give a smaller tau or p.`,
    );
  }
  const low = Math.min(
    cosines.reduce((least, value) => Math.min(least, value), 1),
    thresholds.gamma,
    0.98,
  );
  const first = Math.floor(low * 20) / 20;
  const step = (1 - first) / bins;
  const counts = new Float64Array(bins);
  let below = 0;
  for (const value of cosines) {
    counts[Math.min(bins - 1, Math.floor((value - first) / step))] += 1;
    if (value < thresholds.gamma) below += 1;
  }
  const gamma = numberText(thresholds.gamma);
  const kinds = [`below γ = ${gamma}: different`, `from γ on: the same`];
  const values = Array.from(counts, (pairs, bin) => ({
    from: rounded(first + bin * step),
    to: rounded(first + (bin + 1) * step),
    pairs,
    kind: kinds[first + (bin + 0.5) * step < thresholds.gamma ? 0 : 1],
  }));
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer}; ${counted(cosines.length, 'pair')}, ${counted(below, 'pair')} below γ = ${gamma}${undecided.length > 0 ? `; ${counted(undecided.length, 'undecided pair')} left out` : ''}`,
      `cosine of ${cosineWords(thresholds.arv)}`,
    ),
    width: WIDTH,
    height: 150,
    layer: [
      {
        data: {values},
        mark: {type: 'bar', binSpacing: 1},
        encoding: {
          x: {
            field: 'from',
            type: 'quantitative',
            bin: {binned: true, step},
            title: thresholds.arv === 'gated' ? 'gated cosine' : 'cos(ARV, ARV)',
            scale: {domain: [first, 1]},
            axis: {values: ticks(first), format: '.2~f'},
          },
          x2: {field: 'to'},
          y: {
            field: 'pairs',
            type: 'quantitative',
            title: 'pairs',
            axis: {tickMinStep: 1, tickCount: Math.min(5, Math.max(...counts)), format: COUNT_FORMAT},
          },
          color: {
            field: 'kind',
            type: 'nominal',
            scale: {domain: kinds, range: [MARK, PALE]},
            legend: {title: null, orient: 'top', offset: 4, labelLimit: 240},
          },
          tooltip: [
            {field: 'from', type: 'quantitative', title: 'cosine from', format: NUMBER_FORMAT},
            {field: 'to', type: 'quantitative', title: 'to', format: NUMBER_FORMAT},
            {field: 'pairs', type: 'quantitative', title: 'pairs', format: COUNT_FORMAT},
          ],
        },
      },
      {
        data: {values: [{gamma: thresholds.gamma}]},
        mark: {type: 'rule', color: MARK, strokeWidth: 2, strokeDash: [5, 3]},
        encoding: {
          x: {field: 'gamma', type: 'quantitative'},
          tooltip: {field: 'gamma', type: 'quantitative', title: 'γ'},
        },
      },
    ],
  };
}

/** Some six to ten round numbers from `first` to 1. */
function ticks(first: number): number[] {
  const step = [0.02, 0.05, 0.1, 0.2].find((one) => (1 - first) / one <= 10.5) ?? 0.25;
  const start = Math.ceil(first / step - 1e-9);
  return Array.from({length: Math.floor(1 / step + 1e-9) - start + 1}, (_, i) =>
    Number(((start + i) * step).toFixed(2)),
  );
}

function gammaRule(gamma: number) {
  return {
    data: {values: [{gamma, label: `γ = ${numberText(gamma)}`}]},
    layer: [
      {
        mark: {type: 'rule' as const, color: MARK, strokeWidth: 1.5, strokeDash: [5, 3]},
        encoding: {y: {field: 'gamma', type: 'quantitative' as const}},
      },
      {
        mark: {
          type: 'text' as const,
          align: 'right' as const,
          baseline: 'bottom' as const,
          dy: -3,
          color: MARK,
          x: WIDTH - 4,
        },
        encoding: {
          y: {field: 'gamma', type: 'quantitative' as const},
          text: {field: 'label', type: 'nominal' as const},
        },
      },
    ],
  };
}

/** A place near a whole number of classes, always the same for a channel (multiples of the golden ratio, well spread). */
function aside(classes: number, channel: number, logarithmic: boolean): number {
  const shift = ((channel * 0.618034) % 1) - 0.5;
  return logarithmic ? classes * 1.1 ** shift : classes + 0.6 * shift;
}

/** The lowest few points, without those whose number would lie on another number or point. */
function labelled<T extends {x: number | null; cosine: number | null}>(
  values: readonly T[],
  {bottom, most, logarithmic}: {bottom: number; most: number; logarithmic: boolean},
): T[] {
  const across = (classes: number) =>
    logarithmic
      ? (Math.log(classes / 1.9) / Math.log((most * 1.1) / 1.9)) * WIDTH
      : ((classes - 1.5) / (most - 1)) * WIDTH;
  const down = (cosine: number) => ((1.02 - cosine) / (1.02 - bottom)) * HEIGHT;
  const chosen: T[] = [];
  for (const value of values) {
    if (chosen.length === 6) break;
    const [x, y] = [across(value.x ?? 2), down(value.cosine ?? 1)];
    const [right, below] = [
      (other: T) => across(other.x ?? 2) - x,
      (other: T) => Math.abs(down(other.cosine ?? 1) - y),
    ];
    const free =
      chosen.every((other) => Math.abs(right(other)) > 34 || below(other) > 11) &&
      values.every((other) => other === value || right(other) < 3 || right(other) > 38 || below(other) > 9);
    if (free && x < WIDTH - 28) chosen.push(value);
  }
  return chosen;
}

function classHint(classes: readonly number[], classNames: readonly string[], most = 6): string {
  const names = classes.slice(0, most).map((k) => namedClass(k, nameText(classNames[k] ?? '') || `class ${k}`));
  return classes.length > most ? `${names.join(', ')}, … ${classes.length - most} more` : names.join(', ');
}
