/**
 * A picture that is changed where it excites a unit, instead of a picture from nothing: what is optimised are waves that are added to it
 * (feature accentuation, Hamblin et al. 2024, "Feature Accentuation: Revealing 'What' Features Respond to in Natural Images"). As in the paper
 * and its code (`render_vis` of faccent, `accent_reg_layer` and `accent_reg_alpha`), the picture is kept by its distance at a layer of the
 * network, picture and original seen through the same views, the two gradients balanced once at the start. No pixel may move by more than
 * `strength` either.
 */
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../common/errors';
import type {RgbImage} from '../images/resize';
import type {LabelledImages} from '../images/types';
import {checkPositive, waveSum, type FourierOptions, type Parametrisation} from './parametrisation';

export interface AccentuationOptions extends Omit<FourierOptions, 'std' | 'deviation'> {
  /** How far each pixel's log odds, log(v / (1 − v)) of its value v from 0 to 1, may move. @default 2 */
  strength?: number;
  /**
   * The layer at which the picture is to stay what it was: an early one keeps its details, a late one its content. Without one, only `strength`
   * keeps it. @default none
   */
  layer?: string;
  /** How strongly that distance counts: at 1 its gradient is as large as that of the objective, at the start; the picture then hardly changes. @default 0.5 */
  weight?: number;
}

/** Values are kept so far from 0 and 1 that their log odds are finite. */
const MARGIN = 0.01;

/**
 * image = sigmoid(log odds of the picture + s · tanh(Σ p · gain(frequency) · wave / s)), with all p = 0 first: the picture itself.
 * @param picture of the size that is visualised, as `imageAt` gives it
 * @throws InputError for an option that is not above 0; on start, for a picture of another size
 */
export function accentuation(
  picture: RgbImage,
  {strength = 2, falloff = 1, cutoff = 0.35, decorrelate = true, layer, weight = 0.5}: AccentuationOptions = {},
): Parametrisation {
  checkPositive({strength, cutoff, weight});
  return {
    name: `a picture changed by at most ${strength}${layer === undefined ? '' : `, kept near at ${layer}`}`,
    nearAt: layer,
    start(shape, random) {
      const [, height, width, channels] = shape;
      if (picture.width !== width || picture.height !== height || picture.data.length !== 3 * width * height) {
        throw new InputError(
          `the picture has ${picture.width} × ${picture.height} pixels and the visualisation ${width} × ${height}; give features.imageAt(images, index, [${height}, ${width}])`,
        );
      }
      const waves = waveSum(shape, random, {std: 0, falloff, cutoff, decorrelate});
      const base = tf.tidy(() => tf.tensor4d(logOdds(picture, channels), [1, height, width, channels]));
      const original = tf.sigmoid(base); // [1, H, W, C]
      return {
        variables: waves.variables,
        ...(layer !== undefined && {near: {weight, picture: original}}),
        images: () =>
          tf.tidy(() => {
            const moved = tf.mul(tf.tanh(tf.div(waves.plane(), strength)), strength); // [B, H, W, C]
            return tf.sigmoid(tf.add(base, moved)) as tf.Tensor4D;
          }),
        dispose() {
          waves.dispose();
          tf.dispose([base, original]);
        },
      };
    },
  };
}

/**
 * One of the user's pictures as visualisations take it: its shorter side becomes that of the size, and the centre is cut out.
 * @param size [height, width], such as the model's input
 * @throws UnreadableImageError where it cannot be read; InputError for a place that the list lacks
 */
export async function imageAt(
  images: LabelledImages,
  index: number,
  [height, width]: readonly [height: number, width: number],
): Promise<RgbImage> {
  if (!(index in images.paths)) {
    throw new InputError(`no image ${index} in ${images.name}; it has images 0 to ${images.paths.length - 1}`);
  }
  const data = await images.pixels(index, {height, width, shorterSide: Math.min(height, width)});
  return {data, width, height};
}

/** [H, W, C] */
function logOdds({data, width, height}: RgbImage, channels: number): Float32Array {
  return Float32Array.from({length: width * height * channels}, (_, at) => {
    const [pixel, c] = [Math.floor(at / channels), at % channels];
    const grey = (data[3 * pixel] + data[3 * pixel + 1] + data[3 * pixel + 2]) / 3;
    const value = Math.min(1 - MARGIN, Math.max(MARGIN, (channels === 1 ? grey : data[3 * pixel + c]) / 255));
    return Math.log(value / (1 - value));
  });
}
