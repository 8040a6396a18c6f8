import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import {findPolysemantic} from '../../src/concepts/find';
import {loadModel} from '../../src/formats/load';
import {applyLayer, linearLayer} from '../../src/network/linearLayer';
import {InputError} from '../../src/common/errors';
import {collectRelevance} from '../../src/relevance/collect';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {disentangle} from '../../src/split/disentangle';
import {kernelsFromOwnership, kernelsFromParts, stackKernels} from '../../src/split/kernels';
import {loadSplit, saveSplit} from '../../src/split/store';
import type {SplitRule} from '../../src/split/types';
import {verifySplit} from '../../src/split/verify';
import {subset} from '../../src/images';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {CLASSES, smallImages, smallModel, STUDIED_LAYERS, uniform, type SmallNetwork} from '../reference/smallNetworks';

const quiet = {progress: false as const};
const images = smallImages(16);

async function statisticsOf(network: SmallNetwork) {
  const model = smallModel(network);
  return {model, stats: await collectRelevance(model, images, {layer: 'studied', ...quiet})};
}

/** Random ownership in [0, 1], and random kernels that add up to nothing in particular but the last. */
const soft = (seed: number): SplitRule => ({
  name: 'soft',
  description: 'random soft ownership',
  needsInputs: () => false,
  solve: async ({concepts, layer}) => {
    const draw = uniform(seed);
    return {ownership: concepts.map(() => Float64Array.from({length: layer.shape[2]}, draw))};
  },
});
const free = (seed: number): SplitRule => ({
  name: 'free',
  description: 'random free kernels',
  needsInputs: () => false,
  solve: async ({concepts, kernel}) => {
    const draw = uniform(seed, -1, 1);
    return {kernels: concepts.map(() => Float64Array.from(kernel, (weight) => weight * draw() + 0.3 * draw()))};
  },
});

for (const [what, network] of Object.entries(STUDIED_LAYERS)) {
  eachEngine(
    `a split network computes the same, hard, soft and free, for two and three concepts: ${what}`,
    async () => {
      const {model, stats} = await statisticsOf(network);
      for (const concepts of [
        [0, 1],
        [[2, 0], 1, 3],
      ]) {
        for (const rule of ['published', soft(3), free(4)]) {
          await keepsTensorCount(async () => {
            const split = await disentangle(model, stats, {channel: 2, concepts}, {images, rule, ...quiet});
            const proof = await verifySplit(split, images, quiet);
            assert.ok(
              proof.maxAbsLogitDifference <= 1e-5 * proof.maxAbsLogit,
              `${split.rule}, ${concepts.length} concepts: ${proof.maxAbsLogitDifference} of ${proof.maxAbsLogit}`,
            );
            assert.ok(proof.exact && proof.unexplained === 0);
            assert.equal(proof.images, 16);
            split.dispose();
            model.dispose();
          });
        }
      }
    },
  );
}

test('kernels of the parts and the residue add up to the original, whatever the ownership', () => {
  fc.assert(
    fc.property(fc.integer({min: 2, max: 4}), fc.integer(), (k, seed) => {
      const draw = uniform(seed, -2, 2);
      const kernel = Float32Array.from({length: 18}, draw);
      const ownership = Array.from({length: k}, () => Float64Array.from({length: 6}, () => (draw() + 2) / 4));
      const kernels = Array.from({length: k}, () => Float64Array.from({length: 18}, draw));
      for (const {parts, residue} of [kernelsFromOwnership(kernel, ownership), kernelsFromParts(kernel, kernels)]) {
        kernel.forEach((weight, at) => {
          const sum = parts.reduce((total, part) => total + part[at], 0) - (k - 1) * residue[at];
          assert.ok(Math.abs(sum - weight) < 1e-5, `${sum} instead of ${weight}`);
        });
      }
    }),
  );
});

eachEngine('the parts add up to Z_c at every position', async () => {
  const {model, stats} = await statisticsOf({kind: 'conv', size: 3, strides: 2, bias: true});
  const split = await disentangle(
    model,
    stats,
    {channel: 4, concepts: [0, 1, 3]},
    {images, rule: 'published', ...quiet},
  );
  const network = networkAtLayer(model, 'studied');
  tf.tidy(() => {
    const x = tf.randomUniform([2, 9, 9, 6], 0, 1, 'float32', 3) as tf.Tensor4D;
    const [kh, kw, inputs] = split.kernelShape;
    const kernel = tf.tensor4d(stackKernels([...split.parts, split.residue]), [kh, kw, inputs, 4]);
    const parts = tf.add(applyLayer(linearLayer(model.graph, 'studied'), x, kernel), split.bias);
    const sum = tf.sum(tf.mul(parts, tf.tensor1d([1, 1, 1, -2])), 3);
    const z = tf.squeeze(tf.slice(network.linear(x), [0, 0, 0, 4], [2, -1, -1, 1]), [3]);
    assert.ok(tf.max(tf.abs(tf.sub(sum, z))).dataSync()[0] < 1e-5);
  });
  network.dispose();
});

test('several splits of one model compose, also of the same layer, and divide a channel once', async () => {
  const {model, stats} = await statisticsOf({kind: 'conv', size: 3, residual: true, activation: 'relu'});
  const first = await disentangle(model, stats, {channel: 1, concepts: [0, 1]}, {images, rule: 'published', ...quiet});
  const second = await disentangle(
    first.model,
    stats,
    {channel: 4, concepts: [1, 2, 3]},
    {images, rule: 'published', ...quiet},
  );
  const proof = await verifySplit({...second, before: model, model: second.model} as typeof second, images, quiet);
  assert.ok(proof.maxAbsLogitDifference <= 1e-5 * proof.maxAbsLogit);
  const merges = second.model.graph.nodes.filter(({name}) => name.endsWith('_merge'));
  assert.deepEqual(
    merges.map(({weights}) => weights[0].shape),
    [[1, 1, 6 + 2 + 3, 6]],
  );
  assert.equal(second.model.layers().find(({name}) => name === 'studied')?.kernel[3], 11);
  assert.ok(!model.graph.nodes.some(({name}) => name.endsWith('_merge')), 'the input model is never changed');
  await assert.rejects(
    disentangle(first.model, stats, {channel: 1, concepts: [2, 3]}, {images, rule: 'published', ...quiet}),
    (error) => error instanceof InputError && /channel 1 .* already divided/.test(error.message),
  );
});

test('a saved split is an ordinary LayersModel, and loads again as the same split', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  const {model, stats} = await statisticsOf({kind: 'dense', bias: true});
  const split = await disentangle(model, stats, {channel: 3, concepts: [0, 2]}, {images, rule: 'published', ...quiet});
  await saveSplit(split, path.join(folder, 'split'));
  const plain = await loadModel(path.join(folder, 'split'));
  assert.equal(plain.hash, split.model.hash);
  assert.deepEqual(plain.origins, [model.hash]);
  const loaded = await loadSplit(path.join(folder, 'split'), model);
  assert.deepEqual({...loaded}.parts, split.parts);
  assert.deepEqual(loaded.sources, split.sources);
  assert.deepEqual(loaded.rho, split.rho);
  assert.equal(String(loaded), String(split));
  await assert.rejects(loadSplit(path.join(folder, 'split'), smallModel({kind: 'conv'})), /is of another model/);
});

test('bad input to a split gets one sentence that says what to do', async () => {
  const {model, stats} = await statisticsOf({kind: 'conv'});
  const refused = (
    pattern: RegExp,
    target: Parameters<typeof disentangle>[2],
    options: Parameters<typeof disentangle>[3] = {},
  ) =>
    assert.rejects(
      disentangle(model, stats, target, {images, rule: 'published', ...quiet, ...options}),
      (error) => error instanceof InputError && (assert.match(error.message, pattern), true),
    );
  await refused(/invalid channel: 99; layer studied has channels 0 to 5/, {channel: 99, concepts: [0, 1]});
  await refused(/at least two are needed/, {channel: 1, concepts: [0]});
  await refused(/class 1 is in two concepts/, {channel: 1, concepts: [[0, 1], 1]});
  await refused(/invalid class: 9; the model has classes 0 to 3/, {channel: 1, concepts: [0, 9]});
  await refused(/invalid rho: 2/, {channel: 1, concepts: [0, 1]}, {rho: 2});
  await refused(/unknown rule "magic"; rules: published/, {channel: 1, concepts: [0, 1]}, {rule: 'magic'});
  await refused(/give images, or a rho/, {channel: 1, concepts: [0, 1]}, {images: undefined});
  const onlyZero = subset(images, {indices: [0, 4, 8]});
  await refused(/have none of class 1/, {channel: 1, concepts: [0, 1]}, {images: onlyZero});
  await assert.rejects(
    disentangle(
      smallModel({kind: 'conv', seed: 2}),
      stats,
      {channel: 1, concepts: [0, 1]},
      {images, rule: 'published', ...quiet},
    ),
    /the statistics are of model small \(.{8}\), not of small/,
  );
  const fewer = await collectRelevance(model, onlyZero, {layer: 'studied', ...quiet});
  await assert.rejects(
    disentangle(model, fewer, {channel: 1, concepts: [0, 1]}, {rho: 0.5}),
    /class 1 has no images in the statistics; classes with images: 0/,
  );
});

test('a found channel can be handed on as it is', async () => {
  const {model, stats} = await statisticsOf({kind: 'conv', size: 3});
  const [first] = findPolysemantic(stats, {tau: 0.05, p: 0.3, allPairs: true, arv: 'published'});
  const split = await disentangle(model, stats, first, {images, ...quiet});
  assert.equal(split.rule, 'freeRidge');
  assert.equal((await disentangle(model, stats, first, {images, rho: 0.5, ...quiet})).rule, 'published');
  assert.deepEqual(
    split.concepts.map(({classes}) => classes),
    first.concepts.map(({classes}) => classes),
  );
  assert.ok(split.concepts.flatMap(({classes}) => classes).every((k) => k < CLASSES));
});

test('concepts are named by their classes, whatever the case, and a name that no class has is refused', async () => {
  const {model, stats} = await statisticsOf({kind: 'conv', size: 1});
  const named = {...stats, classNames: ['clock', 'mug', 'target', ...stats.classNames.slice(3)]};
  const concepts = [['Clock', 'mug'], ['target']];
  const split = await disentangle(model, named, {channel: 1, concepts}, {rho: 0.5});
  assert.deepEqual(
    split.concepts.map(({classes}) => classes),
    [[0, 1], [2]],
  );
  await assert.rejects(
    disentangle(model, named, {channel: 1, concepts: [['clock'], ['spoon']]}, {rho: 0.5}),
    /no class is called "spoon"/,
  );
});
