/** Kernel density estimates and the reference rule for their bandwidth, straight from the definitions. */
import {meanOf, sumOf} from './evaluateSlowly';

/** s = √(Σ (x − x̄)² / (n − 1)) */
export function slowDeviation(values: readonly number[]): number {
  const centre = meanOf(values);
  return Math.sqrt(sumOf(values.map((value) => (value - centre) ** 2)) / (values.length - 1));
}

/** Where the line through the values in order, at even distances from 0 to 1, is at p. */
export function slowQuantile(values: readonly number[], p: number): number {
  const inOrder = [...values].sort((a, b) => a - b);
  const place = p * (values.length - 1);
  return sumOf(inOrder.map((value, at) => value * Math.max(0, 1 - Math.abs(place - at))));
}

/** Scott 1992: 1.06 · min(s, IQR / 1.34) · n^(−1/5); s alone where the interquartile range is 0. */
export function slowBandwidth(values: readonly number[]): number {
  const range = slowQuantile(values, 0.75) - slowQuantile(values, 0.25);
  const deviation = slowDeviation(values);
  const spread = range === 0 ? deviation : Math.min(deviation, range / 1.34);
  // n^(−1/5) is the x with 1 / x⁵ = n.
  return (1.06 * spread) / Math.exp(Math.log(values.length) / 5);
}

/** The mean of Gaussians around the values and around their mirror images at 0. */
export function slowDensity(values: readonly number[], bandwidth: number, at: number): number {
  const gaussian = (distance: number) =>
    Math.exp(-0.5 * (distance / bandwidth) ** 2) / (bandwidth * Math.sqrt(2 * Math.PI));
  return meanOf(values.map((value) => gaussian(at - value) + gaussian(at + value)));
}

/** The area below points at even steps, by trapezoids. */
export function slowArea(points: readonly {activation: number; density: number}[]): number {
  return sumOf(
    points
      .slice(1)
      .map((point, n) => ((point.activation - points[n].activation) * (point.density + points[n].density)) / 2),
  );
}

/** Scott's rule in one dimension as SciPy writes it: s · n^(−1/5). */
export function slowScott(values: readonly number[]): number {
  return slowDeviation(values) / Math.exp(Math.log(values.length) / 5);
}

/** The mean of Gaussians around the values. */
export function slowSignedDensity(values: readonly number[], at: number): number {
  const bandwidth = slowScott(values);
  return meanOf(
    values.map((value) => Math.exp(-0.5 * ((at - value) / bandwidth) ** 2) / (bandwidth * Math.sqrt(2 * Math.PI))),
  );
}
