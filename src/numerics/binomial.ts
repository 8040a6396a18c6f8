import {gammaln} from 'simple-statistics';

/**
 * P(X ≥ hits) of a binomial X: `trials` draws that each hit with probability `p`. Exact to rounding: the terms of the shorter tail are
 * summed, the first by log-gamma, each further one by its ratio to the one before.
 */
export function binomialUpperTail(hits: number, trials: number, p: number): number {
  if (hits <= 0) return 1;
  if (hits > trials) return 0;
  if (p <= 0 || p >= 1) return p >= 1 ? 1 : 0;
  const term = (k: number) =>
    Math.exp(
      gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1) + k * Math.log(p) + (trials - k) * Math.log1p(-p),
    );
  const odds = p / (1 - p);
  if (hits > trials * p) {
    let sum = 0;
    for (let k = hits, next = term(k); k <= trials && next > sum * 1e-17; k++) {
      sum += next;
      next *= (odds * (trials - k)) / (k + 1);
    }
    return Math.min(sum, 1);
  }
  let below = 0;
  for (let k = hits - 1, next = term(k); k >= 0 && next > below * 1e-17; k--) {
    below += next;
    next *= k / (odds * (trials - k + 1));
  }
  return Math.max(0, 1 - below);
}

/** P(X ≤ hits). */
export function binomialLowerTail(hits: number, trials: number, p: number): number {
  return binomialUpperTail(trials - hits, trials, 1 - p);
}
