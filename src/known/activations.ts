import * as tf from '@tensorflow/tfjs-core';
import {networkAtLayer} from '../network/networkAtLayer';
import type {Model} from '../network/types';
import {drawnAnew, type Pictures} from './images';
import {KNOWN_LAYER} from './network';
import {CLASS_PARTS, PARTS} from './parts';
import {KNOWN_SIZE, MAP_SIZE, type KnownPicture} from './pictures';

/** Positions of the studied layer's map, which are the cells of the part maps. */
export const POSITIONS = MAP_SIZE * MAP_SIZE;

/** What the studied layer reads and says at every position of some pictures, and which parts are there. */
export interface KnownActivations {
  /** Class of each picture; of pictures of one part, that part; of pictures without a part, their group, [N] */
  labels: Int32Array;
  /** The class that the network takes each picture for, [N] */
  predicted: Int32Array;
  /** X, [N, 64, Cin] */
  inputs: Float32Array;
  /** Z, [N, 64, Cout] */
  outputs: Float32Array;
  /** 1 where a part is, [N, 12, 64] */
  maps: Uint8Array;
  channels: {inputs: number; outputs: number};
  /** W, [Cin, Cout], and b */
  kernel: Float32Array;
  bias: Float32Array;
}

const BATCH = 48;

/** Of pictures of all classes, class after class. */
export const classActivations = (
  model: Model,
  set: 'train' | 'test',
  perClass: number,
  {ofClass}: Pictures = drawnAnew,
) => activationsOf(model, CLASS_PARTS, perClass, (k, index) => ofClass(set, k, index));

/** Of pictures of each part alone. */
export const singleActivations = (model: Model, perPart: number, {single}: Pictures = drawnAnew) =>
  activationsOf(
    model,
    PARTS.map((_, part) => [part]),
    perPart,
    single,
  );

/** Of pictures of the set `test` with one of their two parts left out: group 2k + j is class k without its part j. */
export const withoutActivations = (model: Model, perGroup: number, {ofClass}: Pictures = drawnAnew) =>
  activationsOf(
    model,
    CLASS_PARTS.flatMap((parts) => [parts, parts]),
    perGroup,
    (group, index) => {
      const k = Math.floor(group / 2);
      return ofClass('test', k, index, CLASS_PARTS[k][group % 2]);
    },
  );

function activationsOf(
  model: Model,
  groups: readonly (readonly number[])[],
  perGroup: number,
  picture: (group: number, index: number) => KnownPicture,
): KnownActivations {
  const network = networkAtLayer(model, KNOWN_LAYER);
  const {layer} = network;
  const [, , inputs, outputs] = layer.shape;
  const count = groups.length * perGroup;
  const all: KnownActivations = {
    labels: Int32Array.from({length: count}, (_, n) => Math.floor(n / perGroup)),
    predicted: new Int32Array(count),
    inputs: new Float32Array(count * POSITIONS * inputs),
    outputs: new Float32Array(count * POSITIONS * outputs),
    maps: new Uint8Array(count * PARTS.length * POSITIONS),
    channels: {inputs, outputs},
    kernel: layer.kernel,
    bias: layer.bias ?? new Float32Array(outputs),
  };
  const size = KNOWN_SIZE * KNOWN_SIZE * 3;
  try {
    for (let from = 0; from < count; from += BATCH) {
      const length = Math.min(BATCH, count - from);
      const pixels = new Float32Array(length * size);
      for (let b = 0; b < length; b++) {
        const group = all.labels[from + b];
        const drawn = picture(group, (from + b) % perGroup);
        for (let i = 0; i < size; i++) pixels[b * size + i] = drawn.pixels[i] / 255 - 0.5;
        groups[group].forEach((part, n) =>
          all.maps.set(
            drawn.maps.subarray(n * POSITIONS, (n + 1) * POSITIONS),
            ((from + b) * PARTS.length + part) * POSITIONS,
          ),
        );
      }
      tf.tidy(() => {
        const {input, crossing} = network.trunk(tf.tensor4d(pixels, [length, KNOWN_SIZE, KNOWN_SIZE, 3]));
        const z = network.linear(input);
        all.inputs.set(input.dataSync() as Float32Array, from * POSITIONS * inputs);
        all.outputs.set(z.dataSync() as Float32Array, from * POSITIONS * outputs);
        all.predicted.set(tf.argMax(network.head(z, crossing), 1).dataSync(), from);
      });
    }
  } finally {
    network.dispose();
  }
  return all;
}

/** Whether a picture shows one of the parts at a position. */
export function shows({maps}: KnownActivations, picture: number, position: number, parts: readonly number[]): boolean {
  return parts.some((part) => maps[(picture * PARTS.length + part) * POSITIONS + position] === 1);
}
