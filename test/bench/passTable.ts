/**
 * What a pass costs, all alternating in one run, so that ratios hold on a noisy machine: the folded forward pass, tfjs's own `predict`, one pass with
 * each attribution, with gated sums, over three layers, out of memory and out of JPEG files; how accumulation grows; the share of the machine's matrix
 * product. A table on stdout, and everything as JSON:
 *   npm run bench [-- --rounds 5 --images 64 --networks resnet20,mobilenet,resnet50 --json artefacts/bench.json]
 */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import sharp from 'sharp';
import {backend} from '../../src/engine';
import {readTfjsModel} from './tfjsModel';
import {loadModel} from '../../src/formats/load';
import {imageFolder, imagesFromPixels} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import {shapesOf} from '../../src/network/operators';
import {weightOf} from '../../src/network/graph';
import type {Model} from '../../src/network/types';
import {actGrad, gradCam, integratedGradients, lrp, smoothGrad} from '../../src/pass/attribution';
import {runPass} from '../../src/pass/runPass';
import type {Attribution} from '../../src/pass/types';
import {collectLayers} from '../../src/relevance/layers';
import {collectRelevance} from '../../src/relevance/collect';
import {accumulationGrowth} from './accumulation';
import {randomResNet50} from './randomResNet50';

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '5'},
    images: {type: 'string', default: '64'},
    networks: {type: 'string', default: 'resnet20,mobilenet,resnet50'},
    json: {type: 'string', default: 'artefacts/bench.json'},
  },
});
const [ROUNDS, IMAGES] = [Number(values.rounds), Number(values.images)];
const BATCH = 16;
const SHARED = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const PRESET = {name: 'bench', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]} as const;
const quiet = {progress: false as const, batchSize: BATCH, preset: PRESET};

interface Network {
  model: Model;
  /** Early to late; the last one is what one layer means. */
  layers: [string, string, string];
  predict?: tfl.LayersModel;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const OPEN: Record<string, () => Promise<Network>> = {
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
function operations({graph}: Model): number {
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
async function matmulPeak(): Promise<number> {
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

async function measureNetwork(name: string): Promise<Record<string, {ms: number; ratio: number}>> {
  const {model, layers, predict} = await OPEN[name]();
  const layer = layers[2];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-bench-'));
  // Of small networks more, so that what a call costs by itself does not count.
  const count = model.inputShape[0] < 100 ? 8 * IMAGES : IMAGES;
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
  const works: Record<string, () => Promise<unknown>> = {
    'folded forward': batchOf((x) => model.logits(x)),
    ...(predict && {'tfjs predict': batchOf((x) => predict.predict(x) as tf.Tensor)}),
    'forward in a pass': () => runPass(model, memory, {...quiet, layers: [layer]}, [logits]),
    'one pass': pass(actGrad),
    'one pass, gated sums': pass(actGrad, {gates: true}),
    'one pass, JPEG files': () =>
      collectRelevance(model, files, {...quiet, preset: {...PRESET, shorterSide: height}, layer, gates: false}),
    'three layers': () => collectLayers(model, memory, {...quiet, layers, gates: false}),
    'Grad-CAM': pass(gradCam),
    'LRP composite': pass(lrp()),
    'LRP gamma': pass(lrp({gamma: 0.25})),
    'integrated gradients, 8 steps': pass(integratedGradients({steps: 8})),
    'SmoothGrad, n 8': pass(smoothGrad({n: 8})),
  };
  const times: Record<string, number[]> = {};
  for (const work of Object.values(works)) await work(); // compiles, warms caches
  for (let round = 0; round < ROUNDS; round++) {
    for (const [what, work] of Object.entries(works)) {
      const start = performance.now();
      await work();
      (times[what] ??= []).push((performance.now() - start) / count);
    }
  }
  model.dispose();
  predict?.dispose();
  await rm(folder, {recursive: true, force: true});
  await rm(`${folder}.json`, {force: true});
  const base = times['folded forward'];
  return Object.fromEntries(
    Object.entries(times).map(([what, list]) => [
      what,
      {ms: median(list), ratio: median(list.map((time, n) => time / base[n]))},
    ]),
  );
}

async function main(): Promise<void> {
  const engine = String(await backend());
  say(engine);
  const peak = await matmulPeak();
  const networks: Record<string, unknown> = {};
  for (const name of values.networks.split(',')) {
    const opened = await OPEN[name]().catch(() => undefined);
    if (!opened) {
      say(`${name}: ../shared/data is absent, so it is not timed`);
      continue;
    }
    const work = operations(opened.model);
    opened.model.dispose();
    opened.predict?.dispose();
    const rows = await measureNetwork(name);
    const share = work / (rows['folded forward'].ms / 1000) / peak;
    networks[name] = {rows, operations: work, shareOfPeak: share};
    say(
      `\n${name}: ${(work / 1e9).toFixed(2)} GFLOP an image; the folded forward pass runs at ${(100 * share).toFixed(0)} % of a matrix product’s ${(peak / 1e9).toFixed(0)} GFLOP/s`,
    );
    for (const [what, {ms, ratio}] of Object.entries(rows))
      say(
        `  ${what.padEnd(30)} ${ms.toFixed(2).padStart(9)} ms/image  ${ratio.toFixed(3).padStart(7)} × folded forward`,
      );
    const one = rows['one pass'];
    say(
      `  JPEG / memory ${(rows['one pass, JPEG files'].ms / one.ms).toFixed(3)} (goal ≤ 1.15); three layers / one ${(rows['three layers'].ms / one.ms).toFixed(3)} (goal ≤ 1.5)`,
    );
  }
  const growth = accumulationGrowth();
  say('\naccumulation, µs of processor time an image:');
  for (const [what, cells] of Object.entries(growth))
    say(`  by ${what.padEnd(9)} ${cells.map(({of, microseconds}) => `${of}: ${microseconds.toFixed(0)}`).join('   ')}`);
  const memory = process.memoryUsage().rss;
  say(`\nresident memory at the end ${(memory / 1e6).toFixed(0)} MB`);
  const {loadavg} = os;
  await mkdir(path.dirname(values.json), {recursive: true});
  await writeFile(values.json, JSON.stringify({engine, peak, networks, growth, memory, load: loadavg()}, undefined, 2));
  say(`written to ${values.json}`);
}

void main();
