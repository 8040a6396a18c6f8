/**
 * What decoding costs the one pass on ResNet-50: JPEG photographs (500 × 375, to 224 × 224) beside the same number of images out of memory, alternating;
 * on the clock, and by processor time of this process and of those that decode. Then the most memory that large CMYK JPEGs take.
 *
 * node --import tsx test/bench/decodeAhead.ts [images = 96; 0: memory alone] [rounds = 3]
 */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {copyFile, mkdir, writeFile} from 'node:fs/promises';
import {loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import sharp from 'sharp';
import {imageBatches, imageFolder, imagesFromPixels, type LabelledImages} from '../../src/images';
import {decodePool} from '../../src/images/decodePool';
import {collectRelevance} from '../../src/relevance/collect';
import {processorTime} from './processorTime';
import {randomResNet50} from './randomResNet50';

const [count = 96, rounds = 3] = process.argv.slice(2).map(Number);
const inputShape = [224, 224, 3] as const;

const peak = (pid: number | 'self') =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Milliseconds an image: on the clock, and of processor time here and in the processes that decode. */
interface Cost {
  wall: number;
  own: number;
  decoding: number;
}

async function measureTime(folder: string): Promise<void> {
  const noise = {type: 'gaussian', mean: 128, sigma: 40} as const;
  const photo = await sharp({create: {width: 500, height: 375, channels: 3, background: 'grey', noise}})
    .blur(1.5)
    .jpeg({quality: 90})
    .toBuffer();
  await mkdir(join(folder, 'a'));
  for (let i = 0; i < count; i++) await writeFile(join(folder, 'a', `${1000 + i}.jpg`), photo);
  const labels = join(folder, 'labels.json');
  await writeFile(
    labels,
    JSON.stringify(Object.fromEntries(Array.from({length: count}, (_, i) => [`a/${1000 + i}.jpg`, 1]))),
  );
  const files = await imageFolder(folder, {labels});
  const grey = new Uint8Array(224 * 224 * 3).fill(128);
  const memory = imagesFromPixels({
    name: 'memory',
    pixels: () => grey,
    height: 224,
    width: 224,
    labels: new Array(count).fill(1),
  });
  const model = randomResNet50();
  const cost = async (images: LabelledImages): Promise<Cost> => {
    const before = processorTime(decodePool().pids());
    const start = performance.now();
    await collectRelevance(model, images, {
      layer: 'layer4.2.conv3',
      preset: 'torch-imagenet',
      batchSize: 16,
      progress: false,
      gates: false,
    });
    const wall = performance.now() - start;
    const after = processorTime(decodePool().pids());
    return {
      wall: wall / count,
      own: (after.own - before.own) / count,
      decoding: (after.others - before.others) / count,
    };
  };
  await cost(files); // The processes are up, and what is compiled is warm.
  await cost(memory);
  say(`${count} images of ${photo.length} bytes, ms per image; load ${loadavg()[0].toFixed(1)}`);
  const ratios: {wall: number; time: number}[] = [];
  for (let round = 0; round < rounds; round++) {
    const [plain, jpeg] = [await cost(memory), await cost(files)];
    const ratio = {wall: jpeg.wall / plain.wall, time: (jpeg.own + jpeg.decoding) / plain.own};
    ratios.push(ratio);
    const {own, decoding} = jpeg;
    say(
      `decoded ${plain.wall.toFixed(1)}, JPEG ${jpeg.wall.toFixed(1)}: ratio ${ratio.wall.toFixed(3)}; ` +
        `processor time decoded ${plain.own.toFixed(1)}, JPEG ${own.toFixed(1)} and ${decoding.toFixed(1)} of decoding: ratio ${ratio.time.toFixed(3)}`,
    );
  }
  const middle = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  say(
    `JPEG / decoded ${middle(ratios.map(({wall}) => wall)).toFixed(3)}, by processor time ${middle(ratios.map(({time}) => time)).toFixed(3)} (goal ≤ 1.15)`,
  );
  model.dispose();
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
