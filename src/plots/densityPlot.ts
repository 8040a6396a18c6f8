import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {DensityCurves} from './inputs';
import {conceptLabel, legendColumns, nameText, NUMBER_FORMAT, numberText, percentText, rounded} from './labels';
import {conceptColours, NO_CONCEPT} from './palette';

/** A peak at silence is cut off where it is higher than this many times everything else, which it would flatten. */
const PEAK = 1.4;
/** What lies below this share of the highest activation counts as silence. */
const SILENCE = 0.04;

/**
 * How strongly the images of each concept excite the original channel and each part: density of the summed activation, a panel a
 * channel with a curve a concept, or a panel a concept with a curve a channel (`by`), as in the figure of Hesse et al. 2025, section 4.2.
 */
export function densityPlot({
  layer,
  channel,
  sums = 'relu',
  by = 'channel',
  rows,
  curves,
  concepts: known,
}: DensityCurves): Figure {
  const title = `How strongly images excite channel ${channel} and its parts`;
  const finite = rows.filter(({activation, density}) => Number.isFinite(activation) && Number.isFinite(density));
  if (finite.length === 0) {
    return sentenceFigure(title, `There is no activation of channel ${channel} of ${layer} to estimate a density of.`);
  }
  const channels = [...new Set(curves.map((curve) => curve.channel))];
  const concepts = [...new Set(curves.map((curve) => curve.concept))];
  const [panelled, curved] = by === 'channel' ? [channels, concepts] : [concepts, channels];
  const curveKey = by === 'channel' ? 'concept' : 'channel';
  const highest = finite.reduce((most, {activation}) => Math.max(most, activation), -Infinity);
  const lowest = sums === 'relu' ? 0 : finite.reduce((least, {activation}) => Math.min(least, activation), Infinity);
  const panels = panelled.map((name) => {
    const own = finite.filter((row) => row[by] === name);
    const most = own.reduce((top, {density}) => Math.max(top, density), 0);
    const rest = own
      .filter(({activation}) => activation > SILENCE * highest)
      .reduce((top, {density}) => Math.max(top, density), 0);
    const cut = sums === 'relu' && rest > 0 && most > PEAK * 1.5 * rest;
    return {name, own, top: cut ? PEAK * rest : 1.08 * most || 1, cut};
  });
  // The paper's panels have one scale, so that heights compare.
  const common = by === 'concept' ? Math.max(...panels.map(({top}) => top)) : undefined;
  const silent = (name: string) =>
    (sums === 'relu' ? curves.filter((curve) => curve[by] === name) : [])
      .map(({zeroShare, [curveKey]: curve}) => {
        const share = percentText(zeroShare);
        return zeroShare >= 0.005 ? `${share} of ${short(curve)} silent` : '';
      })
      .filter(Boolean)
      .join(', ');
  const named = known && new Map(known.map((concept) => [concept.classNames.join(' + '), conceptLabel(concept)]));
  const short = (concept: string) => shortened(named?.get(concept) ?? nameText(concept));
  const heading = (name: string) => {
    if (name === 'original') return 'original channel';
    const concept = concepts[Number(/^d(\d+)$/.exec(name)?.[1]) - 1];
    return concept === undefined ? name : `${name} · ${short(concept)}`;
  };
  const labelOf = (curve: string) => (by === 'channel' ? (named?.get(curve) ?? nameText(curve)) : heading(curve));
  const colours = conceptColours(known ?? concepts.map(() => ({})));
  const curveTitle = by === 'channel' ? 'images of' : 'channel';
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer}; kernel density estimates, each curve's area is 1${panels.some(({cut}) => cut) ? '; peaks at 0 are cut off' : ''}`,
    ),
    spacing: 10,
    resolve: {scale: {y: 'independent'}},
    vconcat: panels.map(({name, own, top}, n) => ({
      title: {
        text: by === 'channel' ? heading(name) : `images of ${short(name)}`,
        ...(silent(name) && {subtitle: silent(name)}),
        fontSize: 11,
        subtitleFontSize: 10,
        anchor: 'start' as const,
        offset: 2,
      },
      width: 460,
      height: 84,
      data: {
        values: own.map(({[curveKey]: curve, activation, density}) => ({
          [curveKey]: labelOf(curve),
          activation: rounded(activation),
          density: rounded(density),
        })),
      },
      mark: {type: 'area' as const, line: {strokeWidth: 1.8}, fillOpacity: 0.18, clip: true},
      encoding: {
        x: {
          field: 'activation',
          type: 'quantitative' as const,
          title:
            n === panels.length - 1
              ? `summed activation ${sums === 'relu' ? 'Σ relu' : 'Σ (signed)'} over the positions`
              : null,
          scale: {domain: [lowest, highest > lowest ? highest : lowest + 1], nice: false},
          axis: {tickCount: 8},
        },
        y: {
          field: 'density',
          type: 'quantitative' as const,
          title: 'density',
          stack: null,
          scale: {domain: [0, common ?? top], nice: false},
          axis: {tickCount: 3},
        },
        color: {
          field: curveKey,
          type: 'nominal' as const,
          scale: {
            domain: curved.map(labelOf),
            range: by === 'channel' ? colours : [NO_CONCEPT, ...colours].slice(0, channels.length),
          },
          legend: {
            title: curveTitle,
            orient: 'bottom' as const,
            columns: legendColumns(curved.map(labelOf), {limit: 240}),
            labelLimit: 240,
            symbolType: 'square' as const,
          },
        },
        tooltip: [
          {field: curveKey, type: 'nominal' as const, title: curveTitle},
          {field: 'activation', type: 'quantitative' as const, title: 'activation', format: NUMBER_FORMAT},
          {field: 'density', type: 'quantitative' as const, title: 'density', format: NUMBER_FORMAT},
        ],
      },
    })),
  };
}

const shortened = (name: string) => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** Mean activations in a sentence: what the curves say, for readers who do not see them. */
export function densityText({curves}: DensityCurves): string {
  return curves
    .map(({concept, channel, mean}) => `${channel} on ${nameText(concept)}: mean ${numberText(mean)}`)
    .join('; ');
}
