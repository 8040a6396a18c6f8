/**
 * How strong waves of each frequency are in pictures: what a parametrisation with a fixed magnitude (`maco`) is held to.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {LabelledImages} from '../images/types';
import {InputError} from '../common/errors';
import {fromColours} from './colours';
import {SHIPPED_SPECTRUM} from './shippedSpectrum';

/** Mean magnitude of waves by their frequency. Plain data. */
export interface Spectrum {
  readonly kind: 'spectrum';
  /** What it was measured on. */
  readonly source: string;
  /**
   * A row a direction of colour (brightness first; one row serves all), a column a frequency: the amplitude of a wave of that frequency in the
   * picture before its sigmoid, at a picture of `side` pixels.
   */
  readonly magnitudes: readonly (readonly number[])[];
  /** Mean of each direction of colour, before the sigmoid. */
  readonly means: readonly number[];
  /** Frequency of each column, in cycles per pixel, ascending from above 0 to 0.5 or more. */
  readonly frequencies: readonly number[];
  readonly side: number;
}

export interface SpectrumOptions {
  /** Side of the square pictures that are measured, in pixels. @default 48 */
  side?: number;
  /** Pictures that are measured, spread over the list. @default 200 */
  count?: number;
}

const BINS = 24;
/** Pixels are kept so far from black and white, where a sigmoid's inverse has no value. */
const EDGE = 0.02;

/** The spectrum that is shipped, of the demo's drawn pictures. */
export const DEMO_SPECTRUM: Spectrum = SHIPPED_SPECTRUM;

/**
 * The mean magnitude of waves in some of the images, by frequency: over directions of the wave, and over images (Fel et al. 2023, "Unlocking
 * Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization", section 3).
 * @throws InputError for an invalid option, or where no image can be read
 */
export async function imageSpectrum(
  images: LabelledImages,
  {side = 48, count = 200}: SpectrumOptions = {},
): Promise<Spectrum> {
  for (const [name, value, least] of [
    ['side', side, 4],
    ['count', count, 1],
  ] as const) {
    if (!Number.isInteger(value) || value < least)
      throw new InputError(`invalid ${name}: ${value}; it is a whole number from ${least}`);
  }
  const total = images.paths.length;
  const chosen = Math.min(count, total);
  const frequencies = Array.from({length: BINS}, (_, bin) => ((bin + 0.5) * Math.SQRT1_2) / BINS);
  const sums = [0, 1, 2].map(() => new Float64Array(BINS));
  const means = [0, 0, 0];
  const waves = new Float64Array(BINS);
  let measured = 0;
  for (let n = 0; n < chosen; n++) {
    const index = Math.floor((n * total) / chosen);
    const pixels = await images.pixels(index, {height: side, width: side, shorterSide: side}).catch(() => undefined);
    if (!pixels) continue;
    measured++;
    planesOf(pixels).forEach((plane, c) => {
      means[c] += plane.reduce((sum, value) => sum + value, 0) / plane.length;
      amplitudes(plane, side, (frequency, amplitude) => {
        const bin = binOf(frequency);
        sums[c][bin] += amplitude;
        if (c === 0) waves[bin]++;
      });
    });
  }
  if (measured === 0) throw new InputError(`no image of ${images.name} can be read; give others for the spectrum`);
  const filled = frequencies.map((_, bin) => bin).filter((bin) => waves[bin] > 0);
  return {
    kind: 'spectrum',
    source: `${measured} images of ${images.name}`,
    magnitudes: sums.map((sum) => filled.map((bin) => sum[bin] / waves[bin])),
    means: means.map((sum) => sum / measured),
    frequencies: filled.map((bin) => frequencies[bin]),
    side,
  };
}

const binOf = (frequency: number) => Math.min(BINS - 1, Math.floor(frequency * BINS * Math.SQRT2));

/** An image before its sigmoid in uncorrelated colours: three planes. @param pixels [side, side, 3], 0..255 */
function planesOf(pixels: Uint8Array): Float32Array[] {
  const count = pixels.length / 3;
  const planes = [0, 1, 2].map(() => new Float32Array(count));
  for (let at = 0; at < count; at++) {
    const before = [0, 1, 2].map((c) => logOdds(pixels[3 * at + c] / 255)) as [number, number, number];
    fromColours(before).forEach((value, c) => (planes[c][at] = value));
  }
  return planes;
}

/** The inverse of the sigmoid, a little inside 0..1. */
export function logOdds(share: number): number {
  const inside = Math.min(1 - EDGE, Math.max(EDGE, share));
  return Math.log(inside / (1 - inside));
}

/** Each wave but the constant once, by its frequency in cycles per pixel and its amplitude. @param plane [side, side] */
function amplitudes(plane: Float32Array, side: number, take: (frequency: number, amplitude: number) => void): void {
  const [cosines, sines] = ['cos', 'sin'].map((name) =>
    Float32Array.from({length: side * side}, (_, at) => {
      const phase = (2 * Math.PI * ((Math.floor(at / side) * (at % side)) % side)) / side;
      return name === 'cos' ? Math.cos(phase) : Math.sin(phase);
    }),
  );
  const [real, imaginary] = tf.tidy(() => {
    const x = tf.tensor2d(plane, [side, side]); // [y, x]
    const [c, s] = [cosines, sines].map((matrix) => tf.tensor2d(matrix, [side, side])); // [frequency, position]
    const [alongC, alongS] = [c, s].map((matrix) => tf.matMul(x, matrix, false, true)); // [y, v]
    return [
      tf.sub(tf.matMul(c, alongC), tf.matMul(s, alongS)).dataSync(),
      tf.add(tf.matMul(c, alongS), tf.matMul(s, alongC)).dataSync(),
    ];
  });
  const half = side / 2;
  for (let u = 0; u < side; u++) {
    for (let v = 0; v <= half; v++) {
      const alone = v === 0 || v === half;
      if ((u === 0 && v === 0) || (alone && u > half)) continue; // the constant, and what is another wave's mirror
      const at = u * side + v;
      const self = alone && (u === 0 || u === half);
      const amplitude = ((self ? 1 : 2) * Math.hypot(real[at], imaginary[at])) / (side * side);
      take(Math.hypot(Math.min(u, side - u), v) / side, amplitude);
    }
  }
}

/**
 * Amplitude of a frequency at a picture of another size: between the measured ones in proportion, and beyond them as the outermost two go on. A
 * larger picture has more waves in the same band, each the weaker.
 * @param frequency cycles per pixel of the picture that is made
 */
export function magnitudeAt(spectrum: Spectrum, colour: number, frequency: number, side: number): number {
  const {frequencies, magnitudes, side: measured} = spectrum;
  const row = magnitudes[Math.min(colour, magnitudes.length - 1)];
  // Patterns keep their size in the picture, not in pixels.
  const wanted = (frequency * side) / measured;
  const last = frequencies.length - 1;
  if (last === 0) return row[0];
  let at = frequencies.findIndex((own) => own >= wanted);
  if (at <= 0) at = at < 0 ? last : 1;
  const [low, high] = [frequencies[at - 1], frequencies[at]];
  const share = (Math.log(wanted) - Math.log(low)) / (Math.log(high) - Math.log(low));
  return row[at - 1] * (row[at] / row[at - 1]) ** share;
}
