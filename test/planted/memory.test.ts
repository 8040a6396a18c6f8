import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../../src/engine';
import {InputError} from '../../src/common/errors';
import {checkMemory} from '../../src/planted/memory';
import {studyLayer, type StudiedLayer} from '../../src/planted/studiedLayer';
import {inputTensors} from '../../src/planted/classInputs';
import {keepsTensorCount} from '../reference/engines';
import {smallImages, smallModel} from '../reference/smallNetworks';

const discovery = smallImages(40);
const heldOut = smallImages(24, 7);
const options = {
  layer: 'studied',
  tau: 0.05,
  p: 0.5,
  discoveryPerClass: 9,
  heldOutPerClass: 5,
  preset: discovery.preset!,
  batchSize: 7,
  progress: false as const,
};

function bytesOf({discovery, heldOut}: StudiedLayer): number {
  return [...discovery.values(), ...heldOut.values()].reduce(
    (sum, {input, crossing, sums}) =>
      sum + input.byteLength + sums.byteLength + crossing.reduce((all, {data}) => all + data.byteLength, 0),
    0,
  );
}

test('what is kept of the images counts against the bound, with what passes the layer by', async () => {
  await ensureBackend();
  const [plain, residual] = [false, true].map((one) => smallModel({kind: 'conv', size: 3, residual: one}));
  await keepsTensorCount(async () => {
    const bytes: number[] = [];
    for (const model of [plain, residual]) {
      const studied = await studyLayer(model, {discovery, heldOut}, options);
      bytes.push(bytesOf(studied));
      studied.dispose();
    }
    assert.ok(bytes[1] > bytes[0], 'the shortcut is kept too');
    const within = await studyLayer(residual, {discovery, heldOut}, {...options, mostBytes: bytes[1]});
    assert.equal(bytesOf(within), bytes[1]);
    within.dispose();
    await assert.rejects(
      studyLayer(residual, {discovery, heldOut}, {...options, mostBytes: bytes[1] - 1}),
      (error) =>
        error instanceof InputError &&
        /^the inputs of studied, and what passes it by \(.* MB\), take .* MB for 36 discovery and 20 held-out images, and at most .* MB is kept; give fewer images per class/.test(
          error.message,
        ),
    );
  });
});

test('the bound is said in gigabytes, and reached exactly', () => {
  const images = {discovery: 1000, heldOut: 500};
  const values = {input: 500_000, passing: 700_000, sums: 50_000};
  assert.throws(
    () => checkMemory({...values, passing: 800_000}, images, 'layer1.0.conv1'),
    /^InputError: the inputs of layer1\.0\.conv1, and what passes it by \(3\.2 GB\), take 6\.4 GB for 1000 discovery and 500 held-out images, and at most 6 GB is kept/,
  );
  checkMemory(values, images, 'layer1.0.conv1');
});

test('tensors of a class are no larger than 4 million values, also with what passes by', async () => {
  await ensureBackend();
  const count = 5;
  const inputs = {count, shape: [100], input: new Float32Array(100 * count), crossing: [], sums: new Float32Array(0)};
  const rows = async (beside: number) => {
    const found: number[] = [];
    for await (const {input} of inputTensors(inputs, beside)) found.push(input.shape[0]);
    return found;
  };
  const before = tf.memory().numTensors;
  assert.deepEqual(await rows(0), [5]);
  assert.deepEqual(await rows(2 ** 21), [2, 2, 1]);
  assert.deepEqual(await rows(2 ** 23), [1, 1, 1, 1, 1]);
  assert.equal(tf.memory().numTensors, before);
});
