import assert from 'node:assert/strict';
import {rename} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import fc from 'fast-check';
import {
  imageBatches,
  imageFolder,
  imagesFromPixels,
  UnreadableImageError,
  UnreadableRunError,
  type ImageBatch,
  type LabelledImages,
  type Preset,
} from '../../src/images';
import {InterruptError} from '../../src/common/errors';
import {madeFolder} from './madeFolder';

const plain: Preset = {name: 'plain', mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255]};
const inputShape = [2, 2, 3] as const;

interface Log {
  running: number;
  most: number;
  started: number;
}

/** Images whose level is their index and which take a while, the earlier the longer; those of `bad` are unreadable. */
function slowImages(
  count: number,
  bad: readonly number[] = [],
  log: Log = {running: 0, most: 0, started: 0},
): LabelledImages {
  const pixels = async (index: number) => {
    log.started++;
    log.most = Math.max(log.most, ++log.running);
    await new Promise((done) => setTimeout(done, (count - index) % 4));
    log.running--;
    if (bad.includes(index)) throw new UnreadableImageError(`image ${index}`, 'it is bad');
    return new Uint8Array(12).fill(index);
  };
  return imagesFromPixels({name: 'slow', pixels, height: 2, width: 2, labels: new Array(count).fill(0), preset: plain});
}

async function all(batches: AsyncGenerator<ImageBatch>): Promise<ImageBatch[]> {
  const list: ImageBatch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
}

test('batches hold every readable image once, in order, and name the others', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({min: 1, max: 12}),
      fc.integer({min: 1, max: 5}),
      fc.integer({min: 1, max: 5}),
      fc.uniqueArray(fc.integer({min: 1, max: 11})),
      fc.integer({min: 0, max: 3}),
      async (count, batchSize, concurrency, bad, from) => {
        const list = await all(imageBatches(slowImages(count, bad), {inputShape, batchSize, concurrency, from}));
        const wanted = Array.from({length: count}, (_, i) => i).filter((i) => i >= from);
        assert.deepEqual(
          list.flatMap(({indices}) => indices),
          wanted.filter((i) => !bad.includes(i)),
        );
        assert.deepEqual(
          list.flatMap(({skipped}) => skipped),
          wanted
            .filter((i) => bad.includes(i))
            .map((i) => ({path: `image ${i}`, reason: 'it is bad', kind: 'undecodable'})),
        );
        for (const {indices, pixels, shape} of list) {
          assert.deepEqual(shape, [indices.length, 2, 2, 3]);
          assert.deepEqual(
            [...pixels],
            indices.flatMap((i) => new Array(12).fill(i)),
          );
        }
        assert.deepEqual(
          list.map(({next}) => next),
          list.map((_, b) => Math.min(from + (b + 1) * batchSize, count)),
        );
      },
    ),
    {numRuns: 40},
  );
});

test('decoding goes on while a batch is in use, but no further than two batches ahead', async () => {
  const log = {running: 0, most: 0, started: 0};
  const batches = imageBatches(slowImages(40, [], log), {inputShape, batchSize: 4, concurrency: 3});
  await batches.next();
  while (log.started < 12) await new Promise((done) => setTimeout(done, 1));
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual([log.started, log.most], [12, 3]);
  await batches.return();
  await new Promise((done) => setTimeout(done, 20));
  assert.equal(log.started, 12);
});

test('a run that is left early begins no further image', async () => {
  const log = {running: 0, most: 0, started: 0};
  for await (const batch of imageBatches(slowImages(100, [], log), {inputShape, batchSize: 30, concurrency: 2})) {
    assert.equal(batch.indices.length, 30);
    break;
  }
  const {started} = log;
  await new Promise((done) => setTimeout(done, 30));
  assert.equal(log.started, started);
  assert.ok(started < 40);
});

test('pixels are normalised by channel, and one channel is luma', async () => {
  const pixels = [Uint8Array.from({length: 12}, (_, i) => [255, 0, 51][i % 3])];
  const preset: Preset = {name: 'odd', mean: [0.5, 0.25, 0], std: [0.5, 0.5, 0.1]};
  const images = imagesFromPixels({name: 'one', pixels, height: 2, width: 2, labels: [0], preset});
  const [rgb] = await all(imageBatches(images, {inputShape, batchSize: 1}));
  [1, -0.5, 2].forEach((value, c) => assert.ok(Math.abs(rgb.pixels[c] - value) < 1e-6));
  const [grey] = await all(imageBatches(images, {inputShape: [2, 2, 1], batchSize: 1}));
  assert.deepEqual(grey.shape, [1, 2, 2, 1]);
  assert.ok(Math.abs(grey.pixels[0] - (82 / 255 - 0.5) / 0.5) < 1e-6); // 0.299 · 255 + 0.114 · 51
});

test("unreadable: 'fail' ends at the first unreadable image", async () => {
  const batches = imageBatches(slowImages(9, [4]), {inputShape, batchSize: 3, unreadable: 'fail'});
  assert.deepEqual((await batches.next()).value?.indices, [0, 1, 2]);
  await assert.rejects(batches.next(), {name: 'InputError', path: 'image 4'});
});

test('images none of which can be read are an error, after they have been named', async () => {
  const batches = imageBatches(slowImages(3, [0, 1, 2]), {inputShape, batchSize: 2});
  assert.equal((await batches.next()).value?.skipped.length, 2);
  await batches.next();
  await assert.rejects(batches.next(), /none of the 3 images of slow can be read; the first is image 0: it is bad/);
});

test('an abort ends the run with an interrupt', async () => {
  const abort = new AbortController();
  const batches = imageBatches(slowImages(9), {inputShape, batchSize: 3, signal: abort.signal});
  await batches.next();
  abort.abort();
  await assert.rejects(batches.next(), InterruptError);
});

test('a wrong size, channel count, batch size or no preset is an error', async () => {
  const folder = await imageFolder(await madeFolder({'a/1.png': 5}));
  const first = (options: Partial<Parameters<typeof imageBatches>[1]>) =>
    imageBatches(folder, {inputShape: [4, 4, 3], batchSize: 1, preset: plain, ...options}).next();
  assert.equal((await first({})).value?.pixels[0], 5);
  await assert.rejects(first({inputShape: [8, 8, 3]}), /wrong image size: a\/1\.png has 4 × 4 pixels/);
  await assert.rejects(first({inputShape: [4, 4, 4]}), /the network takes images of 4 channels/);
  await assert.rejects(first({batchSize: 0}), /invalid batchSize: 0/);
  await assert.rejects(first({concurrency: 0.5}), /invalid concurrency: 0\.5/);
  await assert.rejects(first({preset: undefined}), /no preset for/);
});

test('too many unreadable images in a row end the run before any of their batches, however the list is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({min: 1, max: 5}),
      fc.integer({min: 1, max: 6}),
      fc.uniqueArray(fc.integer({min: 0, max: 15})),
      async (batchSize, unreadableInARow, bad) => {
        const readable = Array.from({length: 16}, (_, i) => !bad.includes(i));
        const first = readable.findIndex((_, i) =>
          Array.from({length: unreadableInARow}, (_, r) => readable[i + r]).every((one) => one === false),
        );
        const seen: ImageBatch[] = [];
        const run = async () => {
          for await (const batch of imageBatches(slowImages(16, bad), {inputShape, batchSize, unreadableInARow}))
            seen.push(batch);
        };
        if (first < 0) {
          if (bad.length < 16) await run();
          assert.equal(seen.at(-1)?.next ?? 16, 16);
        } else {
          await assert.rejects(run(), (error: Error) => error instanceof UnreadableRunError && !error.gone);
          const next = seen.at(-1)?.next ?? 0;
          assert.ok(next <= first, 'none of the run counts as done');
          assert.ok(next > first - batchSize, 'all before it does');
        }
      },
    ),
    {numRuns: 60},
  );
});

test('a folder that vanishes ends the run at once, and says so', async () => {
  const folder = await madeFolder(Object.fromEntries(Array.from({length: 12}, (_, i) => [`in/a/${10 + i}.png`, i])));
  const images = await imageFolder(join(folder, 'in'), {preset: plain});
  const batches = imageBatches(images, {inputShape: [4, 4, 3], batchSize: 2});
  await batches.next();
  await rename(join(folder, 'in'), join(folder, 'out'));
  await assert.rejects(
    (async () => {
      for await (const batch of batches) assert.ok(batch.indices.length > 0 || batch.skipped.length > 0);
    })(),
    /^UnreadableRunError|InputError: the images of in are not there any more \(the first is a\/\d+\.png: there is no such file\); make/,
  );
});
