import {numberText} from '../common/numbers';
import * as tf from '@tensorflow/tfjs-core';
import type {RgbImage} from '../images/resize';
import type {Preset} from '../images/types';
import type {Task} from '../common/progress';
import type {NetworkObjective} from './objectiveOn';
import type {ImageShape, Parametrisation, ParametrisedImages} from './parametrisation';
import type {Random} from '../common/random';
import {resample, type View} from './resample';
import {drawView, type Transform} from './transforms';

export interface OptimizeSettings {
  shape: ImageShape;
  steps: number;
  learningRate: number;
  parametrisation: Parametrisation;
  transforms: readonly Transform[];
  views: number;
  preset: Preset;
  random: Random;
  previewEvery: number;
}

/** The images at one moment, and the objective on them. */
export interface Look {
  step: number;
  value: number;
  images: RgbImage[];
}

export interface Optimized {
  best: Look | undefined;
  history: Float32Array;
  looks: {step: number; value: number}[];
  end: 'done' | 'interrupted' | 'diverged';
}

/**
 * Gradient ascent with Adam (Kingma and Ba 2015) on images as the network sees them through random views. Looks at the images
 * themselves now and then, and keeps the best look.
 */
export async function optimize(
  objective: NetworkObjective,
  settings: OptimizeSettings,
  task: Task,
  signal: AbortSignal,
  onLook: (look: Look) => void,
): Promise<Optimized> {
  const {shape, steps, learningRate, parametrisation, previewEvery, random} = settings;
  const parametrised = parametrisation.start(shape, random);
  const adam = tf.train.adam(learningRate);
  const history: number[] = [];
  const looks: Optimized['looks'] = [];
  let best: Look | undefined;
  const look = (): boolean => {
    const seen = lookAt(objective, parametrised.images(), settings.preset, history.length);
    if (!Number.isFinite(seen.value)) return false;
    looks.push({step: seen.step, value: seen.value});
    if (!best || seen.value > best.value) best = seen;
    onLook(seen);
    return true;
  };
  const ended = (end: Optimized['end']): Optimized => ({best, history: Float32Array.from(history), looks, end});
  try {
    if (!look()) return ended('diverged');
    while (history.length < steps && !signal.aborted) {
      const value = ascend(objective, parametrised, adam, settings);
      if (!Number.isFinite(value)) return ended('diverged');
      history.push(value);
      const due = history.length % previewEvery === 0 || history.length === steps;
      if (due && !look()) return ended('diverged');
      task.advance(1, {note: `objective ${numberText(value)}`});
      await new Promise((resolve) => setImmediate(resolve)); // lets an interrupt, the bar and the picture in
    }
    if (history.length === steps) return ended('done');
    if (looks[looks.length - 1].step !== history.length) look();
    return ended('interrupted');
  } finally {
    adam.dispose();
    parametrised.dispose();
  }
}

/** One step; gives the objective before it, mean over images and views. */
function ascend(
  objective: NetworkObjective,
  {images, variables}: ParametrisedImages,
  adam: tf.AdamOptimizer,
  {shape, transforms, views, preset, random}: OptimizeSettings,
): number {
  const [batch, height, width, channels] = shape;
  const drawn: View[] = Array.from({length: views * batch}, () => drawView(transforms, random, [height, width]));
  const outside = drawn.map(() => Array.from({length: channels}, () => random.uniform(0, 1)));
  return tf.tidy(() => {
    const loss = () => {
      const once = images(); // [B, H, W, C]
      const repeated = views > 1 ? tf.concat(Array<tf.Tensor4D>(views).fill(once), 0) : once; // [V·B, H, W, C]
      const seen = transforms.length > 0 ? resample(repeated, drawn, outside) : repeated; // [V·B, H, W, C]
      return tf.neg(tf.mean(objective.value(preprocess(seen, preset)))) as tf.Scalar;
    };
    const {value, grads} = tf.variableGrads(loss, variables);
    adam.applyGradients(Object.entries(grads).map(([name, tensor]) => ({name, tensor})));
    return -value.dataSync()[0];
  });
}

function lookAt(objective: NetworkObjective, images: tf.Tensor4D, preset: Preset, step: number): Look {
  try {
    const [batch, height, width, channels] = images.shape;
    const value = tf.tidy(() => tf.mean(objective.value(preprocess(images, preset))).dataSync()[0]);
    const all = images.dataSync();
    const size = height * width;
    const rgb = (image: number) =>
      Uint8Array.from({length: size * 3}, (_, i) => {
        const [pixel, c] = [Math.floor(i / 3), i % 3];
        return Math.round(255 * all[(image * size + pixel) * channels + (channels === 3 ? c : 0)]);
      });
    return {step, value, images: Array.from({length: batch}, (_, i) => ({data: rgb(i), width, height}))};
  } finally {
    images.dispose();
  }
}

/** From the scale 0..1 to the network's input. @param images [B, H, W, C] */
function preprocess(images: tf.Tensor4D, {mean, std}: Preset): tf.Tensor4D {
  const channels = images.shape[3];
  return tf.div(tf.sub(images, tf.tensor1d(mean.slice(0, channels))), tf.tensor1d(std.slice(0, channels)));
}

/** A number in five digits. */
