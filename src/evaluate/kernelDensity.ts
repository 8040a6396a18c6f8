import {interquartileRange, kernelDensityEstimation} from 'simple-statistics';
import {sampleStd} from '../numerics/summary';

/** Kernel density estimates with a Gaussian kernel, in the two forms that `densities` draws. */

/** What one curve is estimated from, and with which bandwidth. */
export interface Sample {
  values: number[];
  bandwidth: number;
}

/** The normal reference rule, 1.06·min(s, IQR/1.34)·n^(−1/5), s alone where the interquartile range is 0; 0 where all values are the same. */
export function referenceBandwidth(values: number[]): number {
  if (values.length < 2) return 0;
  const std = sampleStd(values);
  const spread = interquartileRange(values) / 1.34;
  return 1.06 * (spread > 0 ? Math.min(std, spread) : std) * values.length ** -0.2;
}

/** Scott's rule as SciPy and seaborn write it: s·n^(−1/5), s with n − 1; 0 where all values are the same. */
export function scottBandwidth(values: number[]): number {
  return values.length < 2 ? 0 : sampleStd(values) * values.length ** -0.2;
}

/** How many bandwidths a curve goes on beyond its lowest and highest value. */
const CUT = 3;

/** From the lowest to the highest place that any curve needs. */
export function gridRange(samples: readonly Sample[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const {values, bandwidth} of samples) {
    for (const value of values) {
      low = Math.min(low, value - CUT * bandwidth);
      high = Math.max(high, value + CUT * bandwidth);
    }
  }
  return [low, high];
}

/**
 * The estimate as a function of the place.
 * @param reflected values cannot be negative: what the kernel would put below 0 is reflected at 0
 */
export function densityOf({values, bandwidth}: Sample, reflected: boolean): (at: number) => number {
  const estimate = kernelDensityEstimation(values, 'gaussian', bandwidth);
  return reflected ? (at) => estimate(at) + estimate(-at) : estimate;
}
