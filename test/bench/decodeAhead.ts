/**
 * What decoding costs a run whose engine keeps this process busy: batches of JPEG photographs (500 × 375, to 224 × 224) against the same
 * batches out of memory, alternating; and the most memory that large CMYK JPEGs take, this process and the decoding ones.
 *
 * node --import tsx test/bench/decodeAhead.ts [milliseconds an image = 25] [images = 192; 0: memory alone]
 */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {copyFile, mkdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import sharp from 'sharp';
import {imageBatches, imageFolder, imagesFromPixels, type LabelledImages} from '../../src/images';
import {decodePool} from '../../src/images/decodePool';

const [milliseconds = 25, count = 192] = process.argv.slice(2).map(Number);
const inputShape = [224, 224, 3] as const;

/** Blocks as an engine does that computes in this process. */
function compute(images: number): void {
  const end = performance.now() + milliseconds * images;
  while (performance.now() < end);
}

async function seconds(images: LabelledImages): Promise<number> {
  const start = performance.now();
  for await (const {indices} of imageBatches(images, {inputShape, batchSize: 32, preset: 'torch-imagenet'})) {
    compute(indices.length);
  }
  return (performance.now() - start) / 1000;
}

const peak = (pid: number | 'self') =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const say = (text: string) => process.stdout.write(`${text}\n`);

async function measureTime(folder: string): Promise<void> {
  const noise = {type: 'gaussian', mean: 128, sigma: 40} as const;
  const photo = await sharp({create: {width: 500, height: 375, channels: 3, background: 'grey', noise}})
    .blur(1.5)
    .jpeg({quality: 90})
    .toBuffer();
  await mkdir(join(folder, 'a'));
  for (let i = 0; i < count; i++) await writeFile(join(folder, 'a', `${1000 + i}.jpg`), photo);
  const files = await imageFolder(folder);
  const pixels = () => new Uint8Array(224 * 224 * 3);
  const memory = imagesFromPixels({
    name: 'memory',
    pixels,
    height: 224,
    width: 224,
    labels: new Array(count).fill(0),
  });
  await files.pixels(0, {height: 224, width: 224, shorterSide: 256}); // The processes are up.
  say(`${count} images of ${photo.length} bytes, ${milliseconds} ms of computing each`);
  for (let round = 0; round < 3; round++) {
    const [decoded, jpeg] = [await seconds(memory), await seconds(files)];
    say(`decoded ${decoded.toFixed(2)} s, JPEG ${jpeg.toFixed(2)} s, ratio ${(jpeg / decoded).toFixed(3)}`);
  }
  const start = performance.now();
  for await (const {indices} of imageBatches(files, {inputShape, batchSize: 32, preset: 'torch-imagenet'}))
    void indices;
  say(`decoding alone: ${((performance.now() - start) / count).toFixed(1)} ms an image`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'unweave-bench-'));
  try {
    if (count > 0) await measureTime(folder);
    await mkdir(join(folder, 'large/a'), {recursive: true});
    const first = join(folder, 'large/a/0.jpg');
    await sharp({create: {width: 9400, height: 9400, channels: 3, background: 'teal'}, limitInputPixels: false})
      .toColourspace('cmyk')
      .jpeg()
      .toFile(first);
    for (let i = 1; i < 8; i++) await copyFile(first, join(folder, `large/a/${i}.jpg`));
    const large = await imageFolder(join(folder, 'large'));
    for await (const {indices, skipped} of imageBatches(large, {inputShape, batchSize: 8, preset: 'tf'})) {
      const each = decodePool()
        .pids()
        .map((pid) => `${peak(pid).toFixed(0)} MB`);
      // This process has written them, which takes more than reading.
      say(
        `${indices.length} CMYK JPEGs of 9400 × 9400 read, ${skipped.length} not; peaks of the processes that decode: ${each.join(', ')}`,
      );
    }
  } finally {
    decodePool().close();
    rmSync(folder, {recursive: true});
  }
}

void main();
