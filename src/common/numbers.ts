/** How numbers are written, in figures, tables, sentences and on the page with sliders alike. */

const MINUS = '−';

/**
 * A number in a sentence or a cell: whole numbers in full (`1,440`), a value that three digits say exactly as it is (`0.5`), any other with three
 * significant digits (`−0.403`, `0.120`), with a true minus sign; a very small one as `1.25e−5`.
 */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : `${MINUS}∞`;
  const size = Math.abs(value);
  return `${value < 0 && size > 0 ? MINUS : ''}${sizeText(size)}`;
}

function sizeText(size: number): string {
  // Sums of decimals such as 0.1 + 0.2 are whole, or round, but for their last bits.
  const round = Number(size.toPrecision(12));
  if (Number.isInteger(round)) return countText(round);
  if (size >= 99.95) return countText(Math.round(size));
  if (Number(round.toPrecision(3)) === round && round >= 1e-4) return String(round);
  return size < 1e-4 ? `${Number(size.toPrecision(3)).toExponential()}`.replace('-', MINUS) : size.toPrecision(3);
}

/** A whole number: `1,440`. */
export function countText(count: number): string {
  return Number.isFinite(count) && Math.abs(count) >= 1e15
    ? count.toExponential(2).replace('+', '').replace('-', MINUS)
    : count.toLocaleString('en-US').replace('-', MINUS);
}

/** A share as a percentage: `97 %`; `digits` after the point. */
export function percentText(share: number, digits = 0): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits).replace('-', MINUS)} %` : '–';
}

/** A change with its sign: `+0.250`, `−0.403`, `0`. */
export function signedText(value: number): string {
  return value > 0 ? `+${numberText(value)}` : numberText(value);
}

/** The same format in the language of figures (d3-format), for hints over a mark. */
export const NUMBER_FORMAT = '.3~r';
/** Counts in hints and on axes. */
export const COUNT_FORMAT = ',d';

/** A measured fraction, correlation or mean of such, beside others of its kind: `1.07`, `0.40`, `−0.06`. */
export function fractionText(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 99.995) return numberText(value);
  const size = Math.abs(value).toFixed(2);
  return value < 0 && Number(size) > 0 ? `${MINUS}${size}` : size;
}

/** A mean with what is known of it; `numerics/summary` has it. */
interface Spread {
  mean: number;
  std: number;
  interval: readonly [number, number];
}

/** `1.07 [1.01, 1.13]` */
export function intervalText({mean, interval}: Pick<Spread, 'mean' | 'interval'>): string {
  return interval.every(Number.isFinite)
    ? `${fractionText(mean)} [${interval.map(fractionText).join(', ')}]`
    : fractionText(mean);
}

/** `1.07 ± 0.32 [1.01, 1.13]` */
export function spreadText(summary: Spread): string {
  if (!Number.isFinite(summary.std) || !summary.interval.every(Number.isFinite)) return intervalText(summary);
  return intervalText(summary).replace(' [', ` ± ${fractionText(summary.std)} [`);
}
