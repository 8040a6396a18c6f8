import type {SplitRule} from '../types';
import {activeKernel, checkSize, diagonal, gatedMoments, multiply, requireInputs, sumOfMoments} from './activity';
import {energyStep} from './energyStep';
import {shiftedSolver} from './shiftedSolve';

/** e: how strongly the parts are drawn to w/k, in units of the mean diagonal. */
const RIDGE = 1;

/**
 * Free kernels by plain ridge regression: where the channel fires for concept j, part j should be m = w·x and the others 0; on images of
 * other classes, and as far as the data say nothing, all should share alike. With M_j = E_j[x xᵀ] over the positions of concept j where
 * the channel fires, S = E[x xᵀ] over images of other classes and T = Σ M_j + S,
 *
 *   V_j = w/k + t·√(Var m·(1 − 1/k) / Σ_l Var(U_l·x))·U_j,   U_j = (T + e·s·I)⁻¹ (M_j − mean M)·w,   s = tr(T)/D,   e = 1;   Σ_j V_j = w.
 *
 * t and the root are those of `energyStep`: a direction goes as far as it is borne out, and the ridge does not shorten it.
 * It differs from `gatedRidge` and `scaledRidge` by what counts as firing (the bias and the batch norm behind the layer are heeded), and by
 * a prior that knows no other kernels.
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
    const moments = await gatedMoments(problem, inputs, kernel, 'patches', fires);
    const background = await problem.background?.();
    const T = sumOfMoments(background ? [...moments, background] : moments);
    const unit = diagonal({matrix: T, size, count: 0}).reduce((sum, value) => sum + value, 0) / size;
    const k = moments.length;
    const w = Float64Array.from(kernel);
    if (!(unit > 0)) return {kernels: moments.map(() => w.map((weight) => (sign * weight) / k)), chosen: {scale: 0}};
    // V_j = w/k + U_j with U_j = (T + e·s·I)⁻¹ (M_j − mean M)·w, which is the same, and adds up to 0 whatever the solver leaves.
    const answers = moments.map(({matrix}) => multiply(matrix, w));
    const mean = w.map((_, i) => answers.reduce((sum, answer) => sum + answer[i], 0) / k);
    const directions = answers.slice(0, -1).map((answer) => {
      const target = answer.map((value, i) => value - mean[i]);
      return shiftedSolver({T: (v) => multiply(T, v)}, target, RIDGE * unit)(RIDGE * unit);
    });
    const all = [...directions, w.map((_, i) => -directions.reduce((sum, u) => sum + u[i], 0))];
    const {scale, step} = await energyStep(problem, inputs, kernel, all);
    return {kernels: all.map((u) => u.map((value, i) => sign * (w[i] / k + scale * step * value))), chosen: {scale}};
  },
};
