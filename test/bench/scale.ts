/**
 * A run as long as ImageNet's training images through the real accumulator and store, without a network: the time of an image as the list
 * grows, the size on disk, memory, the time to open, and the time of a change of τ (processor time, all threads):
 *   node --expose-gc --import tsx test/bench/scale.ts [--images 1281167] [--batch 256] [--every 20000] [--out FOLDER]
 */
import {mkdtemp, readdir, rm, stat} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {findPolysemantic} from '../../src/concepts/find';
import {countsAtLeast, shareIndex} from '../../src/numerics/shareIndex';
import {addBatch, emptyStatistics, type BatchMeasurement} from '../../src/relevance/accumulate';
import {loadStatistics, openWriter} from '../../src/relevance/store';
import {uniform} from '../reference/smallNetworks';

const {values} = parseArgs({
  options: {
    images: {type: 'string', default: '1281167'},
    batch: {type: 'string', default: '256'},
    every: {type: 'string', default: '20000'},
    out: {type: 'string'},
  },
});

/** ResNet-50's last 1×1 convolution on ImageNet, about 25 shares above the floor an image. */
const [INPUTS, OUTPUTS, CLASSES, SHARES] = [512, 2048, 1000, 25];

/** Processor time in ms, which other processes do not lengthen as they do the clock's. */
const clock = () => {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1000;
};
/** After so many images the cost of those since the mark before is told. */
const MARKS = [10_000, 20_000, 50_000, 100_000, 200_000, 400_000, 800_000, Infinity];

const say = (line: string) => process.stdout.write(`${line}\n`);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

async function main(): Promise<void> {
  const [images, size, every] = [Number(values.images), Number(values.batch), Number(values.every)];
  const folder = values.out ?? (await mkdtemp(path.join(os.tmpdir(), 'unweave-scale-')));
  const out = path.join(folder, 'stats');
  const draw = uniform(1, 0, 1);
  const stats = emptyStatistics({
    model: {name: 'ResNet-50', hash: 'simulated'},
    layer: {
      name: 'layer4.2.conv3',
      kind: 'conv',
      shape: [1, 1, INPUTS, OUTPUTS],
      kernel: Float32Array.from({length: INPUTS * OUTPUTS}, () => draw() - 0.5),
      strides: [1, 1],
      padding: 'same',
      dilation: [1, 1],
      groups: 1,
    },
    classes: CLASSES,
    classNames: Array.from({length: CLASSES}, (_, k) => `class ${k}`),
    preset: {name: 'none', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {name: 'simulated', listHash: 'simulated', total: images},
    floor: 0.005,
    topCount: 16,
  });
  const writer = await openWriter(out);
  const relevance = new Float32Array(size * OUTPUTS);
  const activation = Float32Array.from({length: size * OUTPUTS}, draw);
  const sums = Float32Array.from({length: size * INPUTS}, draw);
  let spent = 0;
  let since = 0;
  let peak = 0;
  let done = 0;
  let mark = {done, spent};
  for (let first = 0; first < images; first += size) {
    const count = Math.min(size, images - first);
    relevance.fill(0);
    const labels = Int32Array.from({length: count}, (_, b) => Math.floor(((first + b) * CLASSES) / images));
    for (let b = 0; b < count; b++) {
      // Channels of the class's own, and a few others.
      for (let n = 0; n < SHARES; n++) {
        const c = n < 15 ? (labels[b] * 31 + n * 97) % OUTPUTS : Math.floor(draw() * OUTPUTS);
        relevance[b * OUTPUTS + c] = 0.3 + draw();
      }
    }
    const batch: BatchMeasurement = {
      paths: Array.from(
        labels,
        (k, b) => `n${String(k).padStart(8, '0')}/n${String(k).padStart(8, '0')}_${first + b}.JPEG`,
      ),
      labels,
      halves: Uint8Array.from(labels, (_, b) => b & 1),
      relevance,
      activation,
      inputSums: sums,
      predictions: labels,
      confidence: activation,
      zeroInputs: {zeros: 1, total: 2},
    };
    const start = clock();
    addBatch(stats, batch);
    since += count;
    if (since >= every || first + size >= images) {
      await writer.checkpoint(stats);
      since = 0;
    }
    spent += clock() - start;
    done += count;
    peak = Math.max(peak, process.memoryUsage().rss);
    if (done >= MARKS[0] || done === images) {
      while (MARKS[0] <= done) MARKS.shift();
      const each = (spent - mark.spent) / (done - mark.done);
      say(
        `images ${mark.done} to ${done}: ${each.toFixed(4)} ms per image, resident ${megabytes(process.memoryUsage().rss)}`,
      );
      mark = {done, spent};
    }
  }
  await writer.close();
  let disk = 0;
  for (const name of await readdir(out)) disk += (await stat(path.join(out, name))).size;
  say(`accumulate and checkpoint: ${(spent / images).toFixed(4)} ms per image (goal ≤ 0.1)`);
  say(`on disk ${megabytes(disk)} (goal ≤ 1000), resident at most ${megabytes(peak)} (goal ≤ 1500)`);
  globalThis.gc?.();
  const [opened, wall] = [clock(), performance.now()];
  const loaded = await loadStatistics(out);
  say(
    `opened in ${((clock() - opened) / 1000).toFixed(2)} s (goal ≤ 3), ${((performance.now() - wall) / 1000).toFixed(2)} s on the clock at a load of ${os.loadavg()[0].toFixed(0)}; resident ${megabytes(process.memoryUsage().rss)} with what was collected`,
  );
  const indexed = clock();
  const index = shareIndex(loaded);
  say(`index made in ${((clock() - indexed) / 1000).toFixed(2)} s`);
  // The first call compares classes; what it finds is kept for the others.
  for (const thresholds of [
    {tau: 0.02, p: 0.75, gamma: 0.5},
    {tau: 0.021, p: 0.75, gamma: 0.5},
    {tau: 0.019, p: 0.75, gamma: 0.5},
    {tau: 0.019, p: 0.7, gamma: 0.5},
    {tau: 0.019, p: 0.7, gamma: 0.3},
    {tau: 0.03, p: 0.75, gamma: 0.5},
  ]) {
    const start = clock();
    countsAtLeast(index, thresholds.tau);
    const counted = clock();
    const found = findPolysemantic(loaded, thresholds);
    say(
      `τ ${thresholds.tau}, p ${thresholds.p}, γ ${thresholds.gamma}: counts ${(counted - start).toFixed(0)} ms, find ${(clock() - counted).toFixed(0)} ms, ${found.candidates.length} candidates (goal ≤ 200 from the second on)`,
    );
  }
  if (values.out === undefined) await rm(folder, {recursive: true, force: true});
}

void main();
