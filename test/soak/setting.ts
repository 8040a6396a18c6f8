import {imagesFromPixels} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import type {Graph, Weight} from '../../src/network/graph';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {lrp} from '../../src/pass/attribution';
import {collectRelevance} from '../../src/relevance/collect';
import {collectLayers} from '../../src/relevance/layers';
import type {CollectOptions} from '../../src/relevance/options';
import {uniform} from '../reference/smallNetworks';

const SIDE = 32;
const CLASSES = 10;
const PRESET = {name: 'soak', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]} as const;

/** Pictures at 32² that are made as they are asked for: a run of any length needs no disk. */
export function soakImages(count: number): LabelledImages {
  const draw = uniform(11, 0, 256);
  const noise = Uint8Array.from({length: 1 << 16}, draw);
  const labels = Int32Array.from({length: count}, (_, index) => index % CLASSES);
  return imagesFromPixels({
    name: 'pictures of the soak',
    height: SIDE,
    width: SIDE,
    labels,
    preset: PRESET,
    pixels(index) {
      // A window of the noise, and a square that tells the class.
      const size = SIDE * SIDE * 3;
      const picture = noise.slice((index * 7919) % (noise.length - size)).subarray(0, size);
      const [row, column] = [(labels[index] % 4) * 8, Math.floor(labels[index] / 4) * 8];
      for (let y = row; y < row + 8; y++) picture.fill(255, (y * SIDE + column) * 3, (y * SIDE + column + 8) * 3);
      return picture;
    },
  });
}

/** Two small convolutions and a dense layer; `studied` is the second. */
export function soakModel(): Model {
  const draw = uniform(7, -0.5, 0.5);
  const weight = (name: string, ...shape: number[]): Weight => ({
    name,
    shape,
    data: Float32Array.from({length: shape.reduce((product, size) => product * size, 1)}, draw),
  });
  const convolution = {strides: [2, 2], padding: 'same', dilationRate: [1, 1], groups: 1};
  const relu = {maxValue: null, negativeSlope: 0, threshold: 0};
  const node = (name: string, operator: string, input: string, args: object = {}, weights: Weight[] = []) => ({
    name,
    operator,
    args: args as Record<string, unknown>,
    inputs: input === '' ? [] : [input],
    weights,
  });
  const graph: Graph = {
    nodes: [
      node('image', 'InputLayer', '', {shape: [SIDE, SIDE, 3]}),
      node('first', 'Conv2D', 'image', convolution, [weight('kernel', 3, 3, 3, 8), weight('bias', 8)]),
      node('first_relu', 'ReLU', 'first', relu),
      node('studied', 'Conv2D', 'first_relu', convolution, [weight('kernel', 3, 3, 8, 12), weight('bias', 12)]),
      node('studied_relu', 'ReLU', 'studied', relu),
      node('pool', 'GlobalAveragePooling2D', 'studied_relu', {keepdims: false}),
      node('logits', 'Dense', 'pool', {}, [weight('kernel', 12, CLASSES), weight('bias', CLASSES)]),
    ],
    inputs: ['image'],
    outputs: ['logits'],
  };
  return makeModel(graph, {name: 'network of the soak', preset: PRESET});
}

/** `plain`: one layer; `all`: two layers in one pass, LRP, the size of a batch measured; gated sums in both. */
export const KINDS = ['plain', 'all'] as const;
export type Kind = (typeof KINDS)[number];

/** A pass of that kind, each layer's statistics. */
export async function soakPass(
  kind: Kind,
  images: number,
  options: Omit<CollectOptions, 'layer'>,
): Promise<RelevanceStatistics[]> {
  const [model, list] = [soakModel(), soakImages(images)];
  try {
    if (kind === 'plain') return [await collectRelevance(model, list, {batchSize: 64, ...options, layer: 'studied'})];
    const all = {batchSize: 'auto' as const, attribution: lrp(), gates: true, ...options, layers: ['first', 'studied']};
    return Object.values(await collectLayers(model, list, all));
  } finally {
    model.dispose();
  }
}

/** Every number, to the last bit; the order of fields is that of making or of loading. */
export function told(stats: readonly RelevanceStatistics[]): string {
  const sorted = (value: object) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  const plain = (key: string, value: unknown): unknown => {
    if (ArrayBuffer.isView(value))
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    // Written down where it was measured alone.
    if (key === 'batchSize') return undefined;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? sorted(value) : value;
  };
  return JSON.stringify(stats, plain);
}
