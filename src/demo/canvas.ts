import type {Random} from '../common/random';

/** Painting on RGB values 0..1, [height, width, 3], pixel by pixel. */

/** Paints one pixel as far as a figure covers it, with an edge one pixel wide; the distance is in pixels. */
export function cover(canvas: Float64Array, at: number, pixels: number, colour: readonly number[]): void {
  if (pixels >= 0.5) return;
  const coverage = Math.min(1, 0.5 - pixels);
  for (let i = 0; i < 3; i++) canvas[at + i] += coverage * (colour[i] - canvas[at + i]);
}

/**
 * Contrast, brightness and noise of a camera, then whole numbers 0..255.
 * @param mostNoise the noise's deviation is between 0 and this
 */
export function expose(canvas: Float64Array, random: Random, mostNoise = 0.1): Uint8Array {
  const contrast = random.uniform(0.75, 1.15);
  const brightness = random.uniform(-0.1, 0.1);
  const deviation = random.uniform(0, mostNoise);
  const pixels = new Uint8Array(canvas.length);
  for (let i = 0; i < canvas.length; i++) {
    const value = (canvas[i] - 0.5) * contrast + 0.5 + brightness + deviation * noise(random);
    pixels[i] = Math.floor(255 * Math.min(1, Math.max(0, value)) + 0.5);
  }
  return pixels;
}

/** Deviation of the sum of four uniform bytes: √(4 · (256² − 1) / 12). */
const FOUR_BYTES = Math.sqrt((4 * (256 * 256 - 1)) / 12);

/** A number with mean 0, standard deviation 1 and nearly a normal law: the centred sum of four bytes, by whole numbers alone. */
export function noise(random: Random): number {
  const word = random.word();
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / FOUR_BYTES;
}
