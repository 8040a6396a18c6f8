import type {SplitRule} from '../types';
import {activeKernel, checkSize, diagonal, gatedMoments, multiply, requireInputs, sumOfMoments} from './activity';
import {shiftedSolver} from './shiftedSolve';

/**
 * The ownership that best predicts each concept's share of m on positions where the channel is active: with c_i the contribution of
 * source i to m = Σ c_i and M_j = E[c cᵀ] over concept j's positions with m > 0,
 *
 *   λ_j = (Σ M + s·I)⁻¹ (M_j·1 + s/k),   s = mean diagonal of Σ M,
 *
 * clipped to 0..1 and scaled so that Σ_j λ_j = 1. The shrinkage s pulls a source that tells nothing apart to 1/k. From the planted
 * benchmark of this package; k = 2 is a Wiener filter with two signals.
 */
export const gatedWiener: SplitRule = {
  name: 'gatedWiener',
  description:
    'soft ownership by a Wiener filter on active positions; recovers planted concepts better than published on dense layers, and about as well on sparse ones',
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'gatedWiener');
    const sources = problem.layer.shape[2];
    checkSize(sources, 'gatedWiener', 'take a layer with fewer input channels, or the rule published');
    const moments = await gatedMoments(problem, inputs, activeKernel(problem), 'contributions');
    const k = moments.length;
    const total = sumOfMoments(moments);
    const shrinkage =
      diagonal({matrix: total, size: sources, count: 0}).reduce((sum, value) => sum + value, 0) / sources;
    if (!(shrinkage > 0)) return {ownership: moments.map(() => new Float64Array(sources).fill(1 / k))};
    const ones = new Float64Array(sources).fill(1);
    const raw = moments.map(({matrix}) => {
      const target = multiply(matrix, ones).map((value) => value + shrinkage / k);
      return shiftedSolver({T: (v) => multiply(total, v)}, target, shrinkage)(shrinkage);
    });
    return {ownership: onSimplex(raw)};
  },
};

/** Ownerships clipped to 0..1 and scaled to Σ_j λ_j = 1; where nothing is left, shared alike. */
export function onSimplex(raw: readonly Float64Array[]): Float64Array[] {
  const clipped = raw.map((lambda) => lambda.map((value) => Math.min(Math.max(value, 0), 1)));
  const total = (i: number) => clipped.reduce((sum, lambda) => sum + lambda[i], 0);
  return clipped.map((lambda) => lambda.map((value, i) => (total(i) > 0 ? value / total(i) : 1 / raw.length)));
}
