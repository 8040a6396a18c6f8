import type {SplitRule} from '../types';
import {
  activeKernel,
  checkSize,
  diagonal,
  gatedMoments,
  multiply,
  requireInputs,
  sumOfMoments,
  type GatedMoment,
} from './activity';
import {onSimplex} from './gatedWiener';
import {energyStep} from './energyStep';
import {shiftedSolver} from './shiftedSolve';

/**
 * A direction in which the concepts differ, scaled so that the parts have the energy that a recovery of this quality has:
 *
 *   λ_j = clip_[0, 1](1/k + t·√(Var m·(1 − 1/k) / Σ_l Var(u_l·c))·u_j),   Σ_j u_j = 0,
 *
 * with c_i the contribution of source i to m, the variances over all positions of the concepts' images, u = g/mean|g| + v/mean|v|, the
 * gated direction g_j = E_j[c] / deviation and the gated Wiener direction v_j = (Σ M + 3·s·I)⁻¹ M_j·1 (expectations over positions of
 * concept j with m > 0, M_j = E_j[c cᵀ], s the mean diagonal of Σ M), both centred over j. The scale t is the mean over j of the
 * correlation of u_j·c with relu(m)·(1[class j] − 1/k), which needs no truth. From the planted benchmark of this package.
 */
export const energyMatch: SplitRule = {
  name: 'energyMatch',
  description:
    'soft ownership along the direction that tells the concepts apart, at matched energy; good on dense layers, cheap',
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'energyMatch');
    const sources = problem.layer.shape[2];
    checkSize(sources, 'energyMatch', 'take a layer with fewer input channels, or the rule published');
    const kernel = activeKernel(problem);
    const moments = await gatedMoments(problem, inputs, kernel, 'contributions');
    const k = moments.length;
    const even = moments.map(() => new Float64Array(sources).fill(1 / k));
    const direction = sumOfDirections([gatedDirection(moments), wienerDirection(moments)], sources);
    if (!direction) return {ownership: even, chosen: {scale: 0}};
    const kernels = direction.map((u) => Float64Array.from(kernel, (weight, at) => weight * u[at % sources]));
    const {scale, step} = await energyStep(problem, inputs, kernel, kernels);
    const ownership = onSimplex(direction.map((u) => u.map((value) => 1 / k + scale * step * value)));
    return {ownership, chosen: {scale}};
  },
};

/** E_j[c_i] / √(mean over concepts of the variance of c_i), k vectors [Cin]. */
function gatedDirection(moments: readonly GatedMoment[]): Float64Array[] {
  const variances = moments.map((moment) => {
    const unbiased = moment.count > 1 ? moment.count / (moment.count - 1) : 1;
    return diagonal(moment).map((second, i) => Math.max(second - moment.mean[i] ** 2, 0) * unbiased);
  });
  return moments.map(({mean}) =>
    mean.map((value, i) => {
      const variance = variances.reduce((sum, one) => sum + one[i], 0) / moments.length;
      return value / Math.sqrt(Math.max(variance, 1e-12));
    }),
  );
}

/** (Σ M + 3·s·I)⁻¹ M_j·1, k vectors [Cin]; zeros where nothing is active. */
function wienerDirection(moments: readonly GatedMoment[]): Float64Array[] {
  const size = moments[0].size;
  const total = sumOfMoments(moments);
  const shift = (3 * diagonal({matrix: total, size, count: 0}).reduce((sum, value) => sum + value, 0)) / size;
  if (!(shift > 0)) return moments.map(() => new Float64Array(size));
  const ones = new Float64Array(size).fill(1);
  return moments.map(({matrix}) => shiftedSolver({T: (v) => multiply(total, v)}, multiply(matrix, ones), shift)(shift));
}

/** Each direction centred over concepts and scaled to a mean size of 1, then added; undefined where all are zero. */
function sumOfDirections(directions: readonly Float64Array[][], sources: number): Float64Array[] | undefined {
  const total = directions[0].map(() => new Float64Array(sources));
  let any = false;
  for (const direction of directions) {
    const k = direction.length;
    const mean = Float64Array.from({length: sources}, (_, i) => direction.reduce((sum, u) => sum + u[i], 0) / k);
    const centred = direction.map((u) => u.map((value, i) => value - mean[i]));
    const size =
      centred.reduce((sum, u) => sum + u.reduce((part, value) => part + Math.abs(value), 0), 0) / (k * sources);
    if (!(size > 0)) continue;
    any = true;
    centred.forEach((u, j) => u.forEach((value, i) => (total[j][i] += value / size)));
  }
  return any ? total : undefined;
}
