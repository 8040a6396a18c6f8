/** Small functions on vectors. Sums are in float64. */

export type Vector = ArrayLike<number>;

export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** cos(a, b); NaN where either is zero, since a zero vector has no direction. */
export function cosine(a: Vector, b: Vector): number {
  const norms = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  if (norms === 0) return NaN;
  // Rounding can carry a quotient just beyond ±1.
  return Math.max(-1, Math.min(1, dot(a, b) / norms));
}

/** Σ a_i */
export function sum(a: Vector): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i];
  return total;
}

/** The mean; NaN of nothing. */
export function mean(a: Vector): number {
  return sum(a) / a.length;
}
