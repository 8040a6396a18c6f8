import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {findPolysemantic} from '../../src/concepts/find';
import {ensureBackend} from '../../src/engine';
import {evaluateSplit} from '../../src/evaluate';
import {ARCHITECTURES, buildArchitecture, expectedWeights} from '../../src/formats/architectures';
import {loadModel} from '../../src/formats/load';
import {saveOnnx} from '../../src/formats/onnx';
import {saveModel} from '../../src/formats/save';
import {imagesFromPixels} from '../../src/images';
import {InputError} from '../../src/common/errors';
import type {Graph} from '../../src/network/graph';
import {linearLayer} from '../../src/network/linearLayer';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {kernelsFromOwnership} from '../../src/split/kernels';
import {divideChannel, dividedChannels} from '../../src/split/rewrite';
import {loadSplit, saveSplit} from '../../src/split/store';
import {verifySplit} from '../../src/split/verify';
import {batchNorm, convolution, dense, graphOf, plain} from '../reference/madeGraphs';
import {between, seededWeights} from '../reference/seededWeights';
import {uniform} from '../reference/smallNetworks';

/** Every network that can be loaded by name, with random weights and small images where it takes them. */

before(() => ensureBackend());

const CLASSES = 5;
const PRESET = {name: 'made', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]} as const;
const quiet = {progress: false as const};

/** Branches of two lengths in one block, groups, every kind of padding, a sigmoid at the end, names that a split would like to give. */
const branching = () =>
  graphOf(
    [32, 32, 3],
    [
      convolution('_stem', 'image', [3, 3, 3, 8], {
        strides: [2, 2],
        padding: [
          [0, 1],
          [0, 1],
        ],
      }),
      batchNorm('_stem_bn', '_stem', 8),
      plain('ReLU', '_stem_merge', '_stem_bn'),
      plain('MaxPooling2D', 'pool', '_stem_merge', {
        poolSize: [3, 3],
        strides: [1, 1],
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
      convolution('long1', 'pool', [1, 1, 8, 6], {bias: true}),
      plain('ReLU', 'long1_relu', 'long1', {maxValue: 6}),
      convolution('short', '_stem_merge', [1, 1, 8, 4]),
      convolution('long/2', 'long1_relu', [3, 3, 3, 6], {groups: 2, padding: 'same', bias: true}),
      plain('Concatenate', 'wide_parts_merge', ['long/2', 'short', 'pool'], {axis: 3}),
      plain('Activation', 'swish', 'wide_parts_merge', {activation: 'swish'}),
      convolution('wide_parts', 'swish', [3, 3, 18, 6], {strides: [2, 2], dilationRate: [2, 2], padding: 'same'}),
      plain('GlobalAveragePooling2D', 'mean', 'wide_parts', {keepdims: true}),
      plain('Reshape', 'flat', 'mean', {shape: [-1]}),
      dense('logits', 'flat', [6, CLASSES]),
      plain('Activation', 'end', 'logits', {activation: 'sigmoid'}),
    ],
  );

function architecture(name: string): Model {
  const graph = buildArchitecture(name, seededWeights(expectedWeights(name, CLASSES)));
  for (const side of [64, 224]) {
    try {
      const nodes = graph.nodes.map((one) =>
        one.operator === 'InputLayer' ? {...one, args: {shape: [side, side, 3]}} : one,
      );
      return makeModel({...graph, nodes}, {name, preset: PRESET});
    } catch (error) {
      if (!(error instanceof InputError) || side === 224) throw error;
    }
  }
  throw new Error(`${name} takes neither size`);
}

/** UNWEAVE_TEST_ALL=1 takes every architecture; else those that stand for their families. */
const REPRESENTATIVE = ['resnet18', 'resnet50', 'resnet20'];
const tested: Record<string, () => Model> = {
  'a network of branches and groups': () => makeModel(branching(), {name: 'branching', preset: PRESET}),
  ...Object.fromEntries(
    ARCHITECTURES.map(({name}) => name)
      .filter((name) => process.env['UNWEAVE_TEST_ALL'] || REPRESENTATIVE.includes(name))
      .map((name) => [name, () => architecture(name)]),
  ),
};

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-every-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

/** A channel of every layer divided at random, in an order that is random too. */
function everyLayerDivided(model: Model): Graph {
  const draw = uniform(17);
  const names = model.layers().map(({name}) => name);
  const order = names.map((name) => ({name, at: draw()})).sort((a, b) => a.at - b.at);
  return order.reduce((graph, {name}) => {
    const layer = linearLayer(graph, name);
    const [kh, kw, inputs, outputs] = layer.shape;
    const channel = Math.floor(draw() * outputs);
    const kernel = Float32Array.from({length: kh * kw * inputs}, (_, at) => layer.kernel[at * outputs + channel]);
    const ownership = [0, 1].map(() => Float64Array.from({length: inputs}, () => Math.round(draw())));
    return divideChannel(graph, name, channel, kernelsFromOwnership(kernel, ownership));
  }, model.graph);
}

function logitsOf(model: Model): Float32Array {
  const [height, width] = model.inputShape;
  const values = tf.tidy(() => {
    const images = tf.tensor4d(between('images', 2 * height * width * 3, -2, 2), [2, height, width, 3]);
    return model.logits(images).dataSync() as Float32Array;
  });
  model.dispose();
  return values;
}

/** The channel and the two classes, one of them with others beside it, that it matters most to both. */
function strongest({shares: {offsets, channels, values}, images: {labels}, layer}: RelevanceStatistics) {
  const most = [0, 1, 2].map(() => new Float64Array(layer.shape[3]));
  labels.forEach((label, image) => {
    for (let at = offsets[image]; at < offsets[image + 1]; at++) {
      most[label][channels[at]] = Math.max(most[label][channels[at]], values[at]);
    }
  });
  const targets = [
    [0, 1],
    [0, 2],
    [1, 2],
  ].flatMap(([a, b]) =>
    Array.from(most[a], (value, channel) => ({
      share: Math.min(value, most[b][channel]),
      channel,
      concepts: [[a], [b, 3 - a - b]],
    })),
  );
  return targets.reduce((best, target) => (target.share > best.share ? target : best));
}

for (const [what, make] of Object.entries(tested)) {
  test(`${what}: every layer is split, saved, loaded and proven; the hash stays`, async (t) => {
    const folder = await folderFor(t);
    const whole = make();
    await saveModel(whole, path.join(folder, 'whole'));
    assert.equal((await loadModel(path.join(folder, 'whole'))).hash, whole.hash, 'the unsplit network');
    const split = makeModel(everyLayerDivided(whole), {name: 'split', preset: PRESET});
    await saveModel(split, path.join(folder, 'split'));
    const loaded = await loadModel(path.join(folder, 'split'));
    assert.equal(loaded.hash, split.hash);
    assert.notEqual(loaded.hash, whole.hash);
    for (const [model, name] of [
      [whole, 'whole.onnx'],
      [split, 'split.onnx'],
    ] as const) {
      await saveOnnx(model, path.join(folder, name));
      assert.equal((await loadModel(path.join(folder, name))).hash, model.hash, name);
    }
    const names = whole.layers().map(({name}) => name);
    assert.deepEqual(
      loaded.layers().map(({name}) => name),
      names,
    );
    for (const name of names) assert.equal(dividedChannels(loaded.graph, name).length, 1, name);
    const [before, after] = [logitsOf(whole), logitsOf(loaded)];
    const scale = Math.max(...before.map(Math.abs));
    const difference = Math.max(...before.map((value, at) => Math.abs(value - after[at])));
    t.diagnostic(`${names.length} layers, relative difference ${(difference / scale).toExponential(1)}`);
    assert.ok(difference <= 1e-4 * scale, `${difference} of ${scale}`);
  });

  test(`${what}: the whole way at an early, a middle and a late layer`, async (t) => {
    if (what === 'resnet50' && !process.env['UNWEAVE_TEST_ALL']) return t.skip('UNWEAVE_TEST_ALL=1 takes it');
    const folder = await folderFor(t);
    const model = make();
    const [height, width] = model.inputShape;
    const labels = Array.from({length: 12}, (_, index) => index % 3);
    const pixels = labels.map((label, index) => {
      const noise = between(`picture ${index}`, height * width * 3, 0, 150);
      return Uint8Array.from(noise, (value, at) => value + (at % 3 === label ? 100 : 0));
    });
    const images = imagesFromPixels({name: 'made', pixels, height, width, labels, preset: PRESET});
    const layers = model.layers().map(({name}) => name);
    for (const layer of [layers[1], layers[layers.length >> 1], layers[layers.length - 2]]) {
      const stats = await collectRelevance(model, images, {layer, floor: 0, batchSize: 6, ...quiet});
      const found = findPolysemantic(stats, {tau: 0.005, p: 0.1, gamma: 1, allPairs: true});
      assert.equal(found.pairs.length >= found.length, true);
      const split = await disentangle(model, stats, strongest(stats), {images, rule: 'published', ...quiet});
      await saveSplit(split, path.join(folder, layer));
      const loaded = await loadSplit(path.join(folder, layer), model);
      const proof = await verifySplit(loaded, images, quiet);
      assert.ok(proof.exact, `${layer}: ${String(proof)}`);
      const evaluation = await evaluateSplit(loaded, images, {tau: 1e-6, randomSplits: 2, ...quiet});
      assert.ok(String(evaluation).length > 0);
      t.diagnostic(`${layer}: ${(proof.maxAbsLogitDifference / proof.maxAbsLogit).toExponential(1)}`);
      loaded.dispose();
      split.dispose();
      model.dispose();
    }
  });
}
