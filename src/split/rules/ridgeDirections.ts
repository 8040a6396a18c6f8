import type {SplitProblem} from '../types';
import {checkSize, multiply, sumOfMoments} from './activity';
import type {Firing} from './heldOut';
import {priorOf, tracePrior} from './prior';
import {shiftedSolver} from './shiftedSolve';

/**
 * What ridge regression adds to an even share w/k for each concept. Where the channel is active for concept j, by how much it is, z, should
 * be all in part j and nothing of it in the others; elsewhere all should share alike. With M_j = E_j[x xᵀ] and q_j = E_j[x·z] over these
 * positions, S = E[x xᵀ] over images of other classes, T = Σ M_j + S and the prior P of what a part's kernel may look like (see `priorOf`),
 *
 *   U_j(e) = P·(T·P + e·tr(T·P)/D·I)⁻¹ (q_j − mean_l q_l),   Σ_j U_j = 0.
 *
 * @param options.least the smallest e that will be asked for
 * @returns of the concepts: e ↦ U, k vectors [taps·Cin]; undefined where nothing is ever active
 * @throws InputError for a layer whose matrices would be too large
 */
export async function ridgeDirections(
  problem: SplitProblem,
  kernel: Float32Array,
  {rule, least}: {rule: string; least: number},
): Promise<(concepts: readonly Firing[]) => ((ridge: number) => Float64Array[]) | undefined> {
  const size = kernel.length;
  checkSize(size, rule, 'take rule gatedWiener or energyMatch, whose matrices are of the input channels alone');
  const background = await problem.background?.();
  const prior = priorOf(problem, kernel);
  return (concepts) => {
    const T = sumOfMoments(background ? [...concepts, background] : concepts);
    const unit = tracePrior(T, prior) / size;
    if (!(unit > 0)) return undefined;
    const mean = Float64Array.from(
      kernel,
      (_, i) => concepts.reduce((sum, {drive}) => sum + drive[i], 0) / concepts.length,
    );
    const map = {T: (v: Float64Array) => multiply(T, v), P: prior.multiply};
    const solvers = concepts.slice(0, -1).map(({drive}) =>
      shiftedSolver(
        map,
        drive.map((value, i) => value - mean[i]),
        least * unit,
      ),
    );
    return (ridge) => {
      const all = solvers.map((solver) => solver(ridge * unit));
      // The directions add up to 0, so that the last follows from the others.
      return [...all, mean.map((_, i) => -all.reduce((sum, u) => sum + u[i], 0))];
    };
  };
}
