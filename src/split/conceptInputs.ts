import {setImmediate as nextTurn} from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import {subset} from '../images';
import type {LabelledImages, Preset} from '../images/types';
import type {Model} from '../network/types';
import {InterruptError} from '../common/errors';
import {startTask, type LongCallOptions} from '../common/progress';
import type {NetworkAtLayer} from '../network/networkAtLayer';
import {imagesByConcept, type Members} from './members';
import {decodedBatches} from '../pass/batches';
import type {ConceptInputs} from './types';

/** Inputs that are kept in memory between passes; where they are more, none is kept and each pass computes them again. */
export const KEPT_INPUT_BYTES = 1e9;

/** Inputs that say how many bytes of them are in memory. */
export interface KeptInputs extends ConceptInputs {
  keptBytes(): number;
}

const NEVER = new AbortController().signal;

/**
 * The layer's inputs for the images of each concept's classes.
 * @param keepBytes what may stay in memory between passes; 0 for inputs that are read once
 * @throws InputError for a concept whose classes have no images
 */
export function conceptInputs(
  network: NetworkAtLayer,
  model: Model,
  images: LabelledImages,
  concepts: readonly (Members & {classNames: readonly string[]})[],
  {preset, batchSize, signal, progress}: {preset: Preset; batchSize: number} & LongCallOptions,
  keepBytes = KEPT_INPUT_BYTES,
): KeptInputs {
  const views = imagesByConcept(images, model.classes, concepts).map((indices) => subset(images, {indices}));
  const counts = views.map((view) => view.paths.length);
  const cache: {concept: number; data: Float32Array; shape: number[]}[] = [];
  let cached: 'nothing' | 'all' | 'too much' = 'nothing';

  async function* compute(): AsyncGenerator<{concept: number; input: tf.Tensor}> {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const task = startTask({label: `reading ${network.layer.name}'s inputs`, total, unit: 'images'}, progress);
    let bytes = 0;
    try {
      for (let concept = 0; concept < views.length; concept++) {
        counts[concept] = 0;
        const stream = {inputShape: model.inputShape, preset, batchSize, signal: signal ?? NEVER};
        for await (const {indices, images: pixels} of decodedBatches(views[concept], stream, task)) {
          counts[concept] += indices.length;
          if (indices.length === 0) continue;
          const input = tf.tidy(() => {
            const {input: x, crossing} = network.trunk(pixels());
            tf.dispose(crossing);
            return x;
          });
          try {
            bytes += 4 * input.size;
            if (bytes > keepBytes) {
              cached = 'too much';
              cache.length = 0;
            }
            if (cached !== 'too much')
              cache.push({concept, data: (await input.data()) as Float32Array, shape: input.shape});
            yield {concept, input};
          } finally {
            input.dispose();
          }
        }
      }
      if (cached === 'nothing') cached = 'all';
      task.finish('done');
    } catch (error) {
      task.finish(signal?.aborted ? 'interrupted' : 'failed');
      throw error;
    }
  }

  async function* remembered(): AsyncGenerator<{concept: number; input: tf.Tensor}> {
    for (const {concept, data, shape} of cache) {
      await nextTurn(); // lets an interrupt in
      if (signal?.aborted) throw new InterruptError('the split was interrupted');
      const input = tf.tidy(() => tf.tensor(data, shape));
      try {
        yield {concept, input};
      } finally {
        input.dispose();
      }
    }
  }

  return {
    counts,
    keptBytes: () => cache.reduce((sum, {data}) => sum + data.byteLength, 0),
    [Symbol.asyncIterator]() {
      if (cached === 'all') return remembered();
      if (cached === 'nothing') cache.length = 0;
      return compute();
    },
  };
}
