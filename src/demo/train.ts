import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import {engineForTraining, train} from '../engine/training';
import {modelFrom} from '../formats/modelFrom';
import type {Model} from '../network/types';
import type {LongCallOptions} from '../common/progress';
import {DEMO_CLASSES, DEMO_SIZE, demoImage} from './generator';
import {buildDemoNetwork, DEMO_PRESET} from './network';
import {keyedRandom} from '../common/random';
import {IMAGE_SEEDS} from './images';

const BATCH = 64;
const LEARNING_RATE = 2e-3;

export interface TrainDemoOptions extends LongCallOptions {
  /** Seed of the initial weights and of the images' order; the images stay the same. @default 0 */
  seed?: number;
  /** Images of each class. @default 300 */
  imagesPerClass?: number;
  /** Passes over the images. @default 8 */
  epochs?: number;
}

/**
 * Trains the demo network: Adam, cross entropy and a little weight decay. The same seed gives the same network as far as the engine adds in
 * the same order.
 * @throws InputError on WebAssembly, which lacks the gradient of a convolution's kernel
 * @throws InterruptError where the signal aborts it
 */
export async function trainDemo(options: TrainDemoOptions = {}): Promise<Model> {
  const {seed = 0, imagesPerClass = 300, epochs = 8, progress, signal} = options;
  await engineForTraining();
  const pixels = trainingPixels(imagesPerClass);
  const network = buildDemoNetwork({seed, decay: true});
  const optimizer = tf.train.adam(LEARNING_RATE);
  network.compile({optimizer, loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits)});
  try {
    await train({
      label: `training the demo network (seed ${seed})`,
      count: imagesPerClass * DEMO_CLASSES.length,
      batch: BATCH,
      epochs,
      learningRate: LEARNING_RATE,
      optimizer,
      random: keyedRandom(seed, 0xffff, 0),
      step: (chosen) => trainOn(network, pixels, chosen, imagesPerClass),
      progress,
      signal,
    });
    return trainedModel(network, seed);
  } finally {
    network.dispose();
    optimizer.dispose();
  }
}

/** Images of all classes, class after class: [K · n, 48, 48, 3]. */
function trainingPixels(imagesPerClass: number): Uint8Array {
  const size = DEMO_SIZE * DEMO_SIZE * 3;
  const pixels = new Uint8Array(DEMO_CLASSES.length * imagesPerClass * size);
  for (let k = 0, at = 0; k < DEMO_CLASSES.length; k++) {
    for (let i = 0; i < imagesPerClass; i++, at += size) pixels.set(demoImage(k, i, IMAGE_SEEDS.training), at);
  }
  return pixels;
}

async function trainOn(network: tfl.LayersModel, pixels: Uint8Array, batch: Int32Array, imagesPerClass: number) {
  const size = DEMO_SIZE * DEMO_SIZE * 3;
  const input = new Float32Array(batch.length * size);
  batch.forEach((image, i) => {
    for (let j = 0; j < size; j++) input[i * size + j] = pixels[image * size + j] / 255 - 0.5;
  });
  const x = tf.tensor4d(input, [batch.length, DEMO_SIZE, DEMO_SIZE, 3]); // [B, 48, 48, 3]
  const labels = tf.tidy(() => {
    const classes = tf.tensor1d(
      batch.map((image) => Math.floor(image / imagesPerClass)),
      'int32',
    );
    return tf.cast(tf.oneHot(classes, DEMO_CLASSES.length), 'float32'); // [B, K]
  });
  try {
    return (await network.trainOnBatch(x, labels)) as number;
  } finally {
    tf.dispose([x, labels]);
  }
}

/** The trained weights in a network that no longer asks for weight decay. */
function trainedModel(network: tfl.LayersModel, seed: number): Model {
  const plain = buildDemoNetwork({seed});
  try {
    plain.setWeights(network.getWeights());
    return modelFrom(plain, {name: 'demo', preset: DEMO_PRESET, classNames: DEMO_CLASSES});
  } finally {
    plain.dispose();
  }
}
