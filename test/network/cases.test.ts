import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {findPolysemantic, relevantClasses} from '../../src/concepts/find';
import {loadModel} from '../../src/formats/load';
import {imageFolder, imagesFromPixels, subset} from '../../src/images';
import {compileGraph} from '../../src/network/run';
import {foldBatchNorm} from '../../src/network/fold';
import {logitsGraph} from '../../src/network/logits';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {verifySplit} from '../../src/split/verify';
import {eachEngine} from '../reference/engines';
import {sharedCase} from '../reference/sharedCases';
import {sharedData} from '../reference/sharedData';

/** Networks that others had trouble with, and what an independent forward pass gives for two images. */
const quiet = {progress: false as const};

for (const [what, folder] of Object.entries({
  'one sigmoid output': 'keras-one-sigmoid/tfjs-sigmoid-1',
  'batch norm over the rows': 'keras-bn-axis/tfjs-bn-axis-1',
})) {
  eachEngine(`${what}: the logits are those of an independent forward pass, folded or not`, async (t) => {
    const [file, network] = [sharedCase(t, 'x.json'), sharedCase(t, folder)];
    if (!file || !network) return;
    const images = JSON.parse(readFileSync(file, 'utf8')) as number[][][][];
    const expected = JSON.parse(readFileSync(path.join(network, 'expected.json'), 'utf8')) as {logits: number[][]};
    const model = await loadModel(network);
    const folded = compileGraph(foldBatchNorm(logitsGraph(model.graph)));
    const values = tf.tidy(() => {
      const x = tf.tensor4d(images);
      return [model.logits(x), Object.values(folded.run(x))[0]].map((y) => Array.from(y.dataSync()));
    });
    const wanted = expected.logits.flatMap((row) => (row.length === 1 ? [0, row[0]] : row));
    for (const logits of values) {
      assert.equal(logits.length, wanted.length);
      wanted.forEach((logit, at) => assert.ok(Math.abs(logits[at] - logit) < 1e-3, `${logits[at]}, not ${logit}`));
    }
    model.dispose();
    folded.dispose();
  });
}

eachEngine('a head with softmax or sigmoid gives the relevances of the same network without', async (t) => {
  const [folder, list] = [sharedData(t, 'cifar10/train'), sharedCase(t, 'sigmoid-head')];
  if (!folder || !list) return;
  const all = await imageFolder(folder);
  const perClass = new Map<number, number>();
  const labels = all.labelsFor(10);
  const indices = [...labels.keys()].filter((index) => {
    const seen = perClass.get(labels[index]) ?? 0;
    perClass.set(labels[index], seen + 1);
    return seen < 8;
  });
  const images = subset(all, {indices});
  const results = [];
  for (const head of ['linear', 'softmax', 'sigmoid']) {
    const model = await loadModel(path.join(list, head));
    const stats = await collectRelevance(model, images, {layer: 'layer3.2.conv2', preset: 'cifar', ...quiet});
    const found = findPolysemantic(stats, {tau: 0.03, p: 0.75, gamma: 1});
    const relevant = relevantClasses(stats, {tau: 0.03, p: 0.75});
    results.push({pairs: found.pairs, relevant, values: stats.shares.values});
    model.dispose();
  }
  const [linear, ...others] = results;
  assert.ok(linear.pairs.length > 5);
  for (const other of others) assert.deepEqual(other, linear);
});

eachEngine('a network with one sigmoid output is analysed, split and proven', async (t) => {
  const folder = sharedCase(t, 'keras-one-sigmoid/tfjs-sigmoid-1');
  if (!folder) return;
  const model = await loadModel(folder);
  const [height, width] = model.inputShape;
  const paths = ['a', 'b', 'c', 'd'];
  const pixels = paths.map((_, n) => Uint8Array.from({length: height * width * 3}, (_, at) => (at * (n + 7)) % 256));
  const images = imagesFromPixels({name: 'made', pixels, height, width, labels: [0, 1, 0, 1], paths});
  const layer = model.layers()[0].name;
  const stats = await collectRelevance(model, images, {layer, preset: 'tf', ...quiet});
  const split = await disentangle(model, stats, {channel: 0, concepts: [0, 1]}, {rho: 0.5});
  const proof = await verifySplit(split, images, {preset: 'tf', ...quiet});
  assert.ok(proof.exact, String(proof));
  split.dispose();
  model.dispose();
});
