/**
 * Images whose waves keep the strength that they have in pictures; only where the waves stand is optimised (Fel et al. 2023, "Unlocking Feature
 * Visualization for Deeper Networks with MAgnitude Constrained Optimization"). What persuades a network by the strength of one pattern cannot
 * arise.
 */
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {inColours} from './colours';
import type {Parametrisation} from './parametrisation';
import {DEMO_SPECTRUM, magnitudeAt, type Spectrum} from './spectrum';

export interface MacoOptions {
  /** Strength of the waves by frequency, of `imageSpectrum(images)`. @default that of the demo's drawn pictures */
  spectrum?: Spectrum;
  /** All waves are so many times as strong: contrast. @default 1 */
  contrast?: number;
}

/**
 * image = sigmoid(mean + Σ r(frequency) · cos(2π · frequency · position + φ)), with r the spectrum's and φ what is optimised: one phase a wave,
 * colour direction and image. The mean colour is optimised, too. Its phases take a learning rate of about 0.1.
 * @throws InputError for a spectrum that is none, or a contrast that is not above 0
 */
export function maco({spectrum = DEMO_SPECTRUM, contrast = 1}: MacoOptions = {}): Parametrisation {
  if (!(contrast > 0 && contrast < Infinity)) {
    throw new InputError(`invalid contrast: ${contrast}; it is a number above 0, e.g. 1`);
  }
  if ((spectrum as Partial<Spectrum>).kind !== 'spectrum') {
    throw new InputError('spectrum: something else; write await features.imageSpectrum(images)');
  }
  return {
    name: `fixed magnitude, spectrum of ${spectrum.source}`,
    start([batch, height, width, channels], random) {
      const half = Math.floor(width / 2) + 1;
      const strengths = waveStrengths(spectrum, [height, width], channels, contrast);
      const count = batch * channels * height * half;
      const phases = tf.tidy(() =>
        tf.variable(
          tf.tensor4d(
            Float32Array.from({length: count}, () => random.uniform(0, 2 * Math.PI)),
            [batch, channels, height, half],
          ),
        ),
      ); // [B, C, u, v]
      const start = Array.from({length: channels}, (_, c) => (channels === 3 ? (spectrum.means[c] ?? 0) : 0));
      const mean = tf.tidy(() => tf.variable(tf.tile(tf.tensor4d(start, [1, 1, 1, channels]), [batch, 1, 1, 1]))); // [B, 1, 1, C]
      const [rowsCos, rowsSin] = waves(height, height);
      const [columnsCos, columnsSin] = waves(half, width);
      const strength = tf.tensor4d(strengths, [1, channels, height, half]);
      const kept = [strength, rowsCos, rowsSin, columnsCos, columnsSin];
      return {
        variables: [phases, mean],
        images: () =>
          tf.tidy(() => {
            const flat = [-1, half] as [number, number];
            const real = tf.reshape(tf.mul(tf.cos(phases), strength), flat); // [B·C·u, v]
            const imaginary = tf.reshape(tf.mul(tf.sin(phases), strength), flat); // [B·C·u, v]
            // cos(a + b) with a along the rows and b, the phase in it, along the columns: the real part of a product of two.
            const cosine = tf.sub(tf.matMul(real, columnsCos), tf.matMul(imaginary, columnsSin)); // [B·C·u, x]
            const sine = tf.add(tf.matMul(real, columnsSin), tf.matMul(imaginary, columnsCos)); // [B·C·u, x]
            const upright = (tensor: tf.Tensor) =>
              tf.reshape(tf.transpose(tf.reshape(tensor, [batch, channels, height, width]), [0, 3, 1, 2]), [
                -1,
                height,
              ]); // [B·x·C, u]
            const plane = tf.sub(tf.matMul(upright(cosine), rowsCos), tf.matMul(upright(sine), rowsSin)); // [B·x·C, y]
            const image = tf.transpose(tf.reshape(plane, [batch, width, channels, height]), [0, 3, 1, 2]); // [B, y, x, C]
            const shifted = tf.add(image, mean) as tf.Tensor4D;
            return tf.sigmoid(channels === 3 ? inColours(shifted) : shifted) as tf.Tensor4D;
          }),
        dispose: () => tf.dispose([phases, mean, ...kept]),
      };
    },
  };
}

/** cos and sin of 2π·frequency·position/n, [frequencies, n] each. */
function waves(frequencies: number, n: number): [tf.Tensor2D, tf.Tensor2D] {
  const of = (f: (phase: number) => number) =>
    tf.tensor2d(
      Float32Array.from({length: frequencies * n}, (_, at) =>
        f((2 * Math.PI * ((Math.floor(at / n) * (at % n)) % n)) / n),
      ),
      [frequencies, n],
    );
  return [of(Math.cos), of(Math.sin)];
}

/**
 * Amplitude of each wave, [C, H, ⌊W/2⌋ + 1]: row u and column v have the frequency (±u/H, v/W). 0 for the constant, and for the rows of the
 * first and the last column that are another's mirror.
 */
export function waveStrengths(
  spectrum: Spectrum,
  [height, width]: readonly [number, number],
  channels: number,
  contrast = 1,
): Float32Array {
  const half = Math.floor(width / 2) + 1;
  const side = Math.max(height, width);
  const strengths = new Float32Array(channels * height * half);
  for (let c = 0; c < channels; c++) {
    for (let u = 0; u < height; u++) {
      for (let v = 0; v < half; v++) {
        const alone = v === 0 || 2 * v === width;
        if ((u === 0 && v === 0) || (alone && 2 * u > height)) continue;
        const frequency = Math.hypot(Math.min(u, height - u) / height, v / width);
        strengths[(c * height + u) * half + v] = contrast * magnitudeAt(spectrum, c, frequency, side);
      }
    }
  }
  return strengths;
}
