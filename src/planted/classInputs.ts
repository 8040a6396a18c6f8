import * as tf from '@tensorflow/tfjs-core';
import type {LinearLayer} from '../network/linearLayer';
import {eachPatchChunk, momentSum} from '../split/patches';
import type {SecondMoment} from '../split/types';

/** The layer's inputs for the images of one class, kept so that no plant runs the network up to the layer again. */
export interface ClassInputs {
  count: number;
  /** X without the batch axis, [H, W, Cin] or [Cin]. */
  shape: number[];
  /** [count, …shape] */
  input: Float32Array;
  /** What passes the layer by, where it was kept. */
  crossing: {shape: number[]; data: Float32Array}[];
  /** T of each image, [count, taps·Cin], where it was kept. */
  sums: Float32Array;
}

/** Second moments that are kept, in bytes. */
const MOMENT_BYTES = 1e9;

/** Room for the images of a class. */
export function emptyInputs(
  count: number,
  shape: number[],
  crossing: readonly (readonly [number[], unknown])[],
  sums: number,
): ClassInputs {
  const room = (tail: number[]) => new Float32Array(count * sizeOf(tail));
  return {
    count: 0,
    shape: shape.slice(1),
    input: room(shape.slice(1)),
    crossing: crossing.map(([one]) => ({shape: one.slice(1), data: room(one.slice(1))})),
    sums: room([sums]),
  };
}

/** Row `from` of `rows` rows of the source becomes row `to` of the target. */
export function copyRow(target: Float32Array, to: number, source: Float32Array, from: number, rows: number): void {
  const length = source.length / rows;
  target.set(source.subarray(from * length, (from + 1) * length), to * length);
}

const CHUNK_VALUES = 2 ** 22;

/** Values of one image. */
export const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/**
 * Inputs of a class as tensors of at most 4 million values; each is disposed of when the loop goes on.
 * @param beside values of one image that the caller turns into tensors besides
 */
export async function* inputTensors(
  {input, shape, count}: ClassInputs,
  beside = 0,
): AsyncGenerator<{input: tf.Tensor; from: number}> {
  const size = sizeOf(shape);
  const most = Math.max(1, Math.floor(CHUNK_VALUES / Math.max(size, beside)));
  for (let from = 0; from < count; from += most) {
    const rows = Math.min(most, count - from);
    const tensor = tf.tidy(() => tf.tensor(input.subarray(from * size, (from + rows) * size), [rows, ...shape]));
    try {
      yield {input: tensor, from};
    } finally {
      tensor.dispose();
    }
  }
}

/** Class moments are made on demand; the oldest are forgotten when they take too much memory. */
export function momentCache(layer: LinearLayer, discovery: Map<number, ClassInputs>) {
  const size = layer.shape[0] * layer.shape[1] * layer.shape[2];
  const most = Math.max(1, Math.floor(MOMENT_BYTES / (4 * size * size)));
  const cache = new Map<number, SecondMoment>();
  const classMoment = async (k: number) => {
    const known = cache.get(k);
    if (known) return known;
    const sum = momentSum(size);
    for await (const {input} of inputTensors(discovery.get(k)!))
      await eachPatchChunk(layer, input, (rows) => sum.add(rows));
    const moment = await sum.finish();
    if (cache.size >= most) cache.delete(cache.keys().next().value as number);
    cache.set(k, moment);
    return moment;
  };
  return async (classes: readonly number[]): Promise<SecondMoment | undefined> => {
    if (classes.length === 0) return undefined;
    const matrix = new Float32Array(size * size);
    let count = 0;
    for (const k of classes) {
      const moment = await classMoment(k);
      count += moment.count;
      for (let at = 0; at < matrix.length; at++) matrix[at] += moment.matrix[at] / classes.length;
    }
    return {size, matrix, count};
  };
}

/** Some of the images of a class. */
export function takeImages(inputs: ClassInputs, indices: readonly number[]): ClassInputs {
  const size = sizeOf(inputs.shape);
  const input = new Float32Array(indices.length * size);
  indices.forEach((index, n) => input.set(inputs.input.subarray(index * size, (index + 1) * size), n * size));
  return {count: indices.length, shape: inputs.shape, input, crossing: [], sums: new Float32Array(0)};
}
