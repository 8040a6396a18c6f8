import {setImmediate as nextTurn} from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import {permutation} from '../common/random';
import {pearson} from '../numerics/agreement';
import {auroc} from '../numerics/ranking';
import {mean} from '../numerics/vectors';
import {channelKernel, linearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';
import {averagedRelevanceVector, type RelevanceStatistics} from '../numerics/statistics';
import {kernelsFromOwnership, kernelsFromParts, type PartKernels} from '../split/kernels';
import {patchMoment} from '../split/patches';
import {SPLIT_RULES} from '../split/rules';
import type {ConceptInputs, SplitProblem} from '../split/types';
import {POSITIONS, shows, type KnownActivations} from './activations';
import {KNOWN_LAYER} from './network';
import type {Meanings} from './meanings';
import {CLASS_PARTS, sharedParts} from './parts';

/** Controls beside the rules: the whole channel for every part, sources dealt out at random, and a rule that is given wrong labels. */
export const CONTROLS = ['none', 'random', 'permuted labels'] as const;

/** The rule that the control gives wrong labels to. */
const PERMUTED_RULE = 'freeRidge';

/** How well the parts of one channel follow what it means, mean over parts. */
export interface SplitScore {
  channel: number;
  rule: string;
  parts: number;
  /** AUROC of a part's output at positions of its own part against those of the channel's other parts. */
  ownVersusOther: number;
  /** Correlation with the channel's own output where its own part is, 0 elsewhere. */
  r: number;
  /** What of the channel's output is gone when a part is taken out, on its own classes and on those of the other parts. */
  removedOwn: number;
  removedOther: number;
}

/** Divides every channel of several parts by every rule, fitted on `fit`, and measures on `held`. */
export async function splitScores(
  model: Model,
  stats: RelevanceStatistics,
  {parts: meanings}: Meanings,
  fit: KnownActivations,
  held: KnownActivations,
  {rules = Object.keys(SPLIT_RULES), signal}: {rules?: readonly string[]; signal?: AbortSignal} = {},
): Promise<SplitScore[]> {
  const scores: SplitScore[] = [];
  for (const [channel, meaning] of meanings.entries()) {
    if (!meaning || meaning.length < 2) continue;
    const groups = meaning.map((part) =>
      CLASS_PARTS.map((_, k) => k).filter((k) => sharedParts(meaning, k).join() === String(part)),
    );
    if (groups.some((classes) => classes.length === 0)) continue;
    const problem = problemOf(model, stats, channel, groups, fit);
    const order = permutation(fit.labels.length, channel + 1);
    const wrong = {...fit, labels: Int32Array.from(order, (n) => fit.labels[n])};
    const truth = truthOf(channel, meaning, groups, held);
    for (const rule of [...CONTROLS, ...rules]) {
      await nextTurn(); // lets an interrupt in
      signal?.throwIfAborted();
      const kernels =
        rule === 'permuted labels'
          ? await kernelsBy(PERMUTED_RULE, problemOf(model, stats, channel, groups, wrong))
          : await kernelsBy(rule, problem);
      scores.push({channel, rule, parts: meaning.length, ...scoreOf(kernels, truth, held)});
    }
  }
  return scores;
}

function problemOf(
  model: Model,
  stats: RelevanceStatistics,
  channel: number,
  groups: readonly number[][],
  fit: KnownActivations,
): SplitProblem {
  const layer = linearLayer(model.graph, KNOWN_LAYER);
  const kernel = channelKernel(layer, channel);
  const concepts = groups.map((classes) => ({
    classes,
    classNames: classes.map((k) => stats.classNames[k]),
    arv: averagedRelevanceVector(stats, channel, classes),
  }));
  const others = CLASS_PARTS.map((_, k) => k).filter((k) => !groups.flat().includes(k));
  return {
    layer,
    channel,
    kernel,
    bias: fit.bias[channel],
    concepts,
    inputs: inputsOf(fit, groups),
    background: () => patchMoment(layer, inputsOf(fit, [others])),
    fires: -fit.bias[channel],
    rho: 'auto',
  };
}

/** The layer's inputs of classes, one tensor a group. */
function inputsOf({labels, inputs, channels}: KnownActivations, groups: readonly (readonly number[])[]): ConceptInputs {
  const pictures = groups.map((classes) => [...labels.keys()].filter((n) => classes.includes(labels[n])));
  const size = POSITIONS * channels.inputs;
  const side = Math.sqrt(POSITIONS);
  return {
    counts: pictures.map((list) => list.length),
    async *[Symbol.asyncIterator]() {
      for (const [concept, list] of pictures.entries()) {
        const data = new Float32Array(list.length * size);
        list.forEach((n, at) => data.set(inputs.subarray(n * size, (n + 1) * size), at * size));
        const input = tf.tidy(() => tf.tensor4d(data, [list.length, side, side, channels.inputs]));
        try {
          yield {concept, input};
        } finally {
          input.dispose();
        }
      }
    },
  };
}

async function kernelsBy(rule: string, problem: SplitProblem): Promise<PartKernels> {
  const {kernel, concepts, channel} = problem;
  const k = concepts.length;
  if (rule === 'none') return {parts: concepts.map(() => kernel), residue: kernel};
  if (rule === 'random') {
    const owners = permutation(kernel.length, channel + 1).map((place) => place % k);
    const ownership = concepts.map((_, j) => Float64Array.from(owners, (owner) => (owner === j ? 1 : 0)));
    return kernelsFromOwnership(kernel, ownership);
  }
  const solution = await SPLIT_RULES[rule].solve(problem);
  return 'kernels' in solution
    ? kernelsFromParts(kernel, solution.kernels)
    : kernelsFromOwnership(kernel, solution.ownership);
}

/** What is known of a channel at every position. */
interface Truth {
  /** Number of the concept of each picture's class, −1 of a class with none or several, [N] */
  groups: Int8Array;
  /** Parts of the channel's meaning that are there, a bit each, [N·64] */
  here: Uint16Array;
  /** Z, [N·64] */
  z: Float64Array;
}

function truthOf(
  channel: number,
  meaning: readonly number[],
  groups: readonly number[][],
  held: KnownActivations,
): Truth {
  const {labels, outputs, channels} = held;
  const positions = labels.length * POSITIONS;
  const here = Uint16Array.from({length: positions}, (_, at) => {
    const [n, p] = [Math.floor(at / POSITIONS), at % POSITIONS];
    return meaning.reduce((bits, part, j) => bits | (shows(held, n, p, [part]) ? 1 << j : 0), 0);
  });
  return {
    groups: Int8Array.from(labels, (k) => groups.findIndex((classes) => classes.includes(k))),
    here,
    z: Float64Array.from({length: positions}, (_, at) => outputs[at * channels.outputs + channel]),
  };
}

function scoreOf(
  {parts, residue}: PartKernels,
  {groups, here, z}: Truth,
  held: KnownActivations,
): Omit<SplitScore, 'channel' | 'rule' | 'parts'> {
  const d = parts.map((kernel) => projection(held, kernel));
  const r = projection(held, residue);
  const scores = parts.map((_, j) => {
    const [own, other]: number[][] = [[], []];
    const truth = new Float64Array(z.length);
    const gone = {own: [0, 0], other: [0, 0]};
    for (let at = 0; at < z.length; at++) {
      if (here[at] === 1 << j) {
        truth[at] = Math.max(z[at], 0);
        own.push(d[j][at]);
      } else if (here[at] !== 0 && !(here[at] & (1 << j))) other.push(d[j][at]);
      const group = groups[Math.floor(at / POSITIONS)];
      if (group < 0) continue;
      const kind = group === j ? gone.own : gone.other;
      kind[0] += Math.max(z[at] - d[j][at] + r[at], 0);
      kind[1] += Math.max(z[at], 0);
    }
    return {
      ownVersusOther: auroc(own, other),
      r: pearson(d[j], truth),
      removedOwn: 1 - gone.own[0] / gone.own[1],
      removedOther: 1 - gone.other[0] / gone.other[1],
    };
  });
  const over = (name: keyof (typeof scores)[number]) => mean(scores.map((score) => score[name]));
  return {
    ownVersusOther: over('ownVersusOther'),
    r: over('r'),
    removedOwn: over('removedOwn'),
    removedOther: over('removedOther'),
  };
}

/** w·x at every position, [N·64]. */
function projection({inputs, channels}: KnownActivations, kernel: ArrayLike<number>): Float64Array {
  const size = channels.inputs;
  const values = new Float64Array(inputs.length / size);
  for (let at = 0; at < values.length; at++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += inputs[at * size + i] * kernel[i];
    values[at] = sum;
  }
  return values;
}
