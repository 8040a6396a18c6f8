import type {SplitRule} from '../types';
import {activeKernel, requireInputs} from './activity';
import {fitDirections} from './heldOut';
import {ridgeDirections} from './ridgeDirections';

/** e: how strongly the parts are drawn to w/k. */
const RIDGE = 3;

/**
 * Free kernels: the direction of `gatedRidge` at a fixed ridge, as long as the data say instead of as long as a cap on the energy allows,
 *
 *   V_j = w/k + t·√(Var m·(1 − 1/k) / Σ_l Var(U_l·x))·U_j(e),   e = 3,
 *
 * with U of `ridgeDirections`, for where the channel fires (see `freeRidge`), and t of `fitDirections`. On layers where the cap shortens the direction too much it recovers planted concepts
 * better, and elsewhere as well. From the planted benchmark of this package; its parts are no subsets of the channel's inputs.
 */
export const scaledRidge: SplitRule = {
  name: 'scaledRidge',
  description:
    "free kernels along gatedRidge's direction, scaled by what the data say; the most even in recovering planted concepts, on dense layers and sparse ones",
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'scaledRidge');
    const {sign = 1, fires = 0} = problem;
    const kernel = activeKernel(problem);
    const directions = await ridgeDirections(problem, kernel, {rule: 'scaledRidge', least: RIDGE});
    const {U, scale, step} = await fitDirections(problem, inputs, kernel, fires, (concepts) =>
      directions(concepts)?.(RIDGE),
    );
    const kernels = U.map((u) => u.map((value, i) => sign * (kernel[i] / U.length + scale * step * value)));
    return {kernels, chosen: {scale}};
  },
};
