/**
 * The numbers that an optimiser turns, and the image that they make: pixels themselves, or coefficients of waves, in which steps of
 * gradient descent favour large shapes over noise (Olah et al. 2017, section "Preconditioning and Parameterization").
 */
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {inColours} from './colours';
import type {Nearness} from './nearness';
import type {Random} from '../common/random';

/** [B, H, W, C] with C = 3 or 1 */
export type ImageShape = readonly [batch: number, height: number, width: number, channels: number];

/** Images that depend on variables. */
export interface ParametrisedImages {
  readonly variables: tf.Variable[];
  /** Images on the scale 0..1, [B, H, W, C]; differentiable. The caller disposes of them. */
  images(): tf.Tensor4D;
  /** A picture that they are to stay near to. @default none */
  readonly near?: Nearness;
  dispose(): void;
}

/** Starts images from random numbers. */
export interface Parametrisation {
  readonly name: string;
  /** The layer at which its images stay near a picture. @default none */
  readonly nearAt?: string;
  start(shape: ImageShape, random: Random): ParametrisedImages;
}

export interface FourierOptions {
  /** Standard deviation of the first coefficients. @default 0.01 */
  std?: number;
  /** @deprecated the name of `std` up to 0.1 */
  deviation?: number;
  /** Power of the frequency by which waves are damped: 1 makes the spectrum of photographs. @default 1 */
  falloff?: number;
  /**
   * Frequency, in cycles per pixel (at most 0.5), where waves are damped to 1/e once more, as a Gaussian does: finer
   * patterns than that persuade one network and no other. Infinity leaves them. @default 0.35
   */
  cutoff?: number;
  /** Whether colours vary as they do in photographs, most in brightness and least in hue. @default true */
  decorrelate?: boolean;
}

/**
 * Waves: image = sigmoid(Σ p · gain(frequency) · wave), with the colours of photographs. The waves are the real Fourier basis of each
 * axis, so that synthesis is two matrix products (no engine has a gradient for FFT) and spans what the half spectrum of a
 * complex transform spans.
 * @throws InputError for an option that is not above 0, or a falloff that is no number
 */
export function fourier({
  falloff = 1,
  cutoff = 0.35,
  decorrelate = true,
  ...options
}: FourierOptions = {}): Parametrisation {
  const std = stdOf('fourier', options);
  checkPositive({std, cutoff});
  if (!Number.isFinite(falloff)) throw new InputError(`invalid falloff: ${falloff}; it is a number, e.g. 1`);
  return {
    name: `fourier, falloff ${falloff}, cutoff ${cutoff}${decorrelate ? '' : ', plain colours'}`,
    start(shape, random) {
      const waves = waveSum(shape, random, {std, falloff, cutoff, decorrelate});
      return {...waves, images: () => tf.tidy(() => tf.sigmoid(waves.plane()) as tf.Tensor4D)};
    },
  };
}

/** A sum of damped waves that depends on variables. */
export interface WaveSum extends Pick<ParametrisedImages, 'variables' | 'dispose'> {
  /** Before the sigmoid, [B, H, W, C]; differentiable. */
  plane(): tf.Tensor4D;
}

/** Σ p · gain(frequency) · wave, with p first drawn at random. */
export function waveSum(
  [batch, height, width, channels]: ImageShape,
  random: Random,
  {std, falloff, cutoff, decorrelate}: Required<Omit<FourierOptions, 'deviation'>>,
): WaveSum {
  const gains = waveGains(height, width, falloff, cutoff);
  const parameters = tf.tidy(() => tf.variable(normal([batch, channels, height, width], random, std) as tf.Tensor4D)); // [B, C, H, W]
  const rows = tf.tensor2d(realWaves(height), [height, height]); // [frequency, y]
  const columns = width === height ? tf.clone(rows) : tf.tensor2d(realWaves(width), [width, width]); // [frequency, x]
  const damping = tf.tensor2d(gains, [height, width]);
  return {
    variables: [parameters],
    plane: () =>
      tf.tidy(() => {
        const damped = tf.mul(parameters, damping); // [B, C, H, W]
        const alongX = tf.matMul(tf.reshape(damped, [-1, width]), columns); // [B·C·H, x]
        const turned = tf.transpose(tf.reshape(alongX, [batch, channels, height, width]), [0, 3, 1, 2]); // [B, x, C, H]
        const alongY = tf.matMul(tf.reshape(turned, [-1, height]), rows); // [B·x·C, y]
        const plane = tf.transpose(tf.reshape(alongY, [batch, width, channels, height]), [0, 3, 1, 2]); // [B, y, x, C]
        return (decorrelate && channels === 3 ? inColours(plane as tf.Tensor4D) : plane) as tf.Tensor4D;
      }),
    dispose: () => tf.dispose([parameters, rows, columns, damping]),
  };
}

export interface PixelOptions {
  /** Standard deviation of the first values, before the sigmoid. @default 0.01 */
  std?: number;
  /** @deprecated the name of `std` up to 0.1 */
  deviation?: number;
  /** As in `FourierOptions`. @default false */
  decorrelate?: boolean;
}

/** Pixels, each by itself: image = sigmoid(p). */
export function pixels({decorrelate = false, ...options}: PixelOptions = {}): Parametrisation {
  const std = stdOf('pixels', options);
  checkPositive({std});
  return {
    name: `pixels${decorrelate ? ', decorrelated colours' : ''}`,
    start(shape, random) {
      const parameters = tf.tidy(() => tf.variable(normal(shape, random, std) as tf.Tensor4D)); // [B, H, W, C]
      return {
        variables: [parameters],
        images: () =>
          tf.tidy(() =>
            tf.sigmoid(decorrelate && shape[3] === 3 ? inColours(parameters as tf.Tensor4D) : parameters),
          ) as tf.Tensor4D,
        dispose: () => parameters.dispose(),
      };
    },
  };
}

/** The option by its name, or by its old one with a warning. */
function stdOf(call: string, {std, deviation}: Pick<PixelOptions, 'std' | 'deviation'>): number {
  if (deviation !== undefined) {
    process.emitWarning(`features.${call}: the option deviation is called std`, 'DeprecationWarning');
  }
  return std ?? deviation ?? 0.01;
}

/** @throws InputError */
export function checkPositive(values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value > 0)) throw new InputError(`invalid ${name}: ${value}; it is a number above 0`);
  }
}

function normal(shape: readonly number[], random: Random, std: number): tf.Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(
    Float32Array.from({length: count}, () => std * random.normal()),
    [...shape],
  );
}

/**
 * The orthonormal real Fourier basis of n points, [n, n] with a wave a row: 1/√n, then √(2/n)·cos and √(2/n)·sin of frequency 1, 2 …,
 * and for even n (−1)^x/√n.
 */
export function realWaves(n: number): Float32Array {
  const waves = new Float32Array(n * n);
  for (let row = 0; row < n; row++) {
    const frequency = waveFrequency(row);
    const sine = row > 0 && row % 2 === 0;
    const alone = frequency === 0 || 2 * frequency === n;
    for (let x = 0; x < n; x++) {
      const phase = (2 * Math.PI * ((frequency * x) % n)) / n;
      waves[row * n + x] = Math.sqrt((alone ? 1 : 2) / n) * (sine ? Math.sin(phase) : Math.cos(phase));
    }
  }
  return waves;
}

/** Frequency of a row of `realWaves`, in cycles over its axis. */
const waveFrequency = (row: number) => Math.ceil(row / 2);

/**
 * What each wave is multiplied by, [H, W]: 1/frequency^falloff · e^(−(frequency/cutoff)²), frequencies in cycles per pixel, the
 * constant like the longest wave, in a measure that makes the same step change an image of any size as much.
 */
export function waveGains(height: number, width: number, falloff: number, cutoff: number): Float32Array {
  const lowest = 1 / Math.max(height, width);
  const gains = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const frequency = Math.max(Math.hypot(waveFrequency(row) / height, waveFrequency(column) / width), lowest);
      const damped = (lowest / frequency) ** falloff * Math.exp(-((frequency / cutoff) ** 2));
      gains[row * width + column] = GAIN * Math.sqrt(height * width) * damped;
    }
  }
  return gains;
}

/** Makes the longest waves' pixels change about as much as their parameter, at an unclipped sigmoid. */
const GAIN = 0.5;
