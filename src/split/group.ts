import * as tf from '@tensorflow/tfjs-core';
import {sourcesOf, type LinearLayer} from '../network/linearLayer';
import type {ConceptInputs, SplitProblem, SplitSolution} from './types';

/**
 * A grouped convolution's channel sees the sources of its group alone, and its parts must see no others. So a rule is given the
 * problem of that group, as if it were a layer of its own, and what it finds is put back among all sources.
 */
export interface GroupView {
  /** The group as a layer of its own: its sources and its channels. */
  layer: LinearLayer;
  /** The problem in the group. @param problem of the whole layer */
  narrow(problem: SplitProblem): SplitProblem;
  /** What a rule found in the group, for the whole layer. */
  widen(solution: SplitSolution): SplitSolution;
  /** The sources of the group in the layer's inputs. */
  inputs(whole: ConceptInputs): ConceptInputs;
}

/** The view of a channel's group; undefined for a layer without groups. */
export function groupView(layer: LinearLayer, channel: number): GroupView | undefined {
  if (layer.groups === 1) return undefined;
  const [kh, kw, inputs, outputs] = layer.shape;
  const [from, to] = sourcesOf(layer, channel);
  const [sources, width] = [to - from, outputs / layer.groups];
  const first = Math.floor(channel / width) * width;
  /** [taps, Cin, …inner] → [taps, Cin/G, …inner] */
  const slice = (values: Float32Array, inner: number) => {
    const narrowed = new Float32Array(kh * kw * sources * inner);
    for (let tap = 0; tap < kh * kw; tap++) {
      const start = (tap * inputs + from) * inner;
      narrowed.set(values.subarray(start, start + sources * inner), tap * sources * inner);
    }
    return narrowed;
  };
  const rows = slice(layer.kernel, outputs); // [taps, Cin/G, Cout]
  const kernel = Float32Array.from({length: kh * kw * sources * width}, (_, at) => {
    return rows[Math.floor(at / width) * outputs + first + (at % width)];
  });
  const narrow: LinearLayer = {
    ...layer,
    shape: [kh, kw, sources, width],
    kernel,
    bias: layer.bias?.slice(first, first + width),
    groups: 1,
  };
  const narrowInputs = (whole: ConceptInputs): ConceptInputs => ({
    counts: whole.counts,
    async *[Symbol.asyncIterator]() {
      for await (const {concept, input} of whole) {
        const part = tf.tidy(() => tf.slice(input, [0, 0, 0, from], [-1, -1, -1, sources])); // [B, H, W, Cin/G]
        try {
          yield {concept, input: part};
        } finally {
          part.dispose();
        }
      }
    },
  });
  return {
    layer: narrow,
    inputs: narrowInputs,
    narrow: (problem) => ({
      ...problem,
      layer: narrow,
      channel: channel - first,
      kernel: slice(problem.kernel, 1),
      concepts: problem.concepts.map((concept) => ({...concept, arv: concept.arv.slice(from, to)})),
      inputs: problem.inputs && narrowInputs(problem.inputs),
    }),
    widen(solution) {
      if ('kernels' in solution) {
        const kernels = solution.kernels.map((part) => {
          const whole = new Float64Array(kh * kw * inputs);
          for (let tap = 0; tap < kh * kw; tap++)
            whole.set(part.subarray(tap * sources, (tap + 1) * sources), tap * inputs + from);
          return whole;
        });
        return {...solution, kernels};
      }
      // Sources of other groups have no weights: all parts share their zeros.
      const ownership = solution.ownership.map((part) => {
        const whole = new Float64Array(inputs).fill(1);
        whole.set(part, from);
        return whole;
      });
      return {...solution, ownership};
    },
  };
}
