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
 * operation or its gradient, so values and gradient are plain loops here, some milliseconds per image.
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
  const shape = images.shape;
  const [, height, width, channels] = shape;
  const size = height * width * channels;
  const operation = tf.customGrad((x) => {
    const pixels = (x as tf.Tensor4D).dataSync<'float32'>();
    const seen = new Float32Array(pixels.length);
    const corners = views.map((view) => cornersOf(view, shape));
    corners.forEach(({from, weight}, image) => {
      for (let i = 0, to = image * size; i < from.length; i += 4, to += channels) {
        for (let corner = i; corner < i + 4; corner++) {
          const share = weight[corner];
          if (from[corner] < 0) {
            for (let c = 0; c < channels; c++) seen[to + c] += share * outside[image][c];
          } else {
            const source = image * size + from[corner];
            for (let c = 0; c < channels; c++) seen[to + c] += share * pixels[source + c];
          }
        }
      }
    });
    const gradFunc = (dy: tf.Tensor) => {
      const given = dy.dataSync<'float32'>();
      const gradient = new Float32Array(given.length);
      corners.forEach(({from, weight}, image) => {
        for (let i = 0, to = image * size; i < from.length; i += 4, to += channels) {
          for (let corner = i; corner < i + 4; corner++) {
            if (from[corner] < 0) continue;
            const share = weight[corner];
            const source = image * size + from[corner];
            for (let c = 0; c < channels; c++) gradient[source + c] += share * given[to + c];
          }
        }
      });
      return tf.tensor4d(gradient, shape); // [B, H, W, C]
    };
    return {value: tf.tensor4d(seen, shape), gradFunc};
  });
  return operation(images) as tf.Tensor4D;
}

/**
 * The four image pixels around the place that each pixel of a view shows, [H, W, 4]: offset of their first channel in the
 * image (−1 beyond the border) and their share.
 */
function cornersOf(
  {a, b, c, d, e, f}: View,
  [, height, width, channels]: readonly [number, number, number, number],
): {from: Int32Array; weight: Float32Array} {
  const from = new Int32Array(4 * height * width);
  const weight = new Float32Array(4 * height * width);
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  let at = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const y = a * (row - middleY) + b * (column - middleX) + e + middleY;
      const x = c * (row - middleY) + d * (column - middleX) + f + middleX;
      const top = Math.floor(y);
      const left = Math.floor(x);
      for (let corner = 0; corner < 4; corner++, at++) {
        const cornerY = top + (corner >> 1);
        const cornerX = left + (corner & 1);
        const inside = cornerY >= 0 && cornerY < height && cornerX >= 0 && cornerX < width;
        from[at] = inside ? (cornerY * width + cornerX) * channels : -1;
        weight[at] = (1 - Math.abs(y - cornerY)) * (1 - Math.abs(x - cornerX));
      }
    }
  }
  return {from, weight};
}
