import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import {inspect} from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import {bundleSize, type Bundle} from '../../src/report/display';
import {ensureBackend} from '../../src/engine';
import {bundleOf} from '../../src/report/show';

before(() => ensureBackend());

const htmlOf = ({data}: Bundle) => String(data['text/html'] ?? '');
const textOf = ({data}: Bundle) => String(data['text/plain'] ?? '');

test('an object that is not known is shown by its fields, or as it says itself', async () => {
  const circular: Record<string, unknown> = {count: 3, name: '<b>x</b>'};
  circular['itself'] = circular;
  const markup = htmlOf(await bundleOf(circular));
  assert.match(markup, /count: 3/);
  assert.match(markup, /&lt;b&gt;x&lt;\/b&gt;/);
  assert.match(textOf(await bundleOf({toString: () => 'a line of its own'})), /^a line of its own$/);
  for (const value of [undefined, null, 5, 'text', Symbol('s'), () => 1, [1, 2], new Map([[1, 2]]), new Error('why')]) {
    assert.ok(textOf(await bundleOf(value)).length > 0, String(value));
  }
});

test('a tensor is shown by its shape, type and first values, and an array by its first', async () => {
  const tensor = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  try {
    const text = textOf(await bundleOf(tensor));
    assert.match(text, /float32[\s\S]*\[2,3\][\s\S]*1, 2, 3/);
  } finally {
    tensor.dispose();
  }
  assert.ok(textOf(await bundleOf(tensor)).length > 0, 'one that is disposed of');
  assert.match(textOf(await bundleOf(new Float32Array(5000))), /^Float32Array\(5000\) \[[\s\S]* 4980 more items\s*\]$/);
});

test('objects that cannot say what they are, or not even be read, are shown by what there is', async () => {
  const thrower = () => {
    throw new Error('no');
  };
  assert.equal(textOf(await bundleOf(Object.create(null))), '[Object: null prototype] {}');
  assert.match(textOf(await bundleOf({toString: thrower, a: 1})), /a: 1/);
  for (const value of [new Proxy({}, {get: thrower}), {[inspect.custom]: thrower}, [new Proxy({}, {get: thrower})]]) {
    assert.ok(textOf(await bundleOf(value)).length > 0);
  }
});

test('a long text is cut, and says so', async () => {
  const bundle = await bundleOf('x'.repeat(3e6));
  assert.ok(bundleSize(bundle) < 100_000, `${bundleSize(bundle)} bytes`);
  assert.match(textOf(bundle), /… and 2,980,000 more characters$/);
});

test("a picture file's bytes are shown as a picture", async () => {
  const png = await sharp({create: {width: 2, height: 2, channels: 3, background: 'red'}})
    .png()
    .toBuffer();
  assert.equal((await bundleOf(png)).data['image/png'], png.toString('base64'));
});
