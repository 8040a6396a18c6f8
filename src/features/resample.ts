import * as tf from '@tensorflow/tfjs-core';

/**
 * Where a view looks, as an affine map from its own pixels to the image's, both counted from the centre: the view's pixel (y, x)
 * shows the image at (a·y + b·x + e, c·y + d·x + f).
 */
export interface View {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  /** Down and to the right, in pixels. */
  readonly e: number;
  readonly f: number;
}

export const IDENTITY: View = {a: 1, b: 0, c: 0, d: 1, e: 0, f: 0};

/**
 * Looks at each image through a view, by bilinear interpolation; beyond the border lies one colour. The engines lack this
 * operation or its gradient, so values and gradient are plain loops here, each image a millisecond or two.
 * @param images [B, H, W, C]
 * @param views B views
 * @param outside colour beyond the border, [B][C]
 * @returns [B, H, W, C]
 */
export function resample(
  images: tf.Tensor4D,
  views: readonly View[],
  outside: readonly (readonly number[])[],
): tf.Tensor4D {
  const operation = tf.customGrad((x) => {
    const shape = (x as tf.Tensor4D).shape;
    const seen = new Float32Array((x as tf.Tensor4D).size);
    const pixels = (x as tf.Tensor4D).dataSync();
    eachCorner(shape, views, (to, from, weight, image) => {
      for (let c = 0; c < shape[3]; c++) seen[to + c] += weight * (from < 0 ? outside[image][c] : pixels[from + c]);
    });
    const gradFunc = (dy: tf.Tensor) => {
      const given = dy.dataSync();
      const gradient = new Float32Array(dy.size);
      eachCorner(shape, views, (to, from, weight) => {
        if (from < 0) return;
        for (let c = 0; c < shape[3]; c++) gradient[from + c] += weight * given[to + c];
      });
      return tf.tensor4d(gradient, shape); // [B, H, W, C]
    };
    return {value: tf.tensor4d(seen, shape), gradFunc};
  });
  return operation(images) as tf.Tensor4D;
}

/**
 * Calls back for each pixel of the views and each of the four image pixels around the place that it shows: offsets of their first
 * channels (`from` is −1 beyond the border) and the weight of this corner.
 */
function eachCorner(
  [batch, height, width, channels]: [number, number, number, number],
  views: readonly View[],
  visit: (to: number, from: number, weight: number, image: number) => void,
): void {
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  for (let image = 0; image < batch; image++) {
    const {a, b, c, d, e, f} = views[image];
    const start = image * height * width * channels;
    let to = start;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++, to += channels) {
        const y = a * (row - middleY) + b * (column - middleX) + e + middleY;
        const x = c * (row - middleY) + d * (column - middleX) + f + middleX;
        const [top, left] = [Math.floor(y), Math.floor(x)];
        for (let corner = 0; corner < 4; corner++) {
          const [atY, atX] = [top + (corner >> 1), left + (corner & 1)];
          const weight = (1 - Math.abs(y - atY)) * (1 - Math.abs(x - atX));
          if (weight === 0) continue;
          const inside = atY >= 0 && atY < height && atX >= 0 && atX < width;
          visit(to, inside ? start + (atY * width + atX) * channels : -1, weight, image);
        }
      }
    }
  }
}
