import {usualTau} from '../concepts/smallTau';
import {InputError} from '../common/errors';
import type {RelevanceStatistics} from '../numerics/statistics';
import {RHOS} from '../split/sources';
import {vectorKind} from '../concepts/relate';
import {gatesOf} from '../numerics/gatedSums';
import type {Grid, Settings} from './page/explored';

const MANTISSAS = [1, 1.2, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9];

/**
 * Where the knobs start: as asked for, else γ 0.5, p 0.75, ρ 0.5 and τ 0.03, or 2 / Cout where that is larger; gated vectors where there are gates.
 * @throws InputError for a value out of range, or gated vectors of statistics without gates
 */
export function startSettings(stats: RelevanceStatistics, options: Partial<Settings>): Settings {
  const {floor} = stats.shares;
  const {tau = usualTau(stats.layer.shape[3], floor), p = 0.75, gamma = 0.5, rho = 0.5} = options;
  const check = (name: string, value: number | string, fine: boolean, range: string) => {
    if (!fine) throw new InputError(`invalid ${name}: ${value}; give ${range}`);
  };
  check('tau', tau, tau >= floor && tau <= 1, `a share from ${floor}, the smallest that the statistics keep, to 1`);
  check('p', p, p > 0 && p <= 1, 'a fraction above 0 and up to 1, such as 0.75');
  check('gamma', gamma, gamma >= -1 && gamma <= 1, 'a cosine from −1 to 1, such as 0.5');
  check('rho', rho, rho > 0 && rho <= 1, 'a number above 0 and up to 1, such as 0.5');
  const {arv} = options;
  check('arv', String(arv), arv === undefined || arv === 'gated' || arv === 'published', "'gated' or 'published'");
  return {tau, p, gamma, rho, ...((gatesOf(stats) || arv) && {arv: vectorKind(stats, arv)})};
}

/** Values that the knobs can take: round ones, 2 / Cout, and those that they start at; γ from −1, see `fittedGammas`. */
export function knobGrid(stats: RelevanceStatistics, start: Settings): Grid {
  const {floor, values} = stats.shares;
  let largest = start.tau;
  for (const value of values) if (value > largest) largest = value;
  const taus = [floor, 2 / stats.layer.shape[3], start.tau, ...roundNumbers()];
  return {
    tau: ascending(taus.filter((tau) => tau >= floor && tau > 0 && tau <= 1 && tau <= largest)),
    p: ascending([start.p, ...RHOS]),
    gamma: ascending([start.gamma, ...hundredths(-100)]),
    rho: ascending([start.rho, ...RHOS]),
  };
}

/** γ from a round number below the lowest cosine that there is at the start, so that the slider's way is where the cosines are. */
export function fittedGammas(gammas: readonly number[], start: Settings, lowest: number): number[] {
  const low = Math.floor(10 * Math.min(Number.isFinite(lowest) ? lowest : -1, start.gamma) - 1e-9) - 1;
  return gammas.filter((gamma) => gamma >= Math.max(-10, low) / 10 - 1e-9);
}

const hundredths = (from: number) => Array.from({length: 101 - from}, (_, i) => (from + i) / 100);

/** From 0.0001 to 1, exactly as they are written in decimals. */
function roundNumbers(): number[] {
  return [-4, -3, -2, -1].flatMap((power) => MANTISSAS.map((mantissa) => Number(`${mantissa}e${power}`))).concat(1);
}

function ascending(values: number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
