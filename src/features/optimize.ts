import {numberText} from '../common/numbers';
import * as tf from '@tensorflow/tfjs-core';
import type {RgbImage} from '../images/resize';
import type {Preset} from '../images/types';
import type {Task} from '../common/progress';
import type {LayerDistance, Nearness} from './nearness';
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
  /** Measures how far images are from the picture that a parametrisation stays near to. */
  distance?: LayerDistance;
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
  const near = parametrised.near && {...parametrised.near, balance: 0};
  try {
    if (!look()) return ended('diverged');
    while (history.length < steps && !signal.aborted) {
      // The first step leaves the picture, where the distance has no gradient; then the two are balanced.
      if (near && history.length === 1)
        near.balance = near.weight * gradientRatio(objective, near, parametrised, settings);
      const value = ascend(objective, parametrised, adam, settings, near);
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

/** What keeps images near a picture, with the factor of its distance. */
type Kept = Nearness & {balance: number};

/** One step; gives the objective before it, mean over images and views, less the distance to a picture where there is one. */
function ascend(
  objective: NetworkObjective,
  parametrised: ParametrisedImages,
  adam: tf.AdamOptimizer,
  settings: OptimizeSettings,
  near: Kept | undefined,
): number {
  const views = drawViews(settings);
  return tf.tidy(() => {
    const loss = () => {
      const seen = seenThrough(parametrised.images(), views, settings); // [V·B, H, W, C]
      const value = tf.mean(objective.value(seen));
      const distance = near && near.balance > 0 && tf.mul(distanceTo(near, seen, views, settings), near.balance);
      return tf.neg(distance ? tf.sub(value, distance) : value) as tf.Scalar;
    };
    const {value, grads} = tf.variableGrads(loss, parametrised.variables);
    adam.applyGradients(Object.entries(grads).map(([name, tensor]) => ({name, tensor})));
    return -value.dataSync()[0];
  });
}

/** How much larger the gradient of the objective is than that of the distance: sums of absolute values over all variables. */
function gradientRatio(
  objective: NetworkObjective,
  near: Kept,
  {images, variables}: ParametrisedImages,
  settings: OptimizeSettings,
): number {
  const views = drawViews(settings);
  return tf.tidy(() => {
    const sizeOf = (of: (seen: tf.Tensor4D) => tf.Tensor) => {
      const {grads} = tf.variableGrads(() => of(seenThrough(images(), views, settings)) as tf.Scalar, variables);
      return Object.values(grads).reduce((sum, grad) => sum + tf.sum(tf.abs(grad)).dataSync()[0], 0);
    };
    const push = sizeOf((seen) => tf.mean(objective.value(seen)));
    const pull = sizeOf((seen) => distanceTo(near, seen, views, settings));
    return pull > 0 ? push / pull : 0;
  });
}

function distanceTo({picture}: Kept, seen: tf.Tensor4D, views: DrawnViews, settings: OptimizeSettings): tf.Tensor {
  const {distance, shape} = settings;
  if (!distance) throw new Error('a parametrisation stays near a picture, and nothing measures how near');
  const original = seenThrough(tf.tile(picture, [shape[0], 1, 1, 1]), views, settings); // [V·B, H, W, C]
  return tf.mean(distance.value(seen, original));
}

interface DrawnViews {
  views: View[];
  /** Colours around the image, one a view. */
  outside: number[][];
}

function drawViews({shape, transforms, views, random}: OptimizeSettings): DrawnViews {
  const [batch, height, width, channels] = shape;
  const drawn: View[] = Array.from({length: views * batch}, () => drawView(transforms, random, [height, width]));
  return {views: drawn, outside: drawn.map(() => Array.from({length: channels}, () => random.uniform(0, 1)))};
}

/** Images as the network gets them, each through its views. @param images [B, H, W, C], 0..1; disposed of by the caller's tidy */
function seenThrough(
  images: tf.Tensor4D,
  {views: drawn, outside}: DrawnViews,
  {transforms, views, preset}: OptimizeSettings,
): tf.Tensor4D {
  const repeated = views > 1 ? tf.concat(Array<tf.Tensor4D>(views).fill(images), 0) : images; // [V·B, H, W, C]
  return preprocess(transforms.length > 0 ? resample(repeated, drawn, outside) : repeated, preset); // [V·B, H, W, C]
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
