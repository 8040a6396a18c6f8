import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import sharp from 'sharp';
import {imageFolder, imageListHash, imagesFromPixels, subset, thumbnail} from '../../src/images';
import {madeFolder} from './madeFolder';

const labels = [0, 1, 2, 1, 0];
const images = imagesFromPixels({
  name: 'five',
  pixels: (index) => new Uint8Array(5 * 4 * 3).fill(index * 10),
  height: 5,
  width: 4,
  labels,
  classNames: ['leaf', 'brick'],
});

test('images from pixels have numbered paths, labels and names', async () => {
  assert.deepEqual(images.paths.slice(0, 2), ['00000', '00001']);
  assert.deepEqual([...images.labelsFor(3)], labels);
  assert.deepEqual(images.classNamesFor(3), ['leaf', 'brick', 'class 2']);
  assert.equal((await images.pixels(3, {height: 5, width: 4}))[0], 30);
  assert.equal((await images.pixels(3, {height: 8, width: 8, shorterSide: 8})).length, 192);
  assert.throws(() => images.labelsFor(2), /invalid label: 2 of 00002; the model has outputs 0 to 1/);
});

test('pixels, labels and paths that do not fit together are errors', async () => {
  const make = (more: object) =>
    imagesFromPixels({name: 'x', pixels: [new Uint8Array(3)], height: 1, width: 1, labels: [0], ...more});
  assert.throws(() => make({labels: []}), /no images in x/);
  assert.throws(() => make({labels: [0, 1]}), /1 pixels for 2 labels/);
  assert.throws(() => make({paths: []}), /0 paths for 1 labels/);
  await assert.rejects(make({height: 2}).pixels(0, {height: 2, width: 1}), /has 3 values; 2 × 1 × 3 are needed/);
});

test('a subset is a view: the first images, some classes, or given indices', async () => {
  const first = subset(images, {limit: 2});
  assert.deepEqual(
    [first.paths, [...first.labelsFor(3)]],
    [
      ['00000', '00001'],
      [0, 1],
    ],
  );
  const ones = subset(images, {classes: [1], classCount: 3});
  assert.deepEqual(ones.paths, ['00001', '00003']);
  assert.equal((await ones.pixels(1, {height: 5, width: 4}))[0], 30);
  assert.deepEqual(subset(images, {classes: [2, 0], classCount: 3, limit: 2}).paths, ['00000', '00002']);
  assert.deepEqual(subset(images, {indices: [4, 0]}).paths, ['00004', '00000']);
  assert.deepEqual(subset(images, {limit: 99}).paths.length, 5);
  assert.equal(String(first), 'five: 2 of 5 images');
});

test('a class without images, an index out of range and an invalid limit are errors', () => {
  assert.throws(
    () => subset(images, {classes: [7], classCount: 10}),
    /no images of class 7 in five; it has images of 0, 1, 2/,
  );
  assert.throws(() => subset(images, {classes: [1]}), /without classCount/);
  assert.throws(() => subset(images, {indices: [5]}), /invalid image: 5; five has images 0 to 4/);
  assert.throws(() => subset(images, {indices: []}), /no images are left/);
  for (const limit of [0, -1, 1.5, NaN]) assert.throws(() => subset(images, {limit}), /invalid limit/);
});

test('the hash of a list depends on its paths, their order, the decoding and the labels, not on where its folder lies', async () => {
  const files = {'a/1.png': 1, 'b/2.png': 2};
  const [here, there] = [await imageFolder(await madeFolder(files)), await imageFolder(await madeFolder(files))];
  assert.equal(imageListHash(here), imageListHash(there));
  assert.match(imageListHash(here), /^[0-9a-f]{64}$/);
  const folder = await madeFolder(files);
  const hashes = [
    imageListHash(here),
    imageListHash(subset(here, {indices: [1, 0]})),
    imageListHash(subset(here, {limit: 1})),
    imageListHash(await imageFolder(folder, {exif: true})),
    imageListHash(await imageFolder(folder, {exif: true, icc: true})),
    imageListHash(here, [0, 1]),
    imageListHash(here, [1, 0]),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
});

test('a thumbnail is the square centre as an image file', async () => {
  const golden = await imageFolder(join(__dirname, 'golden'), {labels: await everyLabel()});
  const index = golden.paths.indexOf('wide.jpg');
  for (const format of ['jpeg', 'png', 'webp'] as const) {
    const bytes = await thumbnail(golden, index, 24, {format});
    const {width, height, format: found} = await sharp(bytes).metadata();
    assert.deepEqual([width, height, found], [24, 24, format]);
    assert.ok(bytes.length < 3000);
  }
});

async function everyLabel(): Promise<Record<string, number>> {
  const {readdir} = await import('node:fs/promises');
  const names = [
    ...(await readdir(join(__dirname, 'golden'))),
    ...(await readdir(join(__dirname, 'golden/expected'))).map((n) => `expected/${n}`),
  ];
  return Object.fromEntries(names.map((name) => [name, 0]));
}
