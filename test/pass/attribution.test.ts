import assert from 'node:assert/strict';
import {test} from 'node:test';
import type * as tf from '@tensorflow/tfjs-core';
import {batchNormAffine} from '../../src/network/fold';
import {nodeOf, weightOf} from '../../src/network/graph';
import type {Model} from '../../src/network/types';
import {actGrad, gradCam, integratedGradients, smoothGrad} from '../../src/pass/attribution';
import {attributionNamed} from '../../src/pass/attribution/named';
import {compareAttributions} from '../../src/pass/attribution/compare';
import {runPass, type BatchCollector} from '../../src/pass/runPass';
import type {Attribution} from '../../src/pass/types';
import {collectLayers, matchingLayers} from '../../src/relevance/layers';
import {collectRelevance} from '../../src/relevance/collect';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {CLASSES, smallImages, smallModel} from '../reference/smallNetworks';

const quiet = {progress: false as const};

/** Z, [P, C], and R, [C], of each image. */
async function relevanceOf(model: Model, attribution: Attribution, {count = 6, batchSize = 4} = {}) {
  const found: {z: number[][]; relevance: number[]; label: number}[] = [];
  const collector: BatchCollector = {
    init: () => undefined,
    measure: (batch) =>
      ({z: batch.output().clone(), relevance: batch.relevance().clone()}) as Record<string, tf.Tensor>,
    add(_state, batch, values) {
      batch.labels.forEach((label, b) => {
        const channels = values.relevance.length / batch.labels.length;
        const size = values.z.length / batch.labels.length;
        const z = Array.from({length: size / channels}, (_, p) =>
          Array.from(values.z.subarray(b * size + p * channels, b * size + (p + 1) * channels)),
        );
        found.push({z, label, relevance: Array.from(values.relevance.subarray(b * channels, (b + 1) * channels))});
      });
    },
  };
  await runPass(model, smallImages(count), {layers: ['studied'], attribution, batchSize, ...quiet}, [collector]);
  return found;
}

/** y_k = Σ_c dense[c, k] · mean_p relu(s_c Z + t_c) + b_k, and its gradient in Z, one number at a time. */
function slowHead(model: Model) {
  const {scale, shift} = batchNormAffine(nodeOf(model.graph, 'studied_bn'), 6);
  const dense = weightOf(nodeOf(model.graph, 'logits'), 'kernel')!.data;
  const bias = weightOf(nodeOf(model.graph, 'logits'), 'bias')!.data;
  const logit = (z: number[][], k: number) =>
    bias[k] +
    z.reduce((sum, row) => sum + row.reduce((at, value, c) => at + (dense[c * CLASSES + k] * Math.max(0, scale[c] * value + shift[c])) / z.length, 0), 0); // prettier-ignore
  const gradient = (z: number[][], k: number) =>
    z.map((row) => row.map((value, c) => (scale[c] * value + shift[c] > 0 ? (scale[c] * dense[c * CLASSES + k]) / z.length : 0))); // prettier-ignore
  return {logit, gradient};
}

const scaled = (z: number[][], by: number) => z.map((row) => row.map((value) => by * value));
const channelSums = (a: number[][], b: number[][]) => a[0].map((_, c) => a.reduce((sum, row, p) => sum + row[c] * b[p][c], 0)); // prettier-ignore
const near = (actual: number[], expected: number[], within: number) =>
  actual.forEach((value, c) =>
    assert.ok(Math.abs(value - expected[c]) <= within, `${value} instead of ${expected[c]}`),
  );

eachEngine('integrated gradients agree with a sum over the path, and are complete to 1e-3', async () => {
  const model = smallModel({kind: 'conv'});
  const {logit, gradient} = slowHead(model);
  const steps = 64;
  const found = await keepsTensorCount(async () => {
    const result = await relevanceOf(model, integratedGradients({steps}));
    model.dispose();
    return result;
  });
  for (const {z, relevance, label} of found) {
    const slow = new Array<number>(6).fill(0);
    for (let n = 0; n < steps; n++)
      channelSums(z, gradient(scaled(z, (n + 0.5) / steps), label)).forEach((value, c) => (slow[c] += value / steps));
    near(relevance, slow, 2e-3);
    const difference = logit(z, label) - logit(scaled(z, 0), label);
    assert.ok(Math.abs(relevance.reduce((a, b) => a + b, 0) - difference) <= 1e-3 * Math.max(1, Math.abs(difference)));
  }
});

eachEngine('activation × gradient and Grad-CAM agree with their definitions', async () => {
  const model = smallModel({kind: 'conv'});
  const {gradient} = slowHead(model);
  for (const {z, relevance, label} of await relevanceOf(model, actGrad))
    near(relevance, channelSums(z, gradient(z, label)), 1e-4);
  for (const {z, relevance, label} of await relevanceOf(model, gradCam)) {
    const slope = gradient(z, label);
    const slow = relevance.map((_, c) => {
      const mean = slope.reduce((sum, row) => sum + row[c], 0) / z.length;
      return mean * z.reduce((sum, row) => sum + row[c], 0);
    });
    near(relevance, slow, 1e-4);
  }
  model.dispose();
});

eachEngine(
  'SmoothGrad without noise is activation × gradient; its noise depends on the image and the seed alone',
  async () => {
    const model = smallModel({kind: 'conv', size: 3, residual: true});
    const plain = await relevanceOf(model, actGrad);
    const without = await relevanceOf(model, smoothGrad({n: 2, sigma: 0}));
    without.forEach(({relevance}, at) => near(relevance, plain[at].relevance, 1e-5));
    const [one, cut, other] = [
      await relevanceOf(model, smoothGrad({n: 4, sigma: 0.5}), {batchSize: 6}),
      await relevanceOf(model, smoothGrad({n: 4, sigma: 0.5}), {batchSize: 1}),
      await relevanceOf(model, smoothGrad({n: 4, sigma: 0.5, seed: 1}), {batchSize: 6}),
    ];
    one.forEach(({relevance}, at) => near(relevance, cut[at].relevance, 1e-5));
    assert.ok(
      one.some(({relevance}, at) => relevance.some((value, c) => Math.abs(value - other[at].relevance[c]) > 1e-3)),
    );
    model.dispose();
  },
);

test('attributions are compared by rank, named in the statistics, and their parameters are checked', async () => {
  const model = smallModel({kind: 'conv'});
  const compared = await compareAttributions(model, smallImages(8), {
    layer: 'studied',
    attributions: [actGrad, integratedGradients(), gradCam],
    ...quiet,
  });
  assert.equal(compared.images, 8);
  compared.correlations.forEach((row, i) => {
    assert.equal(row[i], 1);
    row.forEach((value, j) => assert.ok(value >= -1 && value <= 1 && value === compared.correlations[j][i]));
  });
  assert.match(String(compared), /activation × gradient and Grad-CAM: -?\d\.\d{3}/);
  const stats = await collectRelevance(model, smallImages(8), {layer: 'studied', attribution: gradCam, ...quiet});
  assert.equal(stats.attribution, 'Grad-CAM');
  assert.equal(attributionNamed('integratedGradients:steps=8').name, 'integrated gradients (8 steps)');
  for (const [make, pattern] of [
    [() => attributionNamed('saliency'), /invalid attribution: saliency; give one of actGrad, integratedGradients/],
    [() => integratedGradients({steps: 0}), /invalid steps: 0; give a whole number from 1/],
    [() => smoothGrad({sigma: -1}), /invalid sigma: -1/],
  ] as const)
    assert.throws(make, (error) => error instanceof InputError && pattern.test(error.message));
  model.dispose();
});

eachEngine('several layers in one pass have the statistics that each has alone', async () => {
  const model = smallModel({kind: 'conv', size: 3, residual: true});
  const images = smallImages(9);
  const together = await keepsTensorCount(async () => {
    const found = await collectLayers(model, images, {layers: ['studied', 'fi*', 'logits'], batchSize: 4, ...quiet});
    model.dispose();
    return found;
  });
  assert.deepEqual(Object.keys(together), ['first', 'studied', 'logits']);
  for (const [layer, stats] of Object.entries(together)) {
    const alone = await collectRelevance(model, images, {layer, batchSize: 4, ...quiet});
    assert.deepEqual(stats.shares.channels, alone.shares.channels);
    near(Array.from(stats.shares.values), Array.from(alone.shares.values), 1e-5);
    near(Array.from(stats.inputSums), Array.from(alone.inputSums), 1e-3);
    assert.deepEqual(stats.hits, alone.hits);
  }
  assert.throws(
    () => matchingLayers(model, ['conv*']),
    /no layer "conv\*"; layers that can be analysed: first, studied/,
  );
  model.dispose();
});
