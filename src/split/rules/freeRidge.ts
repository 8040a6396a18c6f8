import type {SplitRule} from '../types';
import {activeKernel, checkSize, diagonal, multiply, requireInputs, sumOfMoments} from './activity';
import {fitDirections} from './heldOut';
import {shiftedSolver} from './shiftedSolve';

/** e: how strongly the parts are drawn to w/k, in units of the mean diagonal. */
const RIDGE = 1;

/**
 * Free kernels by plain ridge regression: where the channel fires for concept j, by how much it does so, z, should be all in part j and
 * nothing of it in the others; on images of other classes, and as far as the data say nothing, all should share alike. With
 * M_j = E_j[x xᵀ] and q_j = E_j[x·z] over the positions of concept j where the channel fires, S = E[x xᵀ] over images of other classes and
 * T = Σ M_j + S,
 *
 *   V_j = w/k + t·√(Var m·(1 − 1/k) / Σ_l Var(U_l·x))·U_j,   U_j = (T + e·s·I)⁻¹ (q_j − mean q),   s = tr(T)/D,   e = 1;   Σ_j V_j = w.
 *
 * z is m = w·x less what m must exceed for the channel to fire, which the bias and the batch norm behind the layer set: a channel may fire
 * where m is negative. t and the root are those of `fitDirections`: a direction goes as far as it is borne out, and the ridge does not shorten it.
 * It differs from `gatedRidge` and `scaledRidge` by a prior that knows no other kernels.
 */
export const freeRidge: SplitRule = {
  name: 'freeRidge',
  description:
    'free kernels by ridge regression where the channel fires; separates what channels mean better than any other rule, and recovers planted concepts as well',
  needsInputs: () => true,
  async solve(problem) {
    const inputs = requireInputs(problem, 'freeRidge');
    const {sign = 1, fires = 0} = problem;
    const kernel = activeKernel(problem);
    const size = kernel.length;
    checkSize(
      size,
      'freeRidge',
      'take rule gatedWiener or energyMatch, whose matrices are of the input channels alone',
    );
    const background = await problem.background?.();
    const {U, scale, step} = await fitDirections(problem, inputs, kernel, fires, (concepts) => {
      const T = sumOfMoments(background ? [...concepts, background] : concepts);
      const unit = diagonal({matrix: T, size, count: 0}).reduce((sum, value) => sum + value, 0) / size;
      if (!(unit > 0)) return undefined;
      const k = concepts.length;
      const mean = Float64Array.from(
        {length: size},
        (_, i) => concepts.reduce((sum, {drive}) => sum + drive[i], 0) / k,
      );
      const some = concepts.slice(0, -1).map(({drive}) => {
        const target = drive.map((value, i) => value - mean[i]);
        return shiftedSolver({T: (v) => multiply(T, v)}, target, RIDGE * unit)(RIDGE * unit);
      });
      // They add up to 0, whatever the solver leaves.
      return [...some, mean.map((_, i) => -some.reduce((sum, u) => sum + u[i], 0))];
    });
    const k = U.length;
    return {kernels: U.map((u) => u.map((value, i) => sign * (kernel[i] / k + scale * step * value))), chosen: {scale}};
  },
};
