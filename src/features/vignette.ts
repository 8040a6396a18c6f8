/**
 * One thing in the middle of a grey picture, in quiet colours. A network that averages over positions is pleased by a pattern wherever it
 * stands, so that a picture without a frame fills with pieces of it; inside a disc the pieces come together to a whole, which a person
 * recognises more often (test/bench/README.md, "Feature visualisations that a person names").
 */
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import {checkPositive, fourier, type Parametrisation} from './parametrisation';

export interface VignetteOptions {
  /** Radius of the disc as a share of height and width; from about 0.7 on, it covers the picture. @default 0.36 */
  radius?: number;
  /** How much of the difference between a pixel's colours and their mean stays: 0 gives a grey picture, 1 all colours. @default 0.4 */
  saturation?: number;
}

/** Over this share of the side, the disc fades to grey. */
const FADE = 0.04;

/**
 * image = ½ + disc · (mean over colours + saturation · (image − that mean) − ½), with disc = sigmoid((radius − r) / 0.04) and r the distance
 * from the centre in sides of the picture.
 * @param inner what makes the image. @default fourier({cutoff: 0.2})
 * @throws InputError for a radius that is not above 0, or a saturation that is not from 0 to 1
 */
export function vignette(
  inner: Parametrisation = fourier({cutoff: 0.2}),
  {radius = 0.36, saturation = 0.4}: VignetteOptions = {},
): Parametrisation {
  checkPositive({radius});
  if (!(saturation >= 0 && saturation <= 1)) {
    throw new InputError(`invalid saturation: ${saturation}; it is a number from 0 to 1`);
  }
  return {
    name: `${inner.name}, in a disc of radius ${radius}`,
    start(shape, random) {
      const made = inner.start(shape, random);
      const [, height, width] = shape;
      const disc = tf.tensor4d(discOf(height, width, radius), [1, height, width, 1]);
      return {
        variables: made.variables,
        images: () =>
          tf.tidy(() => {
            const image = made.images(); // [B, H, W, C]
            const grey = tf.mean(image, 3, true); // [B, H, W, 1]
            const quiet = tf.add(grey, tf.mul(tf.sub(image, grey), saturation)); // [B, H, W, C]
            return tf.add(tf.mul(disc, tf.sub(quiet, 0.5)), 0.5) as tf.Tensor4D;
          }),
        dispose() {
          made.dispose();
          disc.dispose();
        },
      };
    },
  };
}

/** [H, W]: 1 inside, 0 outside. */
function discOf(height: number, width: number, radius: number): Float32Array {
  return Float32Array.from({length: height * width}, (_, at) => {
    const y = (Math.floor(at / width) + 0.5) / height - 0.5;
    const x = ((at % width) + 0.5) / width - 0.5;
    return 1 / (1 + Math.exp((Math.hypot(y, x) - radius) / FADE));
  });
}
