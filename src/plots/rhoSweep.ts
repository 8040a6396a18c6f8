import {figureTitle, SCHEMA, sentenceFigure, type Figure} from './figure';
import type {DividedChannel} from './inputs';
import {counted, NUMBER_FORMAT, numberText, rounded} from './labels';
import {MARK, QUIET} from './palette';

/** From this ratio of the highest to the lowest score on the axis is logarithmic. */
const WIDE = 30;

/** The score that ρ is chosen by, at every ρ tried, the chosen one marked (Hesse et al. 2025, section 3.3). */
export function rhoSweep({channel, layer, rule, rho}: DividedChannel): Figure {
  const title = `Choice of ρ for channel ${channel}`;
  const scores = rho?.scores.filter(({score}) => Number.isFinite(score)) ?? [];
  if (!rho || scores.length === 0) {
    return sentenceFigure(
      title,
      rho === undefined
        ? `Rule ${rule} has no ρ to choose.`
        : `ρ was given (${numberText(rho.rho)}), so that nothing was tried; leave it out, or say rho: 'auto', to see the scores.`,
    );
  }
  const all = scores.map(({score}) => score);
  const logarithmic = Math.min(...all) > 0 && Math.max(...all) / Math.min(...all) > WIDE;
  const chosen = scores.filter((one) => one.rho === rho.rho);
  const encoding = {
    x: {
      field: 'rho',
      type: 'quantitative' as const,
      title: 'ρ',
      scale: {domain: [0, 1]},
      axis: {values: [0, 0.2, 0.4, 0.6, 0.8, 1]},
    },
    y: {
      field: 'score',
      type: 'quantitative' as const,
      title: ['own ÷ other parts,', `summed over concepts${logarithmic ? ' (log)' : ''}`],
      scale: logarithmic ? {type: 'log' as const} : {zero: false},
      axis: {tickCount: 5},
    },
    tooltip: [
      {field: 'rho', type: 'quantitative' as const, title: 'ρ'},
      {field: 'score', type: 'quantitative' as const, title: 'score', format: NUMBER_FORMAT},
    ],
  };
  return {
    $schema: SCHEMA,
    title: figureTitle(
      title,
      `layer ${layer}, rule ${rule}; chosen: ρ = ${numberText(rho.rho)}`,
      rho.zeroDenominators > 0 &&
        `${counted(rho.zeroDenominators, 'image')} whose other parts are silent ${rho.zeroDenominators === 1 ? 'has a ratio' : 'have ratios'} bounded only by the 0.00001 in the denominator`,
    ),
    width: 420,
    height: 170,
    layer: [
      {
        data: {values: scores.map((one) => ({rho: one.rho, score: rounded(one.score, 6)}))},
        mark: {type: 'line', color: QUIET, point: {color: QUIET, size: 30}},
        encoding,
      },
      {
        data: {values: chosen.map((one) => ({rho: one.rho, score: rounded(one.score, 6)}))},
        layer: [
          {mark: {type: 'rule', color: MARK, strokeDash: [5, 3]}, encoding: {x: encoding.x}},
          {mark: {type: 'point', filled: true, color: MARK, size: 110, opacity: 1}, encoding},
        ],
      },
    ],
  };
}
