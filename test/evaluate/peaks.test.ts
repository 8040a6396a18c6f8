import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {channelPeaks, topImages} from '../../src/evaluate';
import {peaksOf} from '../../src/evaluate/peaks';
import {imageBatches} from '../../src/images';
import {firing} from '../../src/network/firing';
import {receptiveField} from '../../src/network/receptiveField';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {slowImages} from '../reference/evaluateSlowly';
import {CLASSES, SIDE, smallImages, smallLayersModel, STUDIED_LAYERS} from '../reference/smallNetworks';
import {SMALL_SPLITS, smallSplit} from '../reference/smallSplits';
import {runLayers} from '../reference/twoPasses';

const quiet = {progress: false as const};
const NAMES = ['a 3×3 convolution with stride 2', 'a dense layer with bias'] as const;

/** Where the greatest value is. */
const greatest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((best, value, at, all) => (value > all[best] ? at : best), 0);

for (const [n, what] of NAMES.entries()) {
  eachEngine(`peaks, predictions and relevance agree with looking at every image by itself: ${what}`, async () => {
    const network = STUDIED_LAYERS[what];
    const about = SMALL_SPLITS[n === 0 ? 0 : 2];
    const split = smallSplit(network, {...about, concepts: about.concepts.map((classes) => [...classes])});
    const images = smallImages(9);
    const {slow, dispose} = await slowImages(network, split, images);
    const kernels = [split.original, ...split.parts];
    const wanted = [8, 2, 5].flatMap((index) => kernels.map((_, kernel) => ({index, kernel})));
    const peaks = await keepsTensorCount(() =>
      peaksOf(
        split,
        kernels.map((kernel) => ({kernel})),
        images,
        wanted,
        {relevance: true, batchSize: 2, ...quiet},
      ),
    );
    const layers = smallLayersModel(network);
    for (const [at, {index, kernel}] of wanted.entries()) {
      const peak = peaks[at]!;
      const output = slow[index].output(kernels[kernel]);
      const columns = Math.sqrt(output.length);
      const place = greatest(output);
      assert.deepEqual(peak.position, [Math.floor(place / columns), place % columns]);
      assert.deepEqual(peak.field, receptiveField(split.before.graph, 'studied', peak.position));
      assert.deepEqual([peak.picture.height, peak.picture.width], [SIDE, SIDE]);
      const logits = slow[index].logits(slow[index].output(split.original));
      const shares = tf.tidy(() => tf.softmax(tf.tensor1d(logits)).dataSync());
      assert.equal(peak.predicted.class, greatest(shares));
      assert.ok(Math.abs(peak.predicted.probability - Math.max(...shares)) < 1e-4);
      if (kernel > 0) continue;
      // The original channel's own output in the unfolded network, differentiated by the picture.
      for await (const batch of imageBatches(images, {inputShape: split.before.inputShape, batchSize: 1})) {
        if (batch.indices[0] !== index) continue;
        const expected = tf.tidy(() => {
          const x = tf.tensor4d(batch.pixels, batch.shape);
          const z = (image: tf.Tensor) => {
            const all = runLayers(layers, image as tf.Tensor4D).get('studied')!;
            const flat = tf.reshape(all, [-1, all.shape[all.rank - 1]!]); // [positions, Cout]
            return tf.sum(tf.slice(flat, [place, split.channel], [1, 1]));
          };
          return tf.abs(tf.sum(tf.mul(x, tf.grad(z)(x)), 3)).dataSync();
        });
        const found = peak.relevance!;
        assert.deepEqual(found.shape, [SIDE, SIDE]);
        expected.forEach((value, i) =>
          assert.ok(Math.abs(value - found.get(Math.floor(i / SIDE), i % SIDE)) < 1e-4, `${i}: ${value}`),
        );
      }
    }
    layers.dispose();
    dispose();
  });
}

test('nothing outside the receptive field is relevant', async () => {
  const split = smallSplit({kind: 'conv', size: 3, strides: 2});
  const top = await topImages(split, smallImages(20), {count: 4, randomSplits: 0, relevance: true, ...quiet});
  for (const {peak} of top.lists.flatMap(({images}) => images)) {
    const {field, relevance} = peak!;
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const inside =
          y >= field.top && y < field.top + field.height && x >= field.left && x < field.left + field.width;
        if (!inside) assert.equal(relevance!.get(y, x), 0);
      }
    }
  }
});

test('a channel of a network fires on the side that its batch norm lets through', async () => {
  const split = smallSplit({kind: 'conv'});
  const model = split.before;
  const {sign} = firing(model.graph, 'studied');
  const turned = sign.indexOf(-1);
  const images = smallImages(6);
  const indices = [3, 0];
  for (const channel of [sign.indexOf(1), turned].filter((one) => one >= 0)) {
    const peaks = await channelPeaks({model, layer: 'studied', channel}, images, indices, quiet);
    assert.equal(peaks.length, 2);
    assert.ok(peaks.every((peak) => peak && peak.relevance === undefined));
  }
  await assert.rejects(
    async () => channelPeaks({model, layer: 'studied', channel: 99}, images, indices, quiet),
    (error) =>
      error instanceof InputError && /invalid channel: 99; layer studied has channels 0 to 5/.test(error.message),
  );
  model.dispose();
});

test('top images of some classes are of these alone, by index or name', async () => {
  const split = smallSplit({kind: 'conv'});
  const images = smallImages(20);
  const names = split.before.classNames ?? images.classNamesFor(CLASSES);
  const top = await topImages(split, images, {count: 8, randomSplits: 0, classes: [1, names[2]], ...quiet});
  const classes = top.lists.flatMap((list) => list.images.map((image) => image.class));
  assert.ok(classes.length > 0);
  assert.ok(classes.every((k) => k === 1 || k === 2));
  await assert.rejects(topImages(split, images, {classes: ['fish'], ...quiet}), /no class "fish"; classes are/);
  await assert.rejects(topImages(split, images, {classes: [7], ...quiet}), /invalid class: 7; classes are 0 to 3/);
});
