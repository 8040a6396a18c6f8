/**
 * Elementary functions from +, −, ×, ÷ and square root alone. ECMAScript leaves the last bits of `Math.sin` and its kind
 * to the engine; IEEE 754 fixes those of the four operations, so that a picture is the same, byte by byte, everywhere.
 * The series are cut where a picture cannot show the difference (errors below 1e-7).
 */

export const PI = 3.141592653589793;

/** sin x, x in radians. */
export function sine(x: number): number {
  const halfTurns = Math.floor(x / PI + 0.5);
  const r = x - halfTurns * PI; // in [−π/2, π/2]
  const q = r * r;
  const series =
    r * (1 + (q / -6) * (1 + (q / -20) * (1 + (q / -42) * (1 + (q / -72) * (1 + (q / -110) * (1 + q / -156))))));
  return halfTurns % 2 === 0 ? series : -series;
}

/** cos x, x in radians. */
export function cosine(x: number): number {
  return sine(x + PI / 2);
}

/** Angle of the point (x, y) from the x axis, in (−π, π]; 0 at the origin. */
export function angle(y: number, x: number): number {
  const steep = Math.abs(y) > Math.abs(x);
  const long = steep ? Math.abs(y) : Math.abs(x);
  if (long === 0) return 0;
  const slope = (steep ? Math.abs(x) : Math.abs(y)) / long; // in [0, 1]
  let first = slope > 0.41 ? PI / 4 + arctangentSeries((slope - 1) / (slope + 1)) : arctangentSeries(slope);
  if (steep) first = PI / 2 - first;
  if (x < 0) first = PI - first;
  return y < 0 ? -first : first;
}

/** arctan a for |a| ≤ 0.42. */
function arctangentSeries(a: number): number {
  const q = a * a;
  return a * (1 - q * (1 / 3 - q * (1 / 5 - q * (1 / 7 - q * (1 / 9 - q * (1 / 11 - q * (1 / 13 - q / 15)))))));
}

/** e^x for |x| ≤ 0.25. */
export function exponential(x: number): number {
  return 1 + x * (1 + (x / 2) * (1 + (x / 3) * (1 + (x / 4) * (1 + (x / 5) * (1 + (x / 6) * (1 + x / 7))))));
}

/** √(x² + y²). */
export function length(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}
