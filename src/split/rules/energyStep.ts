import type {ConceptInputs, SplitProblem} from '../types';
import {eachProjection} from './activity';
import {runningCorrelation, runningVariance} from './running';

/**
 * How far parts w/k + t·step·u_j should go along a direction, without knowing the truth, in one pass over the inputs. At t = 1 the parts
 * are as unlike as sources of equal energy that have nothing in common: step = √(Var m·(1 − 1/k) / Σ_j Var(u_j·x)), over all positions
 * of the concepts' images. The scale t is how well the direction follows what it should tell apart: the mean over j of the correlation
 * of u_j·x with relu(m)·(1[class j] − 1/k), 0 where that is negative.
 * @param kernels u_j, k kernels [taps·Cin] that add up to 0
 */
export async function energyStep(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  kernels: readonly Float64Array[],
): Promise<{scale: number; step: number}> {
  const k = kernels.length;
  const activity = runningVariance();
  const agreement = kernels.map(() => runningCorrelation());
  await eachProjection(problem, inputs, [...kernels, kernel], (concept, values) => {
    for (let at = 0; at < values.length; at += k + 1) {
      const m = values[at + k];
      activity.add(m);
      agreement.forEach((pair, j) => pair.add(values[at + j], Math.max(m, 0) * ((j === concept ? 1 : 0) - 1 / k)));
    }
  });
  const energy = agreement.reduce((sum, pair) => sum + pair.variance(), 0);
  if (!(energy > 0)) return {scale: 0, step: 0};
  return {
    // A direction that points away from its own concepts is not followed backwards.
    scale: Math.max(agreement.reduce((sum, pair) => sum + pair.correlation(), 0) / k, 0),
    step: Math.sqrt((activity.variance() * (1 - 1 / k)) / energy),
  };
}
