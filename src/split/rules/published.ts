import {option} from '../../common/options';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../common/errors';
import {applyLayer} from '../../network/linearLayer';
import {kernelsFromOwnership, stackKernels} from '../kernels';
import {hardOwnership, RHOS, sourceOwners} from '../sources';
import type {RhoChoice, SplitProblem, SplitRule} from '../types';

/** Keeps the ratio finite where the other parts are silent (the published value). */
const EPSILON = 1e-5;

/**
 * The rule of Hesse et al. 2025, section 3.3: a source goes to the concept whose relevance exceeds the others' by the factor 1/ρ, else
 * it is shared. ρ maximises how strongly each part answers to its own concept's images and the others do not.
 */
export const published: SplitRule = {
  name: 'published',
  description:
    'hard ownership by averaged relevance (Hesse et al. 2025); recovers concepts where the layer inputs are sparse',
  needsInputs: ({rho}) => rho === 'auto',
  async solve(problem) {
    const arvs = problem.concepts.map((concept) => concept.arv);
    const rho = problem.rho === 'auto' ? await chooseRho(problem) : {rho: problem.rho, scores: [], zeroDenominators: 0};
    return {ownership: hardOwnership(sourceOwners(arvs, rho.rho), arvs.length), rho};
  },
};

/**
 * Scores all ρ in one convolution a batch: Σ over concepts j of the mean over its images of Σ relu(d_j) / (Σ_{l≠j} Σ relu(d_l) + 1e-5).
 * Equal source sets are scored once; ties take the smallest ρ.
 */
export async function chooseRho(problem: SplitProblem): Promise<RhoChoice> {
  const {layer, kernel, concepts, inputs} = problem;
  if (!inputs)
    throw new InputError(
      `rho 'auto' needs images of the concepts' classes; give ${option('images')}, or a ${option('rho')} from 0 to 1`,
    );
  const k = concepts.length;
  const arvs = concepts.map((concept) => concept.arv);
  const owners = RHOS.map((rho) => sourceOwners(arvs, rho));
  const distinct = [...new Map(owners.map((owner) => [owner.join(), owner])).values()];
  const parts = distinct.flatMap((owner) => kernelsFromOwnership(kernel, hardOwnership(owner, k)).parts);
  const [kh, kw, channels] = layer.shape;
  const stacked = tf.tidy(() => tf.tensor4d(stackKernels(parts), [kh, kw, channels, parts.length]));
  const ratios = concepts.map(() => new Float64Array(distinct.length));
  const zeros = new Float64Array(distinct.length);
  try {
    for await (const {concept, input} of inputs) {
      const activations = tf.tidy(() => {
        const d = tf.add(applyLayer(layer, input, stacked), problem.bias); // [B, H', W', U·k]
        return tf.sum(tf.relu(d), [1, 2]); // [B, U·k]
      });
      const values = await activations.data();
      activations.dispose();
      for (let row = 0; row < values.length; row += parts.length) {
        for (let u = 0; u < distinct.length; u++) {
          let others = 0;
          for (let l = 0; l < k; l++) if (l !== concept) others += values[row + u * k + l];
          ratios[concept][u] += values[row + u * k + concept] / (others + EPSILON);
          if (others === 0) zeros[u] += 1;
        }
      }
    }
  } finally {
    stacked.dispose();
  }
  const scoreOf = distinct.map((_, u) => ratios.reduce((score, sums, j) => score + sums[u] / inputs.counts[j], 0));
  const scores = RHOS.map((rho, at) => ({rho, score: scoreOf[indexOfOwners(distinct, owners[at])]}));
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
  return {
    rho: best.rho,
    scores,
    zeroDenominators: zeros[indexOfOwners(distinct, owners[scores.indexOf(best)])],
  };
}

function indexOfOwners(distinct: Int8Array[], owner: Int8Array): number {
  const key = owner.join();
  return distinct.findIndex((candidate) => candidate.join() === key);
}
