import * as tf from '@tensorflow/tfjs-core';
import {checkArgument} from '../common/argument';
import {InputError} from '../common/errors';
import type {LongCallOptions} from '../common/progress';
import type {LabelledImages, PresetOption} from '../images/types';
import {whateverLabels} from '../images/unlabelled';
import type {Model} from '../network/types';
import {runPass, type BatchCollector} from './runPass';

/** What a run records in place of a file of labels. */
export const PREDICTED = 'predicted';

export interface PredictedLabelsOptions extends LongCallOptions {
  preset?: PresetOption;
  /** Images per batch. @default 32 */
  batchSize?: number;
}

/**
 * The same images, each labelled with the class that the network gives the highest logit: for images without labels, or to look at what the
 * network takes them for. One forward pass. An image that cannot be read is of class 0, and is left out wherever pixels are needed.
 */
export async function predictedLabels(
  model: Model,
  images: LabelledImages,
  options: PredictedLabelsOptions = {},
): Promise<LabelledImages> {
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', images, 'labelsFor', 'imageFolder(…)');
  const [layer] = model.layers().slice(-1);
  const labels = new Int32Array(images.paths.length);
  const collector: BatchCollector = {
    init: () => labels,
    measure: (batch) => ({best: tf.argMax(batch.logits(), 1)}), // [B]
    add: (state, {indices}, {best}) => indices.forEach((index, b) => ((state as Int32Array)[index] = best[b])),
  };
  const pass = {...options, layers: [layer.name], label: 'predicting the classes of the images'};
  await runPass(model, whateverLabels(images), pass, [collector]);
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
