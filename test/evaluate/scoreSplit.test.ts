import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../src/common/errors';
import {summedActivations} from '../../src/evaluate/activations';
import {scoreSplit} from '../../src/evaluate/scoreSplit';
import {knownImages} from '../../src/known/images';
import {KNOWN_LAYER} from '../../src/known/network';
import {knownNetwork} from '../../src/known/networks';
import {CLASS_PARTS, CODES} from '../../src/known/parts';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {collectRelevance} from '../../src/relevance/collect';
import {viewOf} from '../../src/report/show/viewOf';
import {viewText, type View} from '../../src/report/show/view';
import {disentangle} from '../../src/split/disentangle';
import {distanceSlowly, pairSimilaritySlowly} from '../reference/scoresSlowly';

const quiet = {progress: false as const};
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-4, `${a} is not ${b}`);

test('the scores of a split are those of every pair of images, before, after and beside random splits', async () => {
  const [model, embedder] = [await knownNetwork('picture-plain', 1), await knownNetwork('picture-plain', 2)];
  const images = knownImages('test', 4);
  const stats = await collectRelevance(model, images, {layer: KNOWN_LAYER, ...quiet});
  const channel = CODES.findIndex((code) => code.length === 2);
  const concepts = CODES[channel].map((part) =>
    CLASS_PARTS.map((_, k) => k).filter((k) => CLASS_PARTS[k].includes(part)),
  );
  const split = await disentangle(model, stats, {channel, concepts}, {images, rule: 'freeRidge', ...quiet});
  const before = tf.memory().numTensors;
  const scores = await scoreSplit(split, images, {embedder, count: 6, randomSplits: 3, ...quiet});
  assert.equal(tf.memory().numTensors, before);

  const units: Float32Array[] = [];
  const network = networkAtLayer(embedder, 'logits');
  for (let n = 0; n < images.paths.length; n++) {
    const pixels = await images.pixels(n, {height: 64, width: 64});
    const unit = tf.tidy(() => {
      const x = tf.reshape(
        network.trunk(
          tf.tensor4d(
            Float32Array.from(pixels, (value) => value / 255 - 0.5),
            [1, 64, 64, 3],
          ),
        ).input,
        [-1],
      );
      return tf.div(x, tf.norm(x)).dataSync() as Float32Array;
    });
    units.push(unit);
  }
  network.dispose();
  const kernels = [split.original, ...split.parts];
  const {activations} = await summedActivations(split, images, [...images.paths.keys()], kernels, quiet);
  const top = activations.map((values) => [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, 6));
  activations.forEach((values, p) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const weights = values.map((value) => (value - least) / (most - least));
    near(scores.channels[p].monosemanticity, pairSimilaritySlowly(units, weights));
    near(
      scores.channels[p].clarity,
      pairSimilaritySlowly(
        units,
        values.map((_, n) => Number(top[p].includes(n))),
      ),
    );
  });
  near(scores.parts.inter, distanceSlowly(units, top[1], top[2]));
  near(scores.parts.intra, 1 - (scores.channels[1].clarity + scores.channels[2].clarity) / 2);
  near(scores.gain.clarity, scores.parts.clarity - scores.random.clarity.mean);
  assert.ok(scores.parts.redundancy < 1 && scores.gain.monosemanticity > 0, String(scores));
  assert.match(viewText((await viewOf(scores)) as View), /random splits/);

  const refused = (options: {count: number}, pattern: RegExp) =>
    assert.rejects(
      scoreSplit(split, images, {embedder, ...quiet, ...options}),
      (error) => error instanceof InputError && pattern.test(error.message),
    );
  await refused({count: 1}, /invalid count: 1/);
  await refused({count: 1000}, /96 images cannot give 1000/);
  for (const one of [split, model, embedder]) one.dispose();
});
