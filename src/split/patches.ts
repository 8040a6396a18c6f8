import * as tf from '@tensorflow/tfjs-core';
import {asPositions, windowsOf, type LinearLayer} from '../network/linearLayer';
import type {SecondMoment} from './types';

/** Values that a tensor of patches may hold: 64 MB, so that a large feature map is gone through image by image. */
const CHUNK_VALUES = 2 ** 24;

/**
 * What the layer reads at each position: x with Z_c = W_c·x, ordered as the kernel, [taps, Cin].
 * @param input X, [B, H, W, Cin] or [B, Cin]
 * @returns [B·H'·W', taps·Cin]
 */
export function patches(layer: LinearLayer, input: tf.Tensor): tf.Tensor2D {
  const [kh, kw, channels] = layer.shape;
  return tf.tidy(() => {
    const x = asPositions(input); // [B, H, W, Cin]
    const [batch, height, width] = x.shape;
    const rows = reach(layer, 0, height);
    const columns = reach(layer, 1, width);
    const padded = tf.pad(x, [[0, 0], rows.padding, columns.padding, [0, 0]]); // [B, H + …, W + …, Cin]
    const visited: tf.Tensor[] = [];
    for (let a = 0; a < kh; a++) {
      for (let b = 0; b < kw; b++) {
        const [top, left] = [a * layer.dilation[0], b * layer.dilation[1]];
        const end = [batch, top + rows.extent, left + columns.extent, channels];
        visited.push(tf.stridedSlice(padded, [0, top, left, 0], end, [1, ...layer.strides, 1])); // [B, H', W', Cin]
      }
    }
    const side = visited.length === 1 ? visited[0] : tf.concat(visited, 3); // [B, H', W', taps·Cin]
    return tf.reshape(side, [-1, kh * kw * channels]); // [B·H'·W', taps·Cin]
  });
}

/**
 * What the layer reads at one position of each image.
 * @param input X, [B, H, W, Cin] or [B, Cin]
 * @param at the position of each image, row·W' + column of the layer's output, [B] int32
 * @returns [B, taps, Cin]
 */
export function patchesAt(layer: LinearLayer, input: tf.Tensor, at: tf.Tensor1D): tf.Tensor3D {
  const [kh, kw, channels] = layer.shape;
  return tf.tidy(() => {
    const x = asPositions(input); // [B, H, W, Cin]
    const [batch, height, width] = x.shape;
    const [rows, columns] = [reach(layer, 0, height), reach(layer, 1, width)];
    const padded = tf.pad(x, [[0, 0], rows.padding, columns.padding, [0, 0]]); // [B, H + …, W + …, Cin]
    const [, tall, wide] = padded.shape;
    const outputs = tf.scalar(windowsOf(layer, 1, width).output, 'int32');
    const top = tf.mul(tf.floorDiv(at, outputs), layer.strides[0]); // [B]
    const left = tf.mul(tf.mod(at, outputs), layer.strides[1]); // [B]
    const image = tf.mul(tf.range(0, batch, 1, 'int32'), tall * wide); // [B]
    const corner = tf.add(image, tf.add(tf.mul(top, wide), left)); // [B]
    const taps = Int32Array.from({length: kh * kw}, (_, tap) => {
      return Math.floor(tap / kw) * layer.dilation[0] * wide + (tap % kw) * layer.dilation[1];
    });
    const places = tf.add(tf.expandDims(corner, 1), tf.tensor2d(taps, [1, kh * kw], 'int32')); // [B, taps]
    const flat = tf.reshape(padded, [-1, channels]); // [B·H·W, Cin]
    return tf.gather(flat, tf.cast(places, 'int32')) as tf.Tensor3D; // [B, taps, Cin]
  });
}

/** Zero padding before and after an axis, and from the first to the last position that one tap visits. */
function reach(layer: LinearLayer, axis: 0 | 1, size: number): {padding: [number, number]; extent: number} {
  const {before, after, output} = windowsOf(layer, axis, size);
  return {padding: [before, after], extent: (output - 1) * layer.strides[axis] + 1};
}

/** Runs `visit` on the patches of a few images at a time; the tensor is disposed of afterwards. */
export async function eachPatchChunk(
  layer: LinearLayer,
  input: tf.Tensor,
  visit: (patches: tf.Tensor2D) => Promise<void>,
): Promise<void> {
  const [images, height, width] = asShape(input);
  const size = layer.shape[0] * layer.shape[1] * layer.shape[2];
  const perChunk = Math.max(1, Math.floor(CHUNK_VALUES / (height * width * size)));
  for (let from = 0; from < images; from += perChunk) {
    const chunk = tf.tidy(() => {
      const x = asPositions(input); // [B, H, W, Cin]
      return patches(layer, tf.slice(x, [from, 0, 0, 0], [Math.min(perChunk, images - from), -1, -1, -1]));
    });
    try {
      await visit(chunk);
    } finally {
      chunk.dispose();
    }
  }
}

/** B, H, W of a layer's input. */
function asShape({shape}: tf.Tensor): [number, number, number] {
  return shape.length === 4
    ? [shape[0], shape[1], shape[2]]
    : [shape[0], 1, shape.slice(1, -1).reduce((product, size) => product * size, 1)];
}

/** A running Σ x xᵀ and Σ x over rows, on the engine; `finish` frees it. */
export interface MomentSum {
  /** @param rows [N, D] */
  add(rows: tf.Tensor2D): Promise<void>;
  /** Means over the rows; of none, zeros. */
  finish(): Promise<SecondMoment & {mean: Float64Array}>;
  dispose(): void;
}

export function momentSum(size: number): MomentSum {
  let second: tf.Tensor | undefined;
  const first = new Float64Array(size);
  let count = 0;
  return {
    async add(rows) {
      const [product, total] = tf.tidy(() => {
        const gram = tf.matMul(rows, rows, true); // [D, D]
        return [second ? tf.add(second, gram) : gram, tf.sum(rows, 0)]; // [D, D], [D]
      });
      second?.dispose();
      second = product;
      const values = await total.data();
      total.dispose();
      for (let i = 0; i < size; i++) first[i] += values[i];
      count += rows.shape[0];
    },
    async finish() {
      const sums = second ? ((await second.data()) as Float32Array) : new Float32Array(size * size);
      this.dispose();
      const scale = 1 / Math.max(count, 1);
      return {size, count, matrix: sums.map((value) => value * scale), mean: first.map((value) => value * scale)};
    },
    dispose() {
      second?.dispose();
      second = undefined;
    },
  };
}

/** E[x xᵀ] over all positions of the inputs given; undefined where there are none. */
export async function patchMoment(
  layer: LinearLayer,
  inputs: AsyncIterable<{input: tf.Tensor}>,
): Promise<SecondMoment | undefined> {
  const sum = momentSum(layer.shape[0] * layer.shape[1] * layer.shape[2]);
  try {
    for await (const {input} of inputs) await eachPatchChunk(layer, input, (chunk) => sum.add(chunk));
    const {size, count, matrix} = await sum.finish();
    return count > 0 ? {size, count, matrix} : undefined;
  } finally {
    sum.dispose();
  }
}
