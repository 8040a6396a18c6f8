import * as tf from '@tensorflow/tfjs-core';
import {asPositions, visitedPositions, type LinearLayer} from '../network/linearLayer';

/**
 * T[tap, i] = Σ X_i over the positions that the tap visits; zero padding contributes nothing. A tap at (a, b) visits the rows of a
 * and the columns of b, so the sum is two small matrix products with 0/1 matrices instead of kh·kw passes over the input.
 * @param input X, [B, H, W, Cin] or [B, Cin]
 * @returns [B, kh·kw, Cin]
 */
export function inputSums(layer: LinearLayer, input: tf.Tensor): tf.Tensor3D {
  const [kh, kw, channels] = layer.shape;
  return tf.tidy(() => {
    const x = asPositions(input); // [B, H, W, Cin]
    const [batch, height, width] = x.shape;
    const rows = visitCounts(layer, 0, height); // [kh, H]
    const columns = visitCounts(layer, 1, width); // [kw, W]
    if (rows.everyOnce && columns.everyOnce && kh * kw === 1) {
      return tf.reshape(tf.sum(x, [1, 2]), [batch, 1, channels]); // [B, 1, Cin]
    }
    const overColumns = tf.matMul(
      tf.tensor3d(columns.counts, [1, kw, width]),
      tf.reshape(x, [batch * height, width, channels]),
    ); // [B·H, kw, Cin]
    const overRows = tf.matMul(
      tf.tensor3d(rows.counts, [1, kh, height]),
      tf.reshape(overColumns, [batch, height, kw * channels]),
    ); // [B, kh, kw·Cin]
    return tf.reshape(overRows, [batch, kh * kw, channels]); // [B, kh·kw, Cin]
  });
}

/** How often each tap visits each position of an axis, [taps, size]. */
function visitCounts(layer: LinearLayer, axis: 0 | 1, size: number): {counts: Float32Array; everyOnce: boolean} {
  const counts = new Float32Array(layer.shape[axis] * size);
  visitedPositions(layer, axis, size).forEach((positions, tap) => {
    for (const position of positions) if (position >= 0) counts[tap * size + position] += 1;
  });
  return {counts, everyOnce: counts.every((count) => count === 1)};
}
