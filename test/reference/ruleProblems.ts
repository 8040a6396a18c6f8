import * as tf from '@tensorflow/tfjs-core';
import type {LinearLayer} from '../../src/network/linearLayer';
import {patchMoment} from '../../src/split/patches';
import type {ConceptInputs, SplitProblem} from '../../src/split/types';
import type {OracleConcept, OracleProblem} from './ruleOracles';
import {uniform} from './smallNetworks';

/** A layer, and inputs of some concepts, each of which excites its own sources. */
export interface RandomProblem {
  k?: number;
  size?: number;
  strides?: number;
  padding?: 'same' | 'valid';
  dilation?: number;
  sources?: number;
  /** Share of inputs that are zero. */
  zeros?: number;
  images?: number;
  /** Added to every weight. @default 0 */
  lift?: number;
  seed?: number;
  background?: boolean;
}

const SIDE = 5;
const OUTPUTS = 4;

export function randomProblem(options: RandomProblem = {}): {problem: SplitProblem; oracle: OracleProblem} {
  const {k = 2, size = 1, strides = 1, padding = 'same', dilation = 1, sources = 6, zeros = 0.4, images = 6} = options;
  const {seed = 1, background = true, lift = 0} = options;
  const draw = uniform(seed);
  const channel = 1;
  const layer: LinearLayer = {
    name: 'studied',
    kind: 'conv',
    shape: [size, size, sources, OUTPUTS],
    kernel: Float32Array.from({length: size * size * sources * OUTPUTS}, () => 2 * draw() - 0.8 + lift),
    strides: [strides, strides],
    padding,
    dilation: [dilation, dilation],
    groups: 1,
  };
  const concept = (j: number): OracleConcept => ({
    height: SIDE,
    width: SIDE,
    images: Array.from({length: images}, () =>
      Float32Array.from({length: SIDE * SIDE * sources}, (_, at) => {
        const strength = (at % sources) % (k + 1) === j ? 2 : 0.7;
        return draw() < zeros ? 0 : strength * draw();
      }),
    ),
  });
  const concepts = Array.from({length: k}, (_, j) => concept(j));
  const others = background ? concept(k) : undefined;
  const kernel = Float32Array.from({length: size * size * sources}, (_, at) => layer.kernel[at * OUTPUTS + channel]);
  const problem: SplitProblem = {
    layer,
    channel,
    kernel,
    bias: 0,
    concepts: concepts.map((_, j) => ({classes: [j], classNames: [`class ${j}`], arv: new Float64Array(sources)})),
    inputs: inputsOf(concepts, sources),
    background: others && (() => patchMoment(layer, inputsOf([others], sources))),
    rho: 'auto',
  };
  return {problem, oracle: {layer, channel, kernel: Array.from(kernel), concepts, background: others}};
}

/** Images of concepts as a rule reads them, two a batch. */
export function inputsOf(concepts: readonly OracleConcept[], sources: number): ConceptInputs {
  return {
    counts: concepts.map(({images}) => images.length),
    async *[Symbol.asyncIterator]() {
      for (const [concept, {images, height, width}] of concepts.entries()) {
        for (let from = 0; from < images.length; from += 2) {
          const batch = images.slice(from, from + 2);
          const input = tf.tensor4d(Float32Array.from(batch.flatMap((image) => Array.from(image))), [
            batch.length,
            height,
            width,
            sources,
          ]);
          yield {concept, input};
          input.dispose();
        }
      }
    },
  };
}
