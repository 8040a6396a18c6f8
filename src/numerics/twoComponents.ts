import {mean} from './vectors';

/** Two normal distributions on a line, and the share of the first. */
export interface TwoComponents {
  share: number;
  means: [number, number];
  variances: [number, number];
}

const STEPS = 60;
/** A component is at least so wide, as a share of the variance of all values: one value alone would be infinitely likely. */
const LEAST_VARIANCE = 0.01;

/**
 * Fits a mixture of two normal distributions by expectation and maximisation, from the groups given.
 * @param values N values
 * @param owners 0 or 1 each, where it starts
 */
export function fitTwoComponents(values: ArrayLike<number>, owners: ArrayLike<number>): TwoComponents {
  const floor = LEAST_VARIANCE * variance(values) + Number.MIN_VALUE;
  let weights = Float64Array.from(owners, (owner) => (owner === 0 ? 1 : 0));
  let fitted = maximise(values, weights, floor);
  for (let step = 0; step < STEPS; step++) {
    weights = Float64Array.from(values as ArrayLike<number>, (x) => {
      const [a, b] = [fitted.share * normal(x, fitted, 0), (1 - fitted.share) * normal(x, fitted, 1)];
      return a + b > 0 ? a / (a + b) : 0.5;
    });
    fitted = maximise(values, weights, floor);
  }
  return fitted;
}

function maximise(values: ArrayLike<number>, weights: Float64Array, floor: number): TwoComponents {
  const n = values.length;
  const first = weights.reduce((sum, w) => sum + w, 0);
  const means: [number, number] = [0, 0];
  const variances: [number, number] = [0, 0];
  for (const j of [0, 1] as const) {
    const total = Math.max(j === 0 ? first : n - first, 1e-9);
    const w = (at: number) => (j === 0 ? weights[at] : 1 - weights[at]);
    for (let at = 0; at < n; at++) means[j] += (w(at) * values[at]) / total;
    for (let at = 0; at < n; at++) variances[j] += (w(at) * (values[at] - means[j]) ** 2) / total;
    variances[j] = Math.max(variances[j], floor);
  }
  return {share: Math.min(Math.max(first / n, 1 / n), 1 - 1 / n), means, variances};
}

function normal(x: number, {means, variances}: TwoComponents, j: 0 | 1): number {
  return Math.exp(-((x - means[j]) ** 2) / (2 * variances[j])) / Math.sqrt(2 * Math.PI * variances[j]);
}

/**
 * How much likelier values are under two components than under one normal distribution, both fitted on other values: the mean of
 * log p₂(x) − log p₁(x) in nats. Above 0 two are better.
 */
export function likelihoodGain(
  fitted: ArrayLike<number>,
  owners: ArrayLike<number>,
  values: ArrayLike<number>,
): number {
  const two = fitTwoComponents(fitted, owners);
  const [centre, spread] = [mean(fitted), Math.max(variance(fitted), Number.MIN_VALUE)];
  let gain = 0;
  for (let at = 0; at < values.length; at++) {
    const x = values[at];
    const p = two.share * normal(x, two, 0) + (1 - two.share) * normal(x, two, 1);
    // A value that both components exclude says no more than e⁻⁵⁰.
    gain += Math.log(Math.max(p, 1e-22)) + ((x - centre) ** 2 / spread + Math.log(2 * Math.PI * spread)) / 2;
  }
  return gain / values.length;
}

function variance(values: ArrayLike<number>): number {
  const centre = mean(values);
  return mean(Float64Array.from(values, (value) => (value - centre) ** 2));
}
