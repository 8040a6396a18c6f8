import * as tf from '@tensorflow/tfjs-core';
import type {LongCallOptions} from '../common/progress';
import {keyedRandom} from '../common/random';
import {engineForTraining, train} from '../engine/training';
import {classPicture} from './images';
import {STUDIED_CHANNELS, TRUNK, weightShapes, type KnownWeights} from './network';
import {CLASS_PARTS, CODES, PARTS} from './parts';
import {KNOWN_SIZE, MAP_SIZE} from './pictures';

/**
 * What taught the studied channels their meaning besides the class loss: `position`, a cross entropy with the code at each position of
 * the map; `picture`, the same for each channel's maximum over the picture, so that no position is taught; `none`, the class loss alone.
 */
export type Supervision = 'position' | 'picture' | 'none';

export interface TrainKnownOptions extends LongCallOptions {
  supervision: Supervision;
  /** Whether the last batch norm before the studied layer starts at β = −1.5, so that its ReLU passes few values. */
  sparse: boolean;
  /** Seed of the initial weights and of the images' order; the images stay the same. */
  seed: number;
  /** Passes over the pictures. @default 8, or 15 without supervision */
  epochs?: number;
  /** Pictures of each class. @default 200 */
  perClass?: number;
}

const BATCH = 32;
const LEARNING_RATE = 3e-3;
const SPARSE_BETA = -1.5;
const EPSILON = 1e-5;
/** How fast the statistics of batch norm follow. */
const MOMENTUM = 0.9;
/** Weight of a position that shows a part, since most show none. */
const POSITIVE_WEIGHT = 3;
/** Weight of what the channels are taught, against the class loss. */
const MEANING_WEIGHT = 3;
/** The mean over positions is small; this brings the dense layer's inputs to the order of 1. */
const MEAN_SCALE = 8;

interface Trained {
  kernels: tf.Variable[];
  betas: tf.Variable[];
  means: tf.Variable[];
  variances: tf.Variable[];
  biases: tf.Variable[];
}

/**
 * Trains a known network with Adam.
 * @throws InputError on WebAssembly, which lacks the gradient of a convolution's kernel; InterruptError where the signal aborts it
 */
export async function trainKnown(options: TrainKnownOptions): Promise<KnownWeights> {
  const {
    supervision,
    sparse,
    seed,
    epochs = supervision === 'none' ? 15 : 8,
    perClass = 200,
    progress,
    signal,
  } = options;
  await engineForTraining();
  const pictures = trainingPictures(perClass);
  const trained = initialise(seed, {sparse, supervised: supervision !== 'none'});
  const optimizer = tf.train.adam(LEARNING_RATE);
  try {
    await train({
      label: `training a known network (${supervision}, ${sparse ? 'sparse' : 'plain'}, seed ${seed})`,
      count: perClass * CLASS_PARTS.length,
      batch: BATCH,
      epochs,
      learningRate: LEARNING_RATE,
      optimizer,
      random: keyedRandom(seed, 0xfffe, 0),
      step: (chosen) =>
        tf.tidy(() => {
          const batch = gatherBatch(chosen, pictures);
          return optimizer.minimize(() => lossOf(trained, batch, supervision), true)!.dataSync()[0];
        }),
      progress,
      signal,
    });
    return folded(trained);
  } finally {
    Object.values(trained)
      .flat()
      .forEach((variable) => (variable as tf.Variable).dispose());
    optimizer.dispose();
  }
}

/** Pixels of all pictures, class after class, and where each channel should answer, [N, 8 · 8 · 16]. Drawn once a process. */
function trainingPictures(perClass: number): Pictures {
  if (drawn?.perClass === perClass) return drawn;
  const count = perClass * CLASS_PARTS.length;
  const cells = MAP_SIZE * MAP_SIZE;
  const pixels = new Uint8Array(count * KNOWN_SIZE * KNOWN_SIZE * 3);
  const targets = new Uint8Array(count * cells * STUDIED_CHANNELS);
  for (let image = 0; image < count; image++) {
    const parts = CLASS_PARTS[Math.floor(image / perClass)];
    const picture = classPicture('training', Math.floor(image / perClass), image % perClass);
    pixels.set(picture.pixels, image * picture.pixels.length);
    CODES.forEach((code, channel) => {
      parts.forEach((part, n) => {
        if (!code.includes(part)) return;
        for (let cell = 0; cell < cells; cell++) {
          if (picture.maps[n * cells + cell]) targets[(image * cells + cell) * STUDIED_CHANNELS + channel] = 1;
        }
      });
    });
  }
  return (drawn = {perClass, pixels, targets});
}

interface Pictures {
  perClass: number;
  pixels: Uint8Array;
  targets: Uint8Array;
}

let drawn: Pictures | undefined;

/** Kernels uniform in ±1/√fan-in; where channels are taught, their biases start at −2, since most positions show no part. */
function initialise(seed: number, {sparse, supervised}: {sparse: boolean; supervised: boolean}): Trained {
  const random = keyedRandom(seed, 0xfffd, PARTS.length);
  const shapes = weightShapes();
  const kernels = shapes.map((shape) => {
    const bound = 1 / Math.sqrt(shape.slice(0, -1).reduce((product, size) => product * size, 1));
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float32Array.from({length: size}, () => random.uniform(-bound, bound));
    return tf.variable(tf.tensor(values, shape));
  });
  const filled = (value: (at: number) => number, trainable = true) =>
    TRUNK.map(({filters}, at) => tf.variable(tf.fill([filters], value(at)), trainable));
  return {
    kernels,
    betas: filled((at) => (sparse && at === TRUNK.length - 1 ? SPARSE_BETA : 0)),
    means: filled(() => 0, false),
    variances: filled(() => 1, false),
    biases: [
      tf.variable(tf.fill([STUDIED_CHANNELS], supervised ? -2 : 0)),
      tf.variable(tf.zeros([CLASS_PARTS.length])),
    ],
  };
}

interface Batch {
  /** [B, 64, 64, 3] */
  images: tf.Tensor4D;
  /** One-hot, [B, K] */
  labels: tf.Tensor2D;
  /** [B, 8, 8, 16] */
  targets: tf.Tensor4D;
}

function gatherBatch(chosen: Int32Array, {pixels, targets, perClass}: Pictures): Batch {
  const size = KNOWN_SIZE * KNOWN_SIZE * 3;
  const goal = MAP_SIZE * MAP_SIZE * STUDIED_CHANNELS;
  const input = new Float32Array(chosen.length * size);
  const wanted = new Float32Array(chosen.length * goal);
  chosen.forEach((image, i) => {
    for (let j = 0; j < size; j++) input[i * size + j] = pixels[image * size + j] / 255 - 0.5;
    for (let j = 0; j < goal; j++) wanted[i * goal + j] = targets[image * goal + j];
  });
  const labels = tf.tensor1d(
    chosen.map((image) => Math.floor(image / perClass)),
    'int32',
  );
  return {
    images: tf.tensor4d(input, [chosen.length, KNOWN_SIZE, KNOWN_SIZE, 3]),
    labels: tf.cast(tf.oneHot(labels, CLASS_PARTS.length), 'float32') as tf.Tensor2D,
    targets: tf.tensor4d(wanted, [chosen.length, MAP_SIZE, MAP_SIZE, STUDIED_CHANNELS]),
  };
}

function lossOf(trained: Trained, {images, labels, targets}: Batch, supervision: Supervision): tf.Scalar {
  const {kernels, biases} = trained;
  let x = images;
  TRUNK.forEach(({stride, pool}, at) => {
    x = tf.conv2d(x, kernels[at] as unknown as tf.Tensor4D, stride, 'same');
    // The norm's scale is positive, so that the maximum may come first: a quarter of the work behind it.
    if (pool) x = tf.maxPool(x, 2, 2, 'valid');
    x = tf.relu(normalised(trained, at, x));
  });
  const z = tf.add(tf.conv2d(x, kernels[TRUNK.length] as unknown as tf.Tensor4D, 1, 'same'), biases[0]) as tf.Tensor4D; // [B, 8, 8, 16]
  const means = tf.mul(tf.mean(tf.relu(z), [1, 2]), MEAN_SCALE); // [B, 16]
  const logits = tf.add(
    tf.matMul(means as tf.Tensor2D, kernels[TRUNK.length + 1] as unknown as tf.Tensor2D),
    biases[1],
  );
  const logProbabilities = tf.sub(logits, tf.logSumExp(logits, 1, true)); // [B, K]
  const classLoss = tf.neg(tf.mean(tf.sum(tf.mul(labels, logProbabilities), 1))) as tf.Scalar;
  if (supervision === 'none') return classLoss;
  const meaning =
    supervision === 'position'
      ? crossEntropy(z, targets, POSITIVE_WEIGHT)
      : crossEntropy(tf.max(z, [1, 2]), tf.max(targets, [1, 2]), 1);
  return tf.add(classLoss, tf.mul(meaning, MEANING_WEIGHT));
}

/** Batch norm with the batch's own moments, which the running ones follow, and without a scale: the next layer can have it. */
function normalised({betas, means, variances}: Trained, at: number, x: tf.Tensor4D): tf.Tensor4D {
  const follow = (running: tf.Variable, value: tf.Tensor) =>
    running.assign(tf.add(tf.mul(running, MOMENTUM), tf.mul(value, 1 - MOMENTUM)) as tf.Tensor1D);
  const standardise = tf.customGrad((input, save) => {
    const {mean, variance} = tf.moments(input as tf.Tensor, [0, 1, 2]);
    follow(means[at], mean);
    follow(variances[at], variance);
    const inverse = tf.rsqrt(tf.add(variance, EPSILON)); // [C]
    const value = tf.mul(tf.sub(input as tf.Tensor, mean), inverse); // [B, H, W, C]
    (save as tf.GradSaveFunc)([value, inverse]);
    // dx = (dy − mean dy − y·mean(y·dy)) / deviation (Ioffe and Szegedy 2015)
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [y, scale] = saved;
      const along = tf.mean(tf.mul(y, dy), [0, 1, 2]);
      return tf.mul(tf.sub(tf.sub(dy, tf.mean(dy, [0, 1, 2])), tf.mul(y, along)), scale);
    };
    return {value, gradFunc};
  });
  return tf.add(standardise(x), betas[at]) as tf.Tensor4D;
}

/** Mean of the sigmoid cross entropy, stable for large |z|. */
function crossEntropy(z: tf.Tensor, target: tf.Tensor, positiveWeight: number): tf.Scalar {
  const positive = tf.mul(tf.mul(target, tf.softplus(tf.neg(z))), positiveWeight);
  const negative = tf.mul(tf.sub(1, target), tf.softplus(z));
  return tf.mean(tf.add(positive, negative));
}

/** Batch norm and the mean's scale folded into the kernels. */
function folded({kernels, betas, means, variances, biases}: Trained): KnownWeights {
  return weightShapes().map((shape, at) => {
    const kernel = Float32Array.from(kernels[at].dataSync());
    if (at >= TRUNK.length) {
      const scale = at > TRUNK.length ? MEAN_SCALE : 1;
      return {
        shape,
        kernel: kernel.map((w) => w * scale),
        bias: Float32Array.from(biases[at - TRUNK.length].dataSync()),
      };
    }
    const [beta, mean, variance] = [betas, means, variances].map((all) => all[at].dataSync());
    const outputs = shape[3];
    const scale = Array.from(variance, (value) => 1 / Math.sqrt(value + EPSILON));
    return {
      shape,
      kernel: kernel.map((w, i) => w * scale[i % outputs]),
      bias: Float32Array.from(scale, (value, c) => beta[c] - mean[c] * value),
    };
  });
}
