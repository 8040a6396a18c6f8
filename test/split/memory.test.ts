import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../../src/engine';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {backgroundInputs} from '../../src/split/background';
import {conceptInputs, type KeptInputs} from '../../src/split/conceptInputs';
import {keepsTensorCount} from '../reference/engines';
import {smallImages, smallModel} from '../reference/smallNetworks';

const images = smallImages(24);
const concepts = [
  {classes: [0], classNames: ['none']},
  {classes: [1, 2], classNames: ['one', 'two']},
];
const reading = {preset: images.preset!, batchSize: 5, progress: false as const};

/** Bytes of X over all images of a pass, and the most tensors that were alive beside those before it. */
async function passOver(inputs: KeptInputs): Promise<{bytes: number; tensors: number}> {
  const before = tf.memory().numTensors;
  let [bytes, tensors] = [0, 0];
  for await (const {input} of inputs) {
    bytes += 4 * input.size;
    tensors = Math.max(tensors, tf.memory().numTensors - before);
  }
  return {bytes, tensors};
}

test('inputs are kept between passes up to a bound, and not at all beyond it', async () => {
  await ensureBackend();
  const model = smallModel({kind: 'conv', size: 3});
  await keepsTensorCount(async () => {
    const network = networkAtLayer(model, 'studied');
    try {
      // The first call uploads the trunk's weights.
      const all = await passOver(conceptInputs(network, model, images, concepts, reading));
      for (const [bound, kept] of [
        [all.bytes, all.bytes],
        [all.bytes - 1, 0],
        [0, 0],
      ]) {
        const inputs = conceptInputs(network, model, images, concepts, reading, bound);
        assert.deepEqual(await passOver(inputs), {bytes: all.bytes, tensors: 1}, 'one batch at a time on the engine');
        assert.equal(inputs.keptBytes(), kept, `bound ${bound}`);
        assert.equal((await passOver(inputs)).bytes, all.bytes, 'the second pass sees the same');
        assert.equal(inputs.keptBytes(), kept);
      }
    } finally {
      network.dispose();
    }
  });
  model.dispose();
});

test('images of other classes are read once and not kept', async () => {
  await ensureBackend();
  const model = smallModel({kind: 'conv', size: 3});
  const network = networkAtLayer(model, 'studied');
  try {
    const inputs = backgroundInputs(network, model, images, concepts, reading)!;
    assert.ok((await passOver(inputs)).bytes > 0);
    assert.equal(inputs.keptBytes(), 0);
    assert.deepEqual(inputs.counts, [6], 'the images of class 3');
    const everyClass = [{classes: [0, 1]}, {classes: [2, 3]}];
    assert.equal(backgroundInputs(network, model, images, everyClass, reading), undefined);
  } finally {
    network.dispose();
    model.dispose();
  }
});
