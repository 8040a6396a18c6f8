import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../../src/engine';
import {imageBatches} from '../../src/images';
import {predict} from '../../src/pass/predict';
import {CLASSES, smallImages, smallModel} from '../reference/smallNetworks';

before(() => ensureBackend());

test('predictions are the logits image by image, and what follows from them', async () => {
  const model = smallModel({kind: 'conv'});
  const images = smallImages(5);
  const found = await predict(model, images, {batchSize: 2, progress: false});
  assert.deepEqual(found.paths, images.paths);
  let image = 0;
  const {inputShape, preset} = model;
  for await (const batch of imageBatches(images, {batchSize: 1, inputShape, preset: images.preset ?? preset})) {
    const logits = tf.tidy(() => [...model.logits(tf.tensor4d(batch.pixels, batch.shape)).dataSync()]);
    logits.forEach((value, k) => assert.ok(Math.abs(found.logits[image * CLASSES + k] - value) < 1e-4));
    assert.equal(found.best[image], logits.indexOf(Math.max(...logits)));
    const sum = logits.reduce((total, value) => total + Math.exp(value - Math.max(...logits)), 0);
    assert.ok(Math.abs(found.probability[image] - 1 / sum) < 1e-5);
    image++;
  }
  assert.match(String(found), /on 5 images of .*\n.*: .*, \d+ %/);
});
