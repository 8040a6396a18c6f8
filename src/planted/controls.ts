import * as tf from '@tensorflow/tfjs-core';
import {permutation} from '../common/random';
import {sphericalClusters} from '../numerics/kmeans';
import {dot} from '../numerics/vectors';
import {inputSums} from '../pass/inputSums';
import {requireInputs} from '../split/rules/activity';
import type {SplitProblem, SplitRule} from '../split/types';

/**
 * What a rule has to beat, as rules: no result counts without them. Those that know no classes are given to the concepts in the order
 * in which the classes excite them most, so that only the division is without knowledge.
 */

/** d_j = m for every concept: what one has without any split. */
export const noSplit: SplitRule = {
  name: 'noSplit',
  description: 'control: every part is the channel itself',
  needsInputs: () => false,
  solve: async ({concepts, layer}) => ({ownership: concepts.map(() => new Float64Array(layer.shape[2]).fill(1))}),
};

/** d_j = m/k: the same correlation, at the size that a part of an even split has. */
export const evenShares: SplitRule = {
  name: 'evenShares',
  description: 'control: every part is the channel divided by their number',
  needsInputs: () => false,
  solve: async ({concepts, layer}) => ({
    ownership: concepts.map(() => new Float64Array(layer.shape[2]).fill(1 / concepts.length)),
  }),
};

/** Sources dealt at random, each concept as many as another split gives it; the rest is shared. */
export function randomOwners(sizes: readonly number[], seed: number): SplitRule {
  return {
    name: 'random',
    description: 'control: as many sources for each concept as the published rule gives it, at random',
    needsInputs: () => false,
    solve: async (problem) => {
      const order = permutation(problem.layer.shape[2], seed);
      const owners = new Int8Array(order.length).fill(-1);
      let from = 0;
      sizes.forEach((size, j) => {
        for (const source of order.subarray(from, from + size)) owners[source] = j;
        from += size;
      });
      return {ownership: oriented(problem, owners)};
    },
  };
}

/** Sources in order of Σ |w|, cut into k parts of one size. */
export const byWeight: SplitRule = {
  name: 'byWeight',
  description: 'control: the sources with the largest weights against the others',
  needsInputs: () => false,
  async solve(problem) {
    const sources = problem.layer.shape[2];
    const weights = new Float64Array(sources);
    problem.kernel.forEach((weight, at) => (weights[at % sources] += Math.abs(weight)));
    const order = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a]);
    const owners = new Int8Array(sources);
    const each = Math.ceil(sources / problem.concepts.length);
    order.forEach((source, rank) => (owners[source] = Math.floor(rank / each)));
    return {ownership: oriented(problem, owners)};
  },
};

/** Starts of k-means, of which the tightest clustering counts. */
const STARTS = 5;

/**
 * Clusters the images, whose classes it is not told, by their relevance vectors scaled to length 1 (as PURE does, Dreyer et al. 2024);
 * a source goes to the cluster in whose mean it is largest.
 */
export function kMeansClusters(seed: number): SplitRule {
  return {
    name: 'kMeans',
    description: 'control: sources by k-means on the images’ relevance vectors, without labels',
    needsInputs: () => true,
    async solve(problem) {
      const vectors = (await imageRelevance(problem)).flat();
      const k = problem.concepts.length;
      const labels = sphericalClusters(vectors, k, {seed, restarts: STARTS}).owners;
      const sources = problem.layer.shape[2];
      const means = Array.from({length: k}, () => new Float64Array(sources));
      vectors.forEach((vector, n) => {
        const members = labels.filter((label) => label === labels[n]).length;
        for (let i = 0; i < sources; i++) means[labels[n]][i] += vector[i] / members;
      });
      const owners = Int8Array.from({length: sources}, (_, i) =>
        means.reduce((best, _mean, j) => (means[j][i] > means[best][i] ? j : best), 0),
      );
      return {ownership: oriented(problem, owners)};
    },
  };
}

/** The owners that are known to be true. */
export function trueOwners(owner: Int8Array): SplitRule {
  return {
    name: 'trueOwners',
    description: 'control: each source to its true owner, the best that hard ownership can do',
    needsInputs: () => false,
    solve: async ({concepts}) => ({ownership: hard(owner, concepts.length)}),
  };
}

/** λ_j,i = 1 for the owner and for sources that nobody owns (−1). */
function hard(owners: Int8Array, k: number): Float64Array[] {
  return Array.from({length: k}, (_, j) => Float64Array.from(owners, (owner) => (owner === j || owner < 0 ? 1 : 0)));
}

/** The parts in the order that gives them most of their concepts' relevance: argmax over orders of Σ_j λ_order(j)·ARV_j. */
function oriented(problem: SplitProblem, owners: Int8Array): Float64Array[] {
  const parts = hard(owners, problem.concepts.length);
  const fit = parts.map((part) => problem.concepts.map(({arv}) => dot(part, arv)));
  const value = (order: number[]) => order.reduce((sum, part, j) => sum + fit[part][j], 0);
  const best = orders(parts.length).reduce((a, b) => (value(b) > value(a) ? b : a));
  return best.map((part) => parts[part]);
}

function orders(k: number): number[][] {
  if (k === 0) return [[]];
  return orders(k - 1).flatMap((order) =>
    Array.from({length: k}, (_, at) => [...order.slice(0, at), k - 1, ...order.slice(at)]),
  );
}

/** Contribution of each source to Σ_hw m, image by image: k lists of [Cin]. */
export async function imageRelevance(problem: SplitProblem): Promise<Float64Array[][]> {
  const {layer, kernel, concepts} = problem;
  const [kh, kw, sources] = layer.shape;
  const vectors: Float64Array[][] = concepts.map(() => []);
  for await (const {concept, input} of requireInputs(problem, 'kMeans')) {
    const sums = tf.tidy(() => {
      const products = tf.mul(inputSums(layer, input), tf.tensor3d(kernel, [1, kh * kw, sources])); // [B, taps, Cin]
      return tf.sum(products, 1); // [B, Cin]
    });
    const values = await sums.data();
    sums.dispose();
    for (let at = 0; at < values.length; at += sources) {
      vectors[concept].push(Float64Array.from(values.subarray(at, at + sources)));
    }
  }
  return vectors;
}
