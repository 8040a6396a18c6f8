import type {ConceptInputs, SplitProblem} from '../types';
import {checkSize, gatedMoments, multiply, sumOfMoments} from './activity';
import {priorOf, tracePrior} from './prior';
import {shiftedSolver} from './shiftedSolve';

/**
 * What ridge regression adds to an even share w/k for each concept. On concept j's active positions (m = w·x > 0) part j should be m and
 * the others 0; elsewhere all should share alike. With M_j = E_j[x xᵀ] over these positions, S = E[x xᵀ] over images of other classes,
 * T = Σ M_j + S and the prior P of what a part's kernel may look like (see `priorOf`),
 *
 *   U_j(e) = P·(T·P + e·tr(T·P)/D·I)⁻¹ (M_j − mean_l M_l)·w,   Σ_j U_j = 0.
 *
 * @param options.least the smallest e that will be asked for
 * @returns e ↦ U, k vectors [taps·Cin]; undefined where nothing is ever active
 * @throws InputError for a layer whose matrices would be too large
 */
export async function ridgeDirections(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  {rule, least}: {rule: string; least: number},
): Promise<((ridge: number) => Float64Array[]) | undefined> {
  const size = kernel.length;
  checkSize(size, rule, 'take rule gatedWiener or energyMatch, whose matrices are of the input channels alone');
  const moments = await gatedMoments(problem, inputs, kernel, 'patches');
  const background = await problem.background?.();
  const T = sumOfMoments(background ? [...moments, background] : moments);
  const answers = moments.map(({matrix}) => multiply(matrix, Float64Array.from(kernel))); // M_j·w
  const mean = answers[0].map((_, i) => answers.reduce((sum, answer) => sum + answer[i], 0) / answers.length);
  const prior = priorOf(problem, kernel);
  const unit = tracePrior(T, prior) / size;
  if (!(unit > 0)) return undefined;
  const map = {T: (v: Float64Array) => multiply(T, v), P: prior.multiply};
  const solvers = answers.slice(0, -1).map((answer) =>
    shiftedSolver(
      map,
      answer.map((value, i) => value - mean[i]),
      least * unit,
    ),
  );
  return (ridge) => {
    const all = solvers.map((solver) => solver(ridge * unit));
    // The directions add up to 0, so that the last follows from the others.
    return [...all, mean.map((_, i) => -all.reduce((sum, u) => sum + u[i], 0))];
  };
}
