import * as tf from '@tensorflow/tfjs-core';

/**
 * Square root of the covariance of red, green and blue in 100 photographs of ImageNet, by its eigenvectors, divided by the length of
 * the first: a column a direction of colour, from brightness to the rarest.
 */
const PHOTOGRAPH_COLOURS = [
  [0.576, 0.232, 0.083],
  [0.581, -0.018, -0.186],
  [0.575, -0.213, 0.106],
];

/** From uncorrelated directions of colour to red, green and blue. @param images [B, H, W, 3] */
export function inColours(images: tf.Tensor4D): tf.Tensor4D {
  const rows = tf.reshape(images, [-1, 3]); // [B·H·W, 3]
  return tf.reshape(tf.matMul(rows, tf.tensor2d(PHOTOGRAPH_COLOURS), false, true), images.shape); // [B, H, W, 3]
}

/** From red, green and blue to uncorrelated directions, the inverse of `inColours`, for one pixel. */
export function fromColours([red, green, blue]: readonly [number, number, number]): [number, number, number] {
  return INVERSE.map(([a, b, c]) => a * red + b * green + c * blue) as [number, number, number];
}

const INVERSE = inverse(PHOTOGRAPH_COLOURS);

/** Of a 3 × 3 matrix, by its cofactors. */
function inverse(m: readonly number[][]): number[][] {
  const cofactor = (i: number, j: number) => {
    const [a, b] = [0, 1, 2].filter((row) => row !== i);
    const [c, d] = [0, 1, 2].filter((column) => column !== j);
    return (m[a][c] * m[b][d] - m[a][d] * m[b][c]) * ((i + j) % 2 === 0 ? 1 : -1);
  };
  const determinant = [0, 1, 2].reduce((sum, j) => sum + m[0][j] * cofactor(0, j), 0);
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / determinant));
}
