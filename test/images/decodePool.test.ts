import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {copyFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import {imageBatches, imageFolder, UnreadableImageError} from '../../src/images';
import {decodeRgb} from '../../src/images/decode';
import {makeDecodePool, type DecodePool} from '../../src/images/decodePool';
import {fitTo} from '../../src/images/geometry';
import {pixelBudget} from '../../src/images/pixelBudget';
import {sharedCase} from '../reference/sharedCases';
import {madeFolder} from './madeFolder';

const GOLDEN = join(__dirname, 'golden');
const SIZE = {height: 24, width: 24, shorterSide: 28};

async function withPool<T>(options: Parameters<typeof makeDecodePool>[0], use: (pool: DecodePool) => Promise<T>) {
  const pool = makeDecodePool(options);
  try {
    return await use(pool);
  } finally {
    pool.close();
  }
}

const request = (file: string, more: object = {}) => ({
  source: {file},
  path: 'image',
  size: SIZE,
  options: {},
  seconds: 30,
  ...more,
});

async function largePng(side: number): Promise<Buffer> {
  return sharp({create: {width: side, height: side, channels: 3, background: 'teal'}})
    .png({compressionLevel: 1})
    .toBuffer();
}

test('a pool of processes decodes what is decoded here, whatever order it ends in', async () => {
  await withPool({processes: 2}, async (pool) => {
    const names = ['rgb.jpg', 'large.jpg', 'rgb.png', 'lossy.webp', 'tall.jpg', 'wide.jpg'];
    const decoded = await Promise.all(names.map((name) => pool.decode(request(join(GOLDEN, name)))));
    for (const [at, name] of names.entries()) {
      const here = fitTo(await decodeRgb(join(GOLDEN, name), name), SIZE, name);
      assert.deepEqual(Buffer.from(decoded[at]), Buffer.from(here), name);
    }
    assert.equal(pool.pids().length, 2);
  });
});

test('an image that takes too long counts as unreadable, and the others are decoded', async () => {
  const folder = await madeFolder({'large.png': await largePng(4000)});
  await withPool({processes: 1}, async (pool) => {
    const slow = pool.decode(request(join(folder, 'large.png'), {seconds: 0.02, path: 'large.png'}));
    const others = [1, 2, 3].map(() => pool.decode(request(join(GOLDEN, 'rgb.jpg'))));
    await assert.rejects(slow, (error: UnreadableImageError) => {
      assert.equal(
        error.message,
        'unreadable image: large.png: decoding it took longer than 0.02 seconds; replace or remove the file',
      );
      return error.kind === 'stuck';
    });
    assert.equal((await Promise.all(others)).length, 3);
  });
});

test('images of a process that is killed are decoded by another', async () => {
  const folder = await madeFolder({'large.png': await largePng(2000)});
  await withPool({processes: 1}, async (pool) => {
    const images = [1, 2, 3, 4].map(() => pool.decode(request(join(folder, 'large.png'))));
    const [pid] = pool.pids();
    process.kill(pid, 'SIGKILL');
    assert.deepEqual(new Set((await Promise.all(images)).map((image) => image.length)), new Set([24 * 24 * 3]));
    assert.notEqual(pool.pids()[0], pid);
  });
});

test('large images wait for one another, and none waits for ever', async () => {
  const folder = await madeFolder({'large.png': await largePng(2100)});
  await withPool({processes: 2, pixels: 5_000_000}, async (pool) => {
    const images = await Promise.all([1, 2, 3, 4, 5].map(() => pool.decode(request(join(folder, 'large.png')))));
    assert.equal(images.length, 5);
  });
});

test('pixels in use never exceed the budget, except by one image alone, and are granted in the order of asking', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({min: 1, max: 15}), {minLength: 1, maxLength: 20}), fc.nat(), (sizes, seed) => {
      const budget = pixelBudget(10);
      const running: number[] = [];
      const order: number[] = [];
      sizes.forEach((pixels, id) => budget.ask(id, pixels, () => void (running.push(id), order.push(id))));
      for (let step = seed; order.length < sizes.length || running.length > 0; step++) {
        const used = running.reduce((sum, id) => sum + sizes[id], 0);
        assert.ok(used <= 10 || running.length === 1, `${used} in use`);
        assert.ok(running.length > 0, 'somebody is always served');
        budget.release(running.splice(step % running.length, 1)[0]);
      }
      assert.deepEqual(order, [...sizes.keys()]);
    }),
  );
});

test('a device or a pipe under the name of an image is unreadable', async () => {
  const folder = await madeFolder({'a/good.png': 7});
  await symlink('/dev/zero', join(folder, 'a/zero.png'));
  execFileSync('mkfifo', [join(folder, 'a/pipe.png')]);
  const images = await imageFolder(folder, {preset: 'raw'});
  for await (const {skipped, pixels} of imageBatches(images, {inputShape: [4, 4, 3], batchSize: 3})) {
    assert.deepEqual(
      skipped.map(({path, reason}) => `${path}: ${reason}`),
      ['pipe', 'zero'].map((name) => `a/${name}.png: it is no regular file but a device, a pipe or a socket`),
    );
    assert.equal(pixels[0], 7);
  }
});

test('an L*a*b* TIFF under any name is unreadable at once', async (t) => {
  const file = sharedCase(t, 'lab-tiff-hang', 'lab8.tif');
  if (!file) return;
  const folder = await madeFolder({'cat/0.png': 3});
  for (const name of ['lab.png', 'lab.jpg', 'lab.tif']) await copyFile(file, join(folder, 'cat', name));
  const images = await imageFolder(folder, {extensions: ['png', 'jpg', 'tif'], preset: 'raw', decodeSeconds: 60});
  for await (const {indices, skipped} of imageBatches(images, {inputShape: [4, 4, 3], batchSize: 4})) {
    assert.equal(indices.length, 1);
    assert.deepEqual(
      skipped.map(({reason}) => reason),
      new Array(3).fill('L*a*b* images are not read; convert it to RGB'),
    );
  }
});

test('a process that waits for images ends with the one that it works for', async () => {
  const folder = await madeFolder({});
  const script = join(folder, 'ask.ts');
  await writeFile(
    script,
    `const {makeDecodePool} = require(${JSON.stringify(join(__dirname, '../../src/images/decodePool'))});
    const pool = makeDecodePool({processes: 1});
    pool.decode(${JSON.stringify(request(join(GOLDEN, 'rgb.jpg')))}).then(() => console.log(pool.pids()[0]));`,
  );
  const root = join(__dirname, '../..');
  const pid = Number(
    execFileSync(process.execPath, ['--import', 'tsx', script], {cwd: root, encoding: 'utf8', timeout: 60_000}),
  );
  assert.ok(pid > 0);
  for (let tries = 0; tries < 100 && isUp(pid); tries++) await new Promise((done) => setTimeout(done, 50));
  assert.ok(!isUp(pid), 'it is gone');
});

function isUp(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
