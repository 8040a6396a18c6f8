import {sampleStandardDeviation} from 'simple-statistics';
import {mean, sum, type Vector} from './vectors';

/** Values in brief. What the interval is of, the function that makes it says. */
export interface Summary {
  mean: number;
  /** Sample standard deviation (n − 1); NaN of fewer than two values. */
  std: number;
  /** 95 % interval, [low, high]. */
  interval: [number, number];
  count: number;
}

/** The 97.5 % quantile of the standard normal distribution. */
const Z = 1.959964;

/** Mean and its normal 95 % interval: mean ± 1.96·std/√n. NaN where too few values define them. */
export function meanInterval(values: Vector): Summary {
  const count = values.length;
  const std = sampleStd(values);
  const centre = mean(values);
  const half = (Z * std) / Math.sqrt(count);
  return {mean: centre, std, interval: [centre - half, centre + half], count};
}

/**
 * R = Σ a / Σ b over pairs, with its normal 95 % interval by linearisation: the variance of R is that of the mean of (a − R·b) / mean(b)
 * (Cochran, Sampling Techniques, section 6.4). No pair with a small b can dominate it. `std` is that of (a − R·b) / mean(b), so that
 * the interval is R ± 1.96·std/√n.
 */
export function ratioInterval(a: Vector, b: Vector): Summary {
  const ratio = sum(a) / sum(b);
  const scale = mean(b);
  const {std, count} = meanInterval(Array.from(a, (value, n) => (value - ratio * b[n]) / scale));
  const half = (Z * std) / Math.sqrt(count);
  return {mean: ratio, std, interval: [ratio - half, ratio + half], count};
}

/** Mean, and the range that holds the central 95 % of the values themselves (2.5 % and 97.5 % quantiles, interpolated). */
export function centralRange(values: Vector): Summary {
  const sorted = Array.from(values).sort((x, y) => x - y);
  const at = (p: number) => (sorted.length > 0 ? interpolatedQuantile(sorted, p) : NaN);
  return {
    mean: mean(values),
    std: sampleStd(values),
    interval: [at(0.025), at(0.975)],
    count: values.length,
  };
}

/** Sample standard deviation (n − 1); NaN of fewer than two values. */
export function sampleStd(values: Vector): number {
  return values.length < 2 ? NaN : sampleStandardDeviation(values as number[]);
}

/** The p-quantile of ascending values, linear between the two nearest. */
function interpolatedQuantile(sorted: number[], p: number): number {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}
