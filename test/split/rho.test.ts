import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import {imageBatches} from '../../src/images';
import {collectRelevance} from '../../src/relevance/collect';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {disentangle} from '../../src/split/disentangle';
import {kernelsFromOwnership} from '../../src/split/kernels';
import {hardOwnership, RHOS, sourceOwners} from '../../src/split/sources';
import {eachEngine} from '../reference/engines';
import {CLASSES, smallImages, smallModel} from '../reference/smallNetworks';

const quiet = {progress: false as const};

eachEngine('the 20 scores of one convolution agree with a convolution for each ρ, part and image', async () => {
  const model = smallModel({kind: 'conv', size: 3, bias: true});
  const images = smallImages(16);
  const labels = images.labelsFor(CLASSES);
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const concepts = [[0], [1, 3], [2]];
  const split = await disentangle(
    model,
    stats,
    {channel: 0, concepts},
    {images, rule: 'published', batchSize: 3, ...quiet},
  );
  const network = networkAtLayer(model, 'studied');
  const scores = new Map<number, number>();
  for (const rho of RHOS) {
    const owners = sourceOwners(
      split.concepts.map(({arv}) => arv),
      rho,
    );
    const {parts} = kernelsFromOwnership(split.original, hardOwnership(owners, 3));
    const ratios: number[][] = concepts.map(() => []);
    for await (const batch of imageBatches(images, {inputShape: model.inputShape, batchSize: 1})) {
      const j = concepts.findIndex((classes) => classes.includes(labels[batch.indices[0]]));
      tf.tidy(() => {
        const {input} = network.trunk(tf.tensor4d(batch.pixels, batch.shape));
        const sums = parts.map((part) => {
          const kernel = tf.tensor4d(part, [...split.kernelShape, 1]);
          const d = tf.add(tf.conv2d(input as tf.Tensor4D, kernel, 1, 'same'), split.bias);
          return tf.sum(tf.relu(d)).dataSync()[0];
        });
        const others = sums.reduce((total, value, l) => total + (l === j ? 0 : value), 0);
        ratios[j].push(sums[j] / (others + 1e-5));
      });
    }
    scores.set(
      rho,
      ratios.reduce((total, list) => total + list.reduce((a, b) => a + b, 0) / list.length, 0),
    );
  }
  network.dispose();
  let best = RHOS[0];
  for (const {rho, score} of split.rho?.scores ?? []) {
    const expected = scores.get(rho) as number;
    assert.ok(Math.abs(score - expected) <= 1e-3 * Math.abs(expected), `ρ ${rho}: ${score} instead of ${expected}`);
    const leader = split.rho?.scores.find((entry) => entry.rho === best)?.score as number;
    if (score > leader) best = rho;
  }
  assert.equal(split.rho?.scores.length, 20);
  assert.equal(split.rho?.rho, best, 'ties take the smallest ρ');
});
