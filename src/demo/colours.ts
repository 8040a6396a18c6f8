import type {Random} from './random';

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

/** How far two colours' lumas are apart at least: between paint and background, between the first two paints, and of the second paint from the background. */
const CLEAR = 0.28;
const FAINT = 0.15;

/** Draws before a colour is taken that is not far enough from the others; it happens to about one palette in a million. */
const TRIES = 60;

export function randomPalette(random: Random): Palette {
  const background = fromHsv(random.uniform(0, 1), random.uniform(0, 0.8), random.uniform(0.1, 0.95));
  const paint = (...apart: [Colour, number][]): Colour => {
    let colour = randomPaint(random);
    for (let i = 1; i < TRIES && apart.some(([other, gap]) => Math.abs(luma(colour) - luma(other)) < gap); i++) {
      colour = randomPaint(random);
    }
    return colour;
  };
  const first = paint([background, CLEAR]);
  const second = paint([first, CLEAR], [background, FAINT]);
  const third = paint([background, CLEAR]);
  return {background, paints: [first, second, third]};
}

function randomPaint(random: Random): Colour {
  return fromHsv(random.uniform(0, 1), random.uniform(0.15, 1), random.uniform(0.1, 1));
}
