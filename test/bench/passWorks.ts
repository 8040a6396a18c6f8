import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import {loadModel} from '../../src/formats/load';
import {imageBatches, imageFolder, imagesFromPixels} from '../../src/images';
import {decodePool} from '../../src/images/decodePool';
import type {LabelledImages} from '../../src/images/types';
import {shapesOf} from '../../src/network/operators';
import {weightOf} from '../../src/network/graph';
import type {Model} from '../../src/network/types';
import {actGrad, gradCam, integratedGradients, lrp, smoothGrad} from '../../src/pass/attribution';
import {runPass} from '../../src/pass/runPass';
import type {Attribution} from '../../src/pass/types';
import {collectLayers} from '../../src/relevance/layers';
import {collectRelevance} from '../../src/relevance/collect';
import {costOf, median, scaled, type Cost} from './processorTime';
import {randomResNet50} from './randomResNet50';
import {readTfjsModel} from './tfjsModel';
import type {Torch} from './torch';

export const SHARED = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const BATCH = 16;
const PRESET = {name: 'bench', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]} as const;
const quiet = {progress: false as const, batchSize: BATCH, preset: PRESET};

export interface Network {
  model: Model;
  /** Early to late; the last one is what one layer means. */
  layers: [string, string, string];
  predict?: tfl.LayersModel;
}

export const OPEN: Record<string, () => Promise<Network>> = {
  resnet20: async () => ({
    model: await loadModel(path.join(SHARED, 'models/resnet20-12fca82f.th')),
    layers: ['layer3.0.conv2', 'layer3.1.conv2', 'layer3.2.conv2'],
  }),
  mobilenet: async () => {
    const folder = path.join(SHARED, 'models/mobilenet_v1_0.75_224');
    const layers: Network['layers'] = ['conv_pw_11', 'conv_pw_12', 'conv_pw_13'];
    return {model: await loadModel(folder), layers, predict: await readTfjsModel(folder)};
  },
  resnet50: () =>
    Promise.resolve({model: randomResNet50(), layers: ['layer4.0.conv3', 'layer4.1.conv3', 'layer4.2.conv3']}),
};

const className = (label: number) => `class${String(label).padStart(2, '0')}`;

/** Photographs by chance, as pixels and as JPEG files 1.7 times as large. */
async function pictures(
  model: Model,
  folder: string,
  count: number,
): Promise<{memory: LabelledImages; files: LabelledImages}> {
  const [height, width] = model.inputShape;
  const labels = Array.from({length: count}, (_, index) => index % Math.min(model.classes, 16));
  const noise = {type: 'gaussian', mean: 128, sigma: 40} as const;
  const size = {width: Math.round(1.7 * width), height: Math.round(1.7 * height)};
  const pixels: Uint8Array[] = [];
  for (const [index, label] of labels.entries()) {
    const own = path.join(folder, className(label));
    await mkdir(own, {recursive: true});
    const picture = sharp({create: {...size, channels: 3, background: 'grey', noise}}).blur(1.5);
    await picture.jpeg({quality: 90}).toFile(path.join(own, `${index}.jpg`));
    pixels.push(new Uint8Array(await picture.resize(width, height, {fit: 'fill'}).raw().toBuffer()));
  }
  const paths = labels.map((label, index) => `class${label}/${index}`);
  const memory = imagesFromPixels({name: 'pixels', pixels, height, width, labels, paths, preset: PRESET});
  const labelFile = `${folder}.json`;
  await writeFile(
    labelFile,
    JSON.stringify(Object.fromEntries(labels.map((k, index) => [`${className(k)}/${index}.jpg`, k]))),
  );
  return {memory, files: await imageFolder(folder, {preset: PRESET, labels: labelFile})};
}

/** Multiplications and additions of a forward pass of one image, each counted. */
export function operations({graph}: Model): number {
  const shapes = shapesOf(graph);
  return graph.nodes.reduce((sum, node) => {
    const kernel = ['Conv2D', 'Dense', 'DepthwiseConv2D'].includes(node.operator) && weightOf(node, 'kernel');
    if (!kernel) return sum;
    const positions = shapes
      .get(node.name)!
      .slice(0, -1)
      .reduce((product, length) => product * length, 1);
    return sum + 2 * positions * kernel.data.length;
  }, 0);
}

/** Operations a second of a product of two matrices of 1024 × 1024. */
export async function matmulPeak(): Promise<number> {
  const [a, b] = [tf.randomNormal([1024, 1024]), tf.randomNormal([1024, 1024])] as tf.Tensor2D[];
  const times: number[] = [];
  for (let n = 0; n < 8; n++) {
    const start = performance.now();
    const product = tf.matMul(a, b);
    await product.data();
    product.dispose();
    times.push((performance.now() - start) / 1000);
  }
  tf.dispose([a, b]);
  return (2 * 1024 ** 3) / Math.min(...times);
}

/** Milliseconds an image, and what they are to those of the folded forward pass in the same round: medians. */
export interface Row {
  ms: number;
  ratio: number;
  processorMs: number;
  processorRatio: number;
}

export interface Measured {
  rows: Record<string, Row>;
  /** The most memory that this process had, in bytes. */
  memory: number;
  /** Layout in which PyTorch was faster. */
  layout?: string;
}

/** All ways through the network, taking turns. */
export async function measureNetwork(
  name: string,
  {rounds, images, torch}: {rounds: number; images: number; torch?: Torch},
): Promise<Measured> {
  const {model, layers, predict} = await OPEN[name]();
  const layer = layers[2];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-bench-'));
  // Of small networks more, so that what a call costs by itself does not count.
  const count = model.inputShape[0] < 100 ? 8 * images : images;
  const {memory, files} = await pictures(model, folder, count);
  const logits = {
    init: () => undefined,
    measure: (batch: {network: unknown; logits(): tf.Tensor2D}) => ({logits: tf.clone(batch.logits())}),
    add: () => {},
  };
  const [height, width, channels] = model.inputShape;
  const batchOf = (all: (x: tf.Tensor4D) => tf.Tensor) => async () => {
    for (let first = 0; first < count; first += BATCH) {
      const result = tf.tidy(() => all(tf.zeros([Math.min(BATCH, count - first), height, width, channels])));
      await result.data();
      result.dispose();
    }
  };
  const pass =
    (attribution: Attribution, more: object = {}) =>
    () =>
      collectRelevance(model, memory, {...quiet, layer, attribution, gates: false, ...more});
  const fromFiles = {...PRESET, shorterSide: height};
  const decodedForward = async () => {
    for await (const {pixels, shape} of imageBatches(files, {
      inputShape: model.inputShape,
      batchSize: BATCH,
      preset: fromFiles,
    })) {
      const result = tf.tidy(() => model.logits(tf.tensor4d(pixels, shape)));
      await result.data();
      result.dispose();
    }
  };
  const works: Record<string, () => Promise<unknown>> = {
    'folded forward': batchOf((x) => model.logits(x)),
    ...(predict && {'tfjs predict': batchOf((x) => predict.predict(x) as tf.Tensor)}),
    'forward in a pass': () => runPass(model, memory, {...quiet, layers: [layer]}, [logits]),
    'one pass': pass(actGrad),
    'one pass, gated sums': pass(actGrad, {gates: true}),
    'folded forward, JPEG files': decodedForward,
    'one pass, JPEG files': () => collectRelevance(model, files, {...quiet, preset: fromFiles, layer, gates: false}),
    'three layers': () => collectLayers(model, memory, {...quiet, layers, gates: false}),
    'three layers, gated sums': () => collectLayers(model, memory, {...quiet, layers, gates: true}),
    'Grad-CAM': pass(gradCam),
    'LRP composite': pass(lrp()),
    'LRP gamma': pass(lrp({gamma: 0.25})),
    'integrated gradients, 8 steps': pass(integratedGradients({steps: 8})),
    'SmoothGrad, n 8': pass(smoothGrad({n: 8})),
  };
  const costs: Record<string, Cost[]> = {};
  let memoryPeak = 0;
  let layout: string | undefined;
  for (const work of Object.values(works)) await work(); // compiles, warms caches
  for (let round = 0; round < rounds; round++) {
    for (const [what, work] of Object.entries(works)) {
      (costs[what] ??= []).push(scaled(await costOf(work, () => decodePool().pids()), 1 / count));
      memoryPeak = Math.max(memoryPeak, process.memoryUsage().rss);
    }
    if (torch && name !== 'resnet20') {
      const found = await torch.forward(name, count);
      layout = found.layout;
      (costs['PyTorch’s forward'] ??= []).push(found);
    }
  }
  model.dispose();
  predict?.dispose();
  await rm(folder, {recursive: true, force: true});
  await rm(`${folder}.json`, {force: true});
  const base = costs['folded forward'];
  const rows = Object.entries(costs).map(([what, list]): [string, Row] => [
    what,
    {
      ms: median(list.map(({wall}) => wall)),
      ratio: median(list.map(({wall}, n) => wall / base[n].wall)),
      processorMs: median(list.map(({processor}) => processor)),
      processorRatio: median(list.map(({processor}, n) => processor / base[n].processor)),
    },
  ]);
  return {rows: Object.fromEntries(rows), memory: memoryPeak, ...(layout && {layout})};
}
