import assert from 'node:assert/strict';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {DEMO_CLASSES, demoImage, demoImages, IMAGE_SEEDS} from '../../src/demo';

const SIZE = {height: 48, width: 48};

test('the images come class after class, with paths that no other set has', () => {
  const [train, probe] = [demoImages('train', 3), demoImages('test', 3)];
  assert.equal(train.paths.length, 72);
  assert.deepEqual(train.paths.slice(2, 4), ['train/clock/00002', 'train/flag/00000']);
  assert.deepEqual([...train.labelsFor(24).slice(0, 4)], [0, 0, 0, 1]);
  assert.equal(new Set([...train.paths, ...probe.paths]).size, 144);
  assert.deepEqual(train.classNamesFor(24), DEMO_CLASSES);
  assert.equal(String(train), 'demo train: 72 images of 24 classes, 48 × 48 pixels');
});

test('an image is the generator’s own, and a larger set begins with a smaller one', async () => {
  const [few, many] = [demoImages('test', 2), demoImages('test', 5)];
  assert.deepEqual(await few.pixels(3, SIZE), demoImage(1, 1, IMAGE_SEEDS.test));
  assert.deepEqual(await many.pixels(6, SIZE), await few.pixels(3, SIZE));
});

test('the sets share no picture', async () => {
  const sets = (['training', 'train', 'test'] as const).map((name) => demoImages(name, 20));
  const seen = new Set<string>();
  for (const set of sets) {
    for (let i = 0; i < set.paths.length; i++) seen.add(Buffer.from(await set.pixels(i, SIZE)).toString('latin1'));
  }
  assert.equal(seen.size, 3 * 20 * 24);
});

test('a network of another input size gets resized pixels where a shorter side is given, else an error', async () => {
  const images = demoImages('test', 1);
  const pixels = await images.pixels(0, {height: 32, width: 32, shorterSide: 32});
  assert.equal(pixels.length, 32 * 32 * 3);
  await assert.rejects(images.pixels(0, {height: 32, width: 32}), /48 × 48/);
});

test('a number of images or a model that does not fit is refused with what would', () => {
  assert.throws(
    () => demoImages('train', 0),
    (e) => e instanceof InputError && /images per class: 0; it is a whole number/.test(e.message),
  );
  assert.throws(
    () => demoImages('train', 1).labelsFor(10),
    (e) => e instanceof InputError && /24 classes, but the model has 10/.test(e.message),
  );
});

test('what a caller does to a picture changes the caller’s own copy alone', async () => {
  const images = demoImages('test', 1);
  (await images.pixels(2, SIZE)).fill(0);
  assert.deepEqual(await images.pixels(2, SIZE), demoImage(2, 0, IMAGE_SEEDS.test));
});
