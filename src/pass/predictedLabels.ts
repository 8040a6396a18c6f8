import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {LabelledImages} from '../images/types';
import {whateverLabels} from '../images/unlabelled';
import type {Model} from '../network/types';
import {PREDICTED} from '../numerics/statistics';
import {forwardPass, type PredictedLabelsOptions} from './forwardPass';

export type {PredictedLabelsOptions} from './forwardPass';

/**
 * The same images, each labelled with the class that the network gives the highest logit: for images without labels, or to look at what the
 * network takes them for. One forward pass. An image that cannot be read is of class 0, and is left out wherever pixels are needed.
 */
export async function predictedLabels(
  model: Model,
  images: LabelledImages,
  options: PredictedLabelsOptions = {},
): Promise<LabelledImages> {
  const best = new Map<number, number>();
  await forwardPass(model, images, options, 'predicting the classes of the images', {
    measure: (batch) => ({best: tf.argMax(batch.logits(), 1)}), // [B]
    add: (_state, {indices}, values) => indices.forEach((index, b) => best.set(index, values.best[b])),
  });
  const labels = Int32Array.from(images.paths, (_, index) => best.get(index) ?? 0);
  return {
    ...images,
    labelsFile: PREDICTED,
    labelsFor(outputs) {
      if (outputs === model.classes) return labels;
      throw new InputError(
        `these labels are what ${model.name} with its ${model.classes} outputs predicts, not a model with ${outputs}; predict them with that model`,
      );
    },
    classNamesFor: (outputs) => [...(model.classNames ?? whateverLabels(images).classNamesFor(outputs))],
    toString: () => `${images}, labelled by ${model.name}`,
  };
}
