import * as tf from '@tensorflow/tfjs-core';
import {checkArgument} from '../common/argument';
import {percentText} from '../common/numbers';
import {readable} from '../common/readable';
import {counted, namedClass} from '../common/words';
import type {LabelledImages} from '../images/types';
import {whateverLabels} from '../images/unlabelled';
import type {Model} from '../network/types';
import type {PredictedLabelsOptions} from './predictedLabels';
import {runPass, type BatchCollector} from './runPass';

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
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', images, 'labelsFor', 'imageFolder(…)');
  const {classes} = model;
  const found = new Map<number, Float32Array>();
  const collector: BatchCollector = {
    init: () => found,
    measure: (batch) => ({logits: batch.logits()}), // [B, K]
    add: (_state, {indices}, {logits}) =>
      indices.forEach((index, b) => found.set(index, (logits as Float32Array).slice(b * classes, (b + 1) * classes))),
  };
  const [layer] = model.layers().slice(-1);
  const unlabelled = whateverLabels(images);
  await runPass(model, unlabelled, {...options, layers: [layer.name], label: 'predicting'}, [collector]);
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
  const classNames = [...(model.classNames ?? unlabelled.classNamesFor(classes))];
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
