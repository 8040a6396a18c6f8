import * as tf from '@tensorflow/tfjs-core';
import {percentText} from '../common/numbers';
import {readable} from '../common/readable';
import {counted, namedClass} from '../common/words';
import type {LabelledImages} from '../images/types';
import {whateverLabels} from '../images/unlabelled';
import type {Model} from '../network/types';
import {forwardPass, type PredictedLabelsOptions} from './forwardPass';

/** What a network says of images. */
export interface Predictions {
  /** The images that were read, as the list names them, [N]. */
  paths: string[];
  /** [N, K] */
  logits: Float32Array;
  /** Class of the highest logit, [N]. */
  best: Int32Array;
  /** Its probability (softmax), [N]. */
  probability: Float32Array;
  classNames: string[];
  /** The first images with what they are taken for, a line each. */
  toString(): string;
}

/** Images that `toString` names. */
const SHOWN = 10;

/**
 * Logits and first choices of a network for images, labelled or not. One forward pass; images that cannot be read are left out.
 * @throws InputError where no preprocessing is known
 */
export async function predict(
  model: Model,
  images: LabelledImages,
  options: PredictedLabelsOptions = {},
): Promise<Predictions> {
  const found = new Map<number, Float32Array>();
  await forwardPass(model, images, options, 'predicting', {
    measure: (batch) => ({logits: batch.logits()}), // [B, K]
    add: (_state, {indices}, {logits}) =>
      indices.forEach((index, b) =>
        found.set(index, (logits as Float32Array).slice(b * model.classes, (b + 1) * model.classes)),
      ),
  });
  const {classes} = model;
  const read = [...found.keys()].sort((a, b) => a - b);
  const logits = new Float32Array(read.length * classes);
  read.forEach((index, n) => logits.set(found.get(index) as Float32Array, n * classes));
  const {best, probability} = tf.tidy(() => {
    const all = tf.tensor2d(logits, [read.length, classes]);
    return {
      best: tf.argMax(all, 1).dataSync() as Int32Array, // [N]
      probability: tf.max(tf.softmax(all), 1).dataSync() as Float32Array, // [N]
    };
  });
  const paths = read.map((index) => images.paths[index]);
  const classNames = [...(model.classNames ?? whateverLabels(images).classNamesFor(classes))];
  return readable({paths, logits, best, probability, classNames}, () =>
    [
      `${model.name} on ${counted(paths.length, 'image')} of ${images.name}`,
      ...paths
        .slice(0, SHOWN)
        .map((path, n) => `${path}: ${namedClass(best[n], classNames[best[n]])}, ${percentText(probability[n])}`),
      ...(paths.length > SHOWN ? [`and ${paths.length - SHOWN} more`] : []),
    ].join('\n'),
  );
}
