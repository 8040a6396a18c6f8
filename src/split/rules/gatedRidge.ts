import type {ConceptInputs, SplitProblem, SplitRule} from '../types';
import {activeKernel, eachProjection, gatedMoments, multiply, requireInputs} from './activity';
import {ridgeDirections} from './ridgeDirections';
import {runningVariance} from './running';

/** e: how strongly the parts are drawn to w/k; 10^(i/6) for i = 0 … 24. */
export const RIDGES: readonly number[] = Array.from({length: 25}, (_, i) => 10 ** (i / 6));

/**
 * Free kernels, energy-capped: V_j = w/k + U_j(e) with U of `ridgeDirections`. e is the smallest of 10^(i/6), i = 0 … 24, at which the
 * parts together vary no more than the channel: Σ_j Var d_j ≤ Var m over all positions of the concepts' images. From the planted
 * benchmark of this package; its parts are no subsets of the channel's inputs.
 */
export const gatedRidge: SplitRule = {
  name: 'gatedRidge',
  description:
    'free kernels by ridge regression on active positions, capped in energy; recovers planted concepts well on dense layers and on sparse ones',
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'gatedRidge');
    const {sign = 1} = problem;
    const kernel = activeKernel(problem);
    const k = problem.concepts.length;
    const directionsOf = await ridgeDirections(problem, kernel, {rule: 'gatedRidge', least: RIDGES[0]});
    const moments = await gatedMoments(problem, inputs, kernel, 'patches');
    const w = Float64Array.from(kernel);
    const directions = directionsOf(moments.map(({matrix}) => ({matrix, drive: multiply(matrix, w)})));
    const even = Float64Array.from(kernel, (weight) => (sign * weight) / k);
    if (!directions) return {kernels: problem.concepts.map(() => even), chosen: {ridge: Infinity}};
    const path = RIDGES.map((ridge) => directions(ridge).map((u) => u.map((value, i) => kernel[i] / k + value)));
    const chosen = await smallestWithinEnergy(problem, inputs, kernel, path);
    return {
      kernels: path[chosen].map((part) => part.map((weight) => sign * weight)),
      chosen: {ridge: RIDGES[chosen]},
    };
  },
};

/** Index of the first set of parts whose variances add up to no more than m's; the last one where none does. */
async function smallestWithinEnergy(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  path: readonly Float64Array[][],
): Promise<number> {
  const all: (Float32Array | Float64Array)[] = [...path.flat(), kernel];
  const variances = all.map(() => runningVariance());
  await eachProjection(problem, inputs, all, (_, values) => {
    for (let at = 0; at < values.length; at++) variances[at % all.length].add(values[at]);
  });
  const most = variances[all.length - 1].variance();
  const k = path[0].length;
  const energy = (index: number) =>
    variances.slice(index * k, (index + 1) * k).reduce((sum, part) => sum + part.variance(), 0);
  const found = path.findIndex((_, index) => energy(index) <= most);
  return found < 0 ? path.length - 1 : found;
}
