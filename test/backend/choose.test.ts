import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {backend, ensureBackend} from '../../src/backend';
import {eachEngine, keepsTensorCount} from '../reference/engines';

eachEngine('an engine multiplies matrices and leaves no tensor behind', async (_t, engine) => {
  const choice = await ensureBackend();
  assert.equal(choice.name, engine);
  await keepsTensorCount(() => {
    const product = tf.tidy(() => [...tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])).dataSync()]);
    assert.deepEqual(product, [3, 3]);
  });
});

test('the choice says in one line which engine computes and why', async () => {
  const choice = await backend({prefer: 'wasm'});
  if (process.env['UNWEAVE_BACKEND'] !== 'native') assert.equal(choice.name, 'wasm');
  assert.ok(choice.toString().includes(choice.reason));
  assert.ok(!choice.toString().includes('\n'));
});
