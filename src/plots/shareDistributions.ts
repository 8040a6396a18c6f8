import {importance} from '../concepts/find';
import {classesWithImages, type RelevanceStatistics} from '../numerics/statistics';
import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import {COUNT_FORMAT, counted, NUMBER_FORMAT, numberText, percentText, rounded} from './labels';
import {MARK, PALE, SERIES} from './palette';

export interface ShareDistributionsOptions {
  /** τ: a channel is important for an image from this share on. @default 0.03 */
  tau?: number;
  /** p: a channel is relevant to a class from this fraction of its images on. @default 0.75 */
  p?: number;
}

const BINS = 30;
const WIDTH = 165;
const HEIGHT = 150;

interface Bin {
  from: number;
  to: number;
  count: number;
}

/**
 * What τ and p are chosen from (Hesse et al. 2025, section 3.1): how large the shares of single channels in single images are, and, at this τ,
 * for what fraction of a class's images a channel is important. Good thresholds stand in a valley.
 */
export function shareDistributions(
  stats: RelevanceStatistics,
  {tau = 0.03, p = 0.75}: ShareDistributionsOptions = {},
): Figure {
  const {layer, shares, classes: K, images} = stats;
  const title = 'Shares of relevance';
  if (shares.values.length === 0) {
    return sentenceFigure(
      title,
      `No channel of ${layer.name} has a share of ${numberText(shares.floor)} in any image.`,
    );
  }
  const outputs = layer.shape[3];
  const fractions = importance(stats, tau); // [Cout, K]
  const pairs = classesWithImages(stats).flatMap((k) => Array.from({length: outputs}, (_, c) => fractions[c * K + k]));
  const some = pairs.filter((fraction) => fraction > 0);
  const all = images.paths.length * outputs;
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer.name}; left: a channel in an image; not drawn: ${percentText(1 - shares.values.length / all)}, below ${numberText(shares.floor)}`,
      `right: a channel and a class, at τ = ${numberText(tau)}; not drawn: ${counted(pairs.length - some.length, 'pair')} without such an image`,
    ),
    spacing: 40,
    hconcat: [
      panel(logarithmicBins(shares.values, shares.floor), {
        threshold: tau,
        name: 'τ',
        unit: 'shares',
        x: ['share of the relevance', '(logarithmic)'],
        logarithmic: true,
      }),
      panel(evenBins(some), {
        threshold: p,
        name: 'p',
        unit: 'pairs',
        x: ['fraction of a class’s images', 'with a share ≥ τ'],
        logarithmic: false,
      }),
    ],
  };
}

function panel(
  bins: readonly Bin[],
  {
    threshold,
    name,
    unit,
    x,
    logarithmic,
  }: {threshold: number; name: string; unit: string; x: string[]; logarithmic: boolean},
) {
  const [low, high] = [bins[0].from, bins[bins.length - 1].to];
  const scale = logarithmic
    ? {type: 'log' as const, domain: [low, high], nice: false}
    : {domain: [low, high], nice: false};
  const most = bins.reduce((top, {count}) => Math.max(top, count), 1);
  const label = `${name} = ${numberText(threshold)}`;
  // The label stands on the side of its line that has more room.
  const place = logarithmic ? Math.log(threshold / low) / Math.log(high / low) : (threshold - low) / (high - low);
  const values = bins.map(({from, to, count}) => ({
    from: rounded(from),
    to: rounded(to),
    count,
    above: Math.sqrt(from * to) >= threshold || (from + to) / 2 >= threshold,
  }));
  return {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: {values},
        mark: {type: 'rect' as const, clip: true},
        encoding: {
          x: {
            field: 'from',
            type: 'quantitative' as const,
            title: x,
            scale,
            axis: logarithmic ? {values: [0.001, 0.01, 0.1, 1], format: '~g'} : {tickCount: 5, format: '~g'},
          },
          x2: {field: 'to'},
          y: {
            field: 'count',
            type: 'quantitative' as const,
            title: unit,
            scale: {domain: [0, 1.1 * most], nice: false},
            axis: {tickCount: Math.min(5, most), tickMinStep: 1, format: COUNT_FORMAT},
          },
          y2: {datum: 0},
          color: {condition: {test: 'datum.above', value: SERIES[0]}, value: PALE},
          tooltip: [
            {field: 'from', type: 'quantitative' as const, title: 'from', format: NUMBER_FORMAT},
            {field: 'to', type: 'quantitative' as const, title: 'to', format: NUMBER_FORMAT},
            {field: 'count', type: 'quantitative' as const, title: unit, format: COUNT_FORMAT},
          ],
        },
      },
      {
        data: {values: [{threshold, label}]},
        layer: [
          {
            mark: {type: 'rule' as const, color: MARK, strokeWidth: 1.5, strokeDash: [5, 3], tooltip: null},
            encoding: {x: {field: 'threshold', type: 'quantitative' as const, scale}},
          },
          {
            mark: {
              type: 'text' as const,
              color: MARK,
              align: place < 0.6 ? ('left' as const) : ('right' as const),
              dx: place < 0.6 ? 4 : -4,
              y: 9,
              tooltip: null,
            },
            encoding: {
              x: {field: 'threshold', type: 'quantitative' as const, scale},
              text: {field: 'label', type: 'nominal' as const},
            },
          },
        ],
      },
    ],
  };
}

/** From the floor to 1, each bin as many times as wide as the one before. */
function logarithmicBins(values: Float32Array, floor: number): Bin[] {
  const [low, high] = [Math.max(floor, 1e-4), 1];
  const edge = (n: number) => low * (high / low) ** (n / BINS);
  const bins = Array.from({length: BINS}, (_, n) => ({from: edge(n), to: edge(n + 1), count: 0}));
  for (const value of values) {
    const at = Math.floor((Math.log(value / low) / Math.log(high / low)) * BINS);
    bins[Math.max(0, Math.min(BINS - 1, at))].count += 1;
  }
  return bins;
}

function evenBins(values: readonly number[]): Bin[] {
  const count = 20;
  const bins = Array.from({length: count}, (_, n) => ({from: n / count, to: (n + 1) / count, count: 0}));
  for (const value of values) bins[Math.min(count - 1, Math.floor(value * count + 1e-9))].count += 1;
  return bins;
}
