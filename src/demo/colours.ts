import type {Random} from '../common/random';

/** Red, green, blue on the scale 0..1. */
export type Colour = readonly [number, number, number];

/** Brightness as the eye weighs it (ITU-R BT.601). */
export function luma([r, g, b]: Colour): number {
  return 0.299 * r + 0.587 * g + 0.114 * b;
}

/** The colour of hue, saturation and value, all in 0..1. */
export function fromHsv(hue: number, saturation: number, value: number): Colour {
  const part = (n: number) => {
    const k = (n + hue * 6) % 6;
    return value - value * saturation * Math.min(1, Math.max(0, Math.min(k, 4 - k)));
  };
  return [part(5), part(3), part(1)];
}

/** A background and three paints that can be told apart by brightness alone. */
export interface Palette {
  background: Colour;
  paints: readonly [Colour, Colour, Colour];
}

/** How far lumas are apart at least: a paint from the background or the paint it lies on, and the second from the background. */
const CLEAR = 0.28;
const FAINT = 0.15;

export function randomPalette(random: Random): Palette {
  const background = fromHsv(random.uniform(0, 1), random.uniform(0, 0.8), random.uniform(0.1, 0.95));
  for (;;) {
    const first = paintApartFrom(background, random);
    const second = randomPaint(random);
    // Beside some first paints there is no room for a second: then both are drawn again.
    if (distance(second, first) < CLEAR || distance(second, background) < FAINT) continue;
    return {background, paints: [first, second, paintApartFrom(background, random)]};
  }
}

function paintApartFrom(background: Colour, random: Random): Colour {
  for (;;) {
    const colour = randomPaint(random);
    if (distance(colour, background) >= CLEAR) return colour;
  }
}

function distance(a: Colour, b: Colour): number {
  return Math.abs(luma(a) - luma(b));
}

function randomPaint(random: Random): Colour {
  return fromHsv(random.uniform(0, 1), random.uniform(0.15, 1), random.uniform(0.1, 1));
}
