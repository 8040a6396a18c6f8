import * as tf from '@tensorflow/tfjs-core';
import type {ConceptInputs, SplitProblem} from '../types';
import {eachProjection, gatedMoments, multiply, type GatedMoment} from './activity';
import {runningCorrelation, runningVariance} from './running';

/** What is known of one concept where the channel fires. */
export interface Firing {
  /** M_j = E_j[x xᵀ] */
  matrix: Float32Array;
  /** q_j = E_j[x·z], z = w·x less what it must exceed for the channel to fire, [taps·Cin] */
  drive: Float64Array;
}

/** A direction for each concept, and how far parts w/k + scale·step·U_j should go along it. */
export interface Directed {
  /** U_j, k vectors [taps·Cin] that add up to 0 */
  U: Float64Array[];
  /** t */
  scale: number;
  step: number;
}

/**
 * Fits directions to where the channel fires, and decides without knowing the truth how far the parts should go along them. At t = 1 the
 * parts are as unlike as sources of equal energy that have nothing in common: step = √(Var m·(1 − 1/k) / Σ_j Var(U_j·x)), over all positions
 * of the concepts' images. With r the mean over j of the correlation of U_j·x with z·(1[concept j] − 1/k) over the positions where the
 * channel fires, and r_h the same on either half of the images for directions fitted to the other half,
 *
 *   t = r_h·min(1, r_h/r), 0 where r_h is negative:
 *
 * how well the directions follow what they should tell apart on images that they were not fitted to, shortened as a fit must be to hold
 * there (Copas 1983). Where a concept has a single image there are no halves, and t = r.
 * @param fires m from which on the channel fires
 * @param fit undefined where nothing can be told apart
 */
export async function fitDirections(
  problem: SplitProblem,
  inputs: ConceptInputs,
  kernel: Float32Array,
  fires: number,
  fit: (concepts: readonly Firing[]) => Float64Array[] | undefined,
): Promise<Directed> {
  const k = problem.concepts.length;
  const halves = byTurns(inputs);
  const doubled = {...problem, concepts: problem.concepts.flatMap((concept) => [concept, concept])};
  const moments = await gatedMoments(doubled, halves, kernel, 'patches', fires);
  const U = fit(problem.concepts.map((_, j) => together(moments.slice(2 * j, 2 * j + 2), kernel)));
  if (!U) return {U: problem.concepts.map(() => new Float64Array(kernel.length)), scale: 0, step: 0};
  const divided = moments.every(({count}) => count > 0);
  const halfFits = divided
    ? [0, 1].map((half) => fit(problem.concepts.map((_, j) => together([moments[2 * j + half]], kernel))))
    : [];
  const judged = halfFits.every((one) => one !== undefined) ? [U, ...halfFits] : [U];
  const [activity, energies] = [runningVariance(), U.map(() => runningVariance())];
  const agreement = judged.map(() => U.map(() => runningCorrelation()));
  const width = k * judged.length + 1;
  await eachProjection(doubled, halves, [...judged.flat(), kernel], (place, values) => {
    const [concept, half] = [Math.floor(place / 2), place % 2];
    for (let at = 0; at < values.length; at += width) {
      const m = values[at + width - 1];
      activity.add(m);
      energies.forEach((energy, j) => energy.add(values[at + j]));
      const z = m - moments[place].least;
      if (!(z > 0)) continue;
      agreement.forEach((pairs, n) => {
        // Directions of one half are held against the other.
        if (n === 1 + half) return;
        pairs.forEach((pair, j) => pair.add(values[at + n * k + j], z * ((j === concept ? 1 : 0) - 1 / k)));
      });
    }
  });
  const energy = energies.reduce((sum, one) => sum + one.variance(), 0);
  if (!(energy > 0)) return {U, scale: 0, step: 0};
  const [own, ...held] = agreement.map((pairs) => pairs.reduce((sum, pair) => sum + pair.correlation(), 0) / k);
  const heldOut = held.length > 0 ? (held[0] + held[1]) / 2 : own;
  return {
    U,
    // A direction that points away from its own concepts is not followed backwards.
    scale: heldOut > 0 && own > 0 ? heldOut * Math.min(1, heldOut / own) : 0,
    step: Math.sqrt((activity.variance() * (1 - 1 / k)) / energy),
  };
}

/** The images of concept j by turns as two, 2j and 2j + 1. */
function byTurns(inputs: ConceptInputs): ConceptInputs {
  return {
    counts: inputs.counts.flatMap((count) => [Math.ceil(count / 2), Math.floor(count / 2)]),
    async *[Symbol.asyncIterator]() {
      const seen = inputs.counts.map(() => 0);
      for await (const {concept, input} of inputs) {
        const [first, count] = [seen[concept], input.shape[0]];
        seen[concept] += count;
        for (const half of [0, 1]) {
          const rows = Int32Array.from({length: count}, (_, n) => n).filter((n) => (first + n) % 2 === half);
          if (rows.length === 0) continue;
          const part = tf.tidy(() => tf.gather(input, tf.tensor1d(rows, 'int32')));
          try {
            yield {concept: 2 * concept + half, input: part};
          } finally {
            part.dispose();
          }
        }
      }
    },
  };
}

/** Of one half, or of both by their positions. */
function together(moments: readonly GatedMoment[], w: Float32Array): Firing {
  const count = moments.reduce((sum, one) => sum + one.count, 0);
  const matrix = new Float32Array(moments[0].matrix.length);
  const drive = new Float64Array(w.length);
  for (const one of moments) {
    const share = one.count / Math.max(count, 1);
    one.matrix.forEach((value, at) => (matrix[at] += share * value));
    multiply(one.matrix, Float64Array.from(w)).forEach(
      (value, i) => (drive[i] += share * (value - one.least * one.mean[i])),
    );
  }
  return {matrix, drive};
}
