import {agnes} from 'ml-hclust';
import {InputError} from '../common/errors';
import {classVectors, isComparable, vectorKind, type ClassVectors} from '../concepts/relate';
import type {VectorKind} from '../concepts/types';
import {gatesOf} from '../numerics/gatedSums';
import {averagedRelevanceVector, classesWithImages, type RelevanceStatistics} from '../numerics/statistics';
import {sum} from '../numerics/vectors';
import {bracketLayers, bracketsOf, together} from './brackets';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {classLabels, cosineWords, counted, narrowLabels, NUMBER_FORMAT, numberText, rounded} from './labels';
import {EMPTY, GROUND, MARK, ON_DARK, ON_LIGHT, SEQUENTIAL} from './palette';

export interface SimilarityOptions {
  /** Classes to compare. @default those that the channel is relevant to; of a channel's number, all that have images */
  classes?: readonly number[];
  /** γ: pairs below it are outlined. @default none */
  gamma?: number;
  /** Classes that are drawn at most. @default 40 */
  limit?: number;
  /** Vectors whose cosines are drawn. @default those that a found channel was decided by, else gated ones where the statistics have them */
  arv?: VectorKind;
}

/** A found channel, or a part of one. */
export interface ChannelClasses {
  channel: number;
  classes: readonly number[];
  pairs?: readonly {classes: readonly [number, number]; cosine: number}[];
  /** Its concepts, which get a bracket each. @default no brackets */
  concepts?: readonly {classes: readonly number[]}[];
}

/** Cells from this size on have room for their number. */
const ROOM_FOR_NUMBERS = 30;

/**
 * Cosines between the vectors of a channel's classes, ordered by clustering (average linkage on 1 − cosine), so that concepts are bright
 * blocks (Hesse et al. 2025, section 3.2). Pairs that gated vectors leave undecided have a question mark and no outline.
 * @throws InputError where no channel is given, as by the first of none found, or gated vectors of statistics without gates
 */
export function similarityHeatmap(
  stats: RelevanceStatistics,
  channel: number | ChannelClasses,
  {classes, gamma, limit = 40, arv}: SimilarityOptions = {},
): Figure {
  // A cell of a notebook is compiled without the check that an array may have no first element.
  if ((channel as unknown) === undefined || channel === null) {
    throw new InputError(
      `invalid channel: ${String(channel)}; give a channel's number or one that findPolysemantic found (where it found none, a larger gamma or allPairs: true finds more)`,
    );
  }
  const target: ChannelClasses =
    typeof channel === 'number' ? {channel, classes: classes ?? classesWithImages(stats)} : channel;
  const all = classes ?? target.classes;
  const vectors = classVectors(stats, target.channel, arv ?? decidedBy(stats, target));
  const title = `Similarity of the classes of channel ${target.channel}`;
  if (all.length < 2) {
    return sentenceFigure(
      title,
      `Channel ${target.channel} of ${stats.layer.name} has ${counted(all.length, 'class', 'classes')}; a similarity needs two.`,
    );
  }
  const chosen = all.length > limit ? fewer(stats, {...target, classes: all}, limit) : {classes: all, how: ''};
  const cosines = chosen.classes.map((a) => chosen.classes.map((b) => vectors.cosine(a, b))); // [n][n]
  const unsure = chosen.classes.map((k) => !isComparable(vectors, k));
  if (!cosines.some((row, i) => row.some((value, j) => i !== j && Number.isFinite(value)))) {
    return sentenceFigure(
      title,
      `Channel ${target.channel} of ${stats.layer.name} has no two classes that can be compared: all, or all but one, of the vectors of its ${counted(all.length, 'class', 'classes')} are zero.`,
    );
  }
  const brackets = bracketsOf(target.concepts, chosen.classes);
  const order = together(clusterOrder(cosines), brackets);
  const labels = classLabels(chosen.classes, stats.classNames);
  const values = order.flatMap((i) =>
    order.map((j) => ({
      a: labels[i],
      b: labels[j],
      cosine: rounded(cosines[i][j]),
      ...(i !== j && Number.isFinite(cosines[i][j]) && (unsure[i] || unsure[j]) && {open: true}),
    })),
  );
  const anyOpen = values.some(({open}) => open);
  const lowest = cosines.flat().reduce((least, value) => (value < least ? value : least), 1);
  const bottom = lowest < 0.95 ? Math.floor(lowest * 10) / 10 : 0.9;
  const cell = Math.max(9, Math.min(36, Math.floor(380 / order.length)));
  const names = order.map((i) => labels[i]);
  const axis = {labelLimit: 110, ticks: false, domain: false, ...narrowLabels(cell)};
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${stats.layer.name}; classes ordered by clustering${chosen.how}`,
      `cosine of ${cosineWords(vectors.kind)}`,
      gamma !== undefined && `outlined: different, cosine below γ = ${numberText(gamma)}`,
      brackets.length > 0 && 'bars at the right: its concepts, by their numbers',
      anyOpen && '?: undecided, as a class does not agree with itself between the halves of its images',
    ),
    data: {values},
    width: {step: cell},
    height: {step: cell},
    encoding: {
      x: {
        field: 'b',
        type: 'nominal',
        sort: names,
        title: 'class',
        scale: {paddingInner: 0, paddingOuter: 0},
        axis: {...axis, labelAngle: cell < 16 ? -90 : -45},
      },
      y: {
        field: 'a',
        type: 'nominal',
        sort: names,
        title: 'class',
        scale: {paddingInner: 0, paddingOuter: 0},
        axis,
      },
    },
    layer: [
      {
        mark: {type: 'rect', invalid: null, stroke: GROUND, strokeWidth: cell > 14 ? 1 : 0},
        encoding: {
          color: {
            condition: {test: 'datum.cosine === null', value: EMPTY},
            field: 'cosine',
            type: 'quantitative',
            scale: {scheme: SEQUENTIAL, domain: [bottom, 1], clamp: true},
            legend: {
              title: [vectors.kind === 'gated' ? 'gated cosine' : 'cosine'],
              ...(brackets.length > 0 && {offset: 36}),
              gradientLength: Math.min(200, Math.max(60, cell * order.length)),
            },
          },
          tooltip: [
            {field: 'a', type: 'nominal', title: 'class'},
            {field: 'b', type: 'nominal', title: 'and class'},
            {field: 'cosine', type: 'quantitative', title: 'cosine', format: NUMBER_FORMAT},
          ],
        },
      },
      ...(gamma === undefined
        ? []
        : [
            {
              transform: [{filter: `datum.cosine !== null && !datum.open && datum.cosine < ${Number(gamma)}`}],
              mark: {type: 'rect' as const, filled: false, stroke: MARK, strokeWidth: cell > 14 ? 2 : 1, tooltip: null},
            },
          ]),
      ...(cell < ROOM_FOR_NUMBERS
        ? []
        : [
            {
              ...(anyOpen && {
                transform: [{calculate: "format(datum.cosine, '.2f') + (datum.open ? '?' : '')", as: 'text'}],
              }),
              mark: {type: 'text' as const, fontSize: 10, tooltip: null},
              encoding: {
                text: {
                  condition: {test: 'datum.cosine === null', value: '–'},
                  field: anyOpen ? 'text' : 'cosine',
                  type: anyOpen ? ('nominal' as const) : ('quantitative' as const),
                  ...(!anyOpen && {format: '.2f'}),
                },
                color: {
                  condition: {test: `datum.cosine !== null && datum.cosine > ${(bottom + 1) / 2}`, value: ON_DARK},
                  value: ON_LIGHT,
                },
              },
            },
          ]),
      ...bracketLayers(brackets, labels, names, cell * order.length),
    ],
  };
}

/** Which vectors give the cosines of a channel's reported pairs. */
export function decidedBy(stats: RelevanceStatistics, {channel, pairs = []}: ChannelClasses): VectorKind {
  if (pairs.length === 0 || !gatesOf(stats)) return vectorKind(stats);
  const off = (vectors: ClassVectors) => Math.abs(vectors.cosine(...pairs[0].classes) - pairs[0].cosine);
  return off(classVectors(stats, channel, 'published')) < 1e-9 ? 'published' : 'gated';
}

/** The classes that say most where not all can be drawn: those of the pairs that differ most, else those that excite the channel most. */
function fewer(
  stats: RelevanceStatistics,
  {channel, classes, pairs}: ChannelClasses,
  limit: number,
): {classes: number[]; how: string} {
  const of = `; ${limit} of ${counted(classes.length, 'class', 'classes')}`;
  const chosen = new Set<number>();
  for (const pair of pairs ?? []) {
    if (chosen.size + pair.classes.filter((k) => !chosen.has(k)).length > limit) break;
    pair.classes.forEach((k) => chosen.add(k));
  }
  if (chosen.size >= 2) return {classes: [...chosen], how: `${of}, those of the lowest cosines`};
  const strength = new Map(classes.map((k) => [k, sum(averagedRelevanceVector(stats, channel, [k]))]));
  const strongest = [...classes].sort((a, b) => (strength.get(b) ?? 0) - (strength.get(a) ?? 0)).slice(0, limit);
  return {classes: strongest, how: `${of}, those that excite the channel most`};
}

/** Order of the leaves of a clustering, so that alike stand side by side. */
function clusterOrder(cosines: readonly (readonly number[])[]): number[] {
  const distances = cosines.map((row, i) =>
    row.map((value, j) => (i === j ? 0 : 1 - (Number.isNaN(value) ? -1 : value))),
  );
  return agnes(distances, {method: 'average', isDistanceMatrix: true}).indices();
}
