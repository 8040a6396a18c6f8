/**
 * Transformation robustness: at each step the network sees the image through another view, so that a pattern which works only
 * pixel by pixel is of no use (Olah et al. 2017, section "Three Families of Regularization").
 *
 * Transforms are plain data. All those of a step make one affine map, so that the image is interpolated once.
 */
import {InputError} from '../common/errors';
import type {Random} from '../common/random';
import {IDENTITY, type View} from './resample';

export type Transform =
  /** Draws the image smaller, with a border of `pixels` on each side (of the shorter axis, in pixels of the image). */
  | {readonly kind: 'pad'; readonly pixels: number}
  /** Moves it by whole pixels, up to so many along each axis. */
  | {readonly kind: 'jitter'; readonly pixels: number}
  /** Enlarges it by a factor between the two, evenly by its logarithm. */
  | {readonly kind: 'scale'; readonly from: number; readonly to: number}
  /** Turns it by an angle up to so many degrees either way. */
  | {readonly kind: 'rotate'; readonly degrees: number};

export const pad = (pixels: number): Transform => ({kind: 'pad', pixels});
export const jitter = (pixels: number): Transform => ({kind: 'jitter', pixels});
export const scale = (from: number, to: number): Transform => ({kind: 'scale', from, to});
export const rotate = (degrees: number): Transform => ({kind: 'rotate', degrees});

/** @throws InputError for a transform that cannot be drawn at this size */
export function checkTransforms(transforms: readonly Transform[], size: readonly [number, number]): void {
  const side = Math.min(...size);
  for (const transform of transforms) {
    const refuse = (value: unknown, valid: string) => {
      throw new InputError(`invalid transform ${transform.kind}: ${value}; ${valid}`);
    };
    switch (transform.kind) {
      case 'pad':
      case 'jitter':
        if (!(transform.pixels >= 0 && transform.pixels <= side)) refuse(transform.pixels, `it is 0 to ${side} pixels`);
        break;
      case 'scale':
        if (!(transform.from >= 0.1 && transform.to >= transform.from && transform.to <= 10)) {
          refuse(`${transform.from} to ${transform.to}`, 'two factors from 0.1 to 10, the smaller one first');
        }
        break;
      case 'rotate':
        if (!(transform.degrees >= 0 && transform.degrees <= 180)) refuse(transform.degrees, 'it is 0 to 180 degrees');
        break;
      default:
        refuse((transform as {kind: unknown}).kind, 'transforms are pad, jitter, scale and rotate');
    }
  }
}

/** The view that one draw of the transforms gives, applied to the image in their order. */
export function drawView(transforms: readonly Transform[], random: Random, size: readonly [number, number]): View {
  return transforms.reduce((view, transform) => compose(view, inverseOf(transform, random, size)), IDENTITY);
}

/** From the pixel that is seen after the transform to the one before it. */
function inverseOf(transform: Transform, random: Random, size: readonly [number, number]): View {
  switch (transform.kind) {
    case 'pad': {
      const side = Math.min(...size);
      return zoom((side + 2 * transform.pixels) / side);
    }
    case 'jitter': {
      const [down, right] = [0, 0].map(() => Math.round(random.uniform(-transform.pixels, transform.pixels)));
      return {...IDENTITY, e: down, f: right};
    }
    case 'scale':
      return zoom(1 / Math.exp(random.uniform(Math.log(transform.from), Math.log(transform.to))));
    case 'rotate': {
      const angle = (random.uniform(-transform.degrees, transform.degrees) * Math.PI) / 180;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      return {a: cos, b: -sin, c: sin, d: cos, e: 0, f: 0};
    }
  }
}

const zoom = (factor: number): View => ({...IDENTITY, a: factor, d: factor});

/** outer ∘ inner */
function compose(outer: View, inner: View): View {
  const {a, b, c, d} = outer;
  return {
    a: a * inner.a + b * inner.c,
    b: a * inner.b + b * inner.d,
    c: c * inner.a + d * inner.c,
    d: c * inner.b + d * inner.d,
    e: a * inner.e + b * inner.f + outer.e,
    f: c * inner.e + d * inner.f + outer.f,
  };
}
