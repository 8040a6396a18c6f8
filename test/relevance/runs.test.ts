import assert from 'node:assert/strict';
import {readFile, rename, rm, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError, InterruptError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {imageFolder, imagesFromPixels, subset} from '../../src/images';
import {UnreadableImageError} from '../../src/images/unreadable';
import {findPolysemantic} from '../../src/concepts/find';
import type {Weight} from '../../src/network/graph';
import {makeModel} from '../../src/network/model';
import {linearLayer} from '../../src/network/linearLayer';
import {meanConfidence, type RelevanceStatistics} from '../../src/numerics/statistics';
import {collectRelevance} from '../../src/relevance/collect';
import {measureRelevance} from '../../src/relevance/collector';
import type {LayerBatch} from '../../src/pass/types';
import {mergeStatistics} from '../../src/relevance/merge';
import {mergeShards, shardFolder} from '../../src/relevance/shards';
import {loadStatistics, saveStatistics} from '../../src/relevance/store';
import {eachEngine} from '../reference/engines';
import {writePictures} from '../reference/pictureFiles';
import {SIDE, SMALL_PRESET, smallImages, smallModel} from '../reference/smallNetworks';
import {statisticsFor} from '../reference/syntheticStatistics';
import {addBatch} from '../../src/relevance/accumulate';
import {temporaryFolder} from '../reference/temporaryFolder';

before(() => ensureBackend());

const quiet = {progress: false as const};
const options = {layer: 'studied', batchSize: 4, ...quiet};
const refused = (pattern: RegExp, work: Promise<unknown>) =>
  assert.rejects(work, (error) => error instanceof InputError && (assert.match(error.message, pattern), true));

/** Every number of them, to the last bit. */
function identical(a: RelevanceStatistics, b: RelevanceStatistics): void {
  const plain = (_key: string, value: unknown) =>
    ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') : value;
  assert.deepEqual(JSON.parse(JSON.stringify(a, plain)), JSON.parse(JSON.stringify(b, plain)));
}

/** Small pictures as files, one folder per class. */
async function folderOf(t: TestContext, count: number) {
  const folder = path.join(await temporaryFolder(t), 'pictures');
  await writePictures(folder, count);
  return {folder, open: () => imageFolder(folder, {preset: SMALL_PRESET})};
}

test('a run that goes on names an image that changed or is gone; by content, a new time does not count', async (t) => {
  const model = smallModel({kind: 'conv'});
  const {folder, open} = await folderOf(t, 16);
  const out = path.join(path.dirname(folder), 'stats');
  const images = await open();
  const stats = await collectRelevance(model, images, {...options, out});
  assert.equal(stats.images.stamps?.length, 16);
  identical(await collectRelevance(model, images, {...options, out}), stats);
  const file = path.join(folder, images.paths[5]);
  await utimes(file, new Date(), new Date());
  await refused(/image class1\/.*\.png has changed \(size or time of its file\) since.*\(force\)/, collectRelevance(model, images, {...options, out})); // prettier-ignore
  await rm(file);
  await refused(/image class1\/.*\.png is gone since/, collectRelevance(model, images, {...options, out}));
  await refused(/image class1\/.*\.png is gone/, collectRelevance(model, images, {...options, out}));
  const {folder: other, open: openOther} = await folderOf(t, 8);
  const byContent = {...options, out: path.join(path.dirname(other), 'stats'), check: 'content' as const};
  await collectRelevance(model, await openOther(), byContent);
  const one = path.join(other, 'class0', '000.png');
  await utimes(one, new Date(), new Date());
  await collectRelevance(model, await openOther(), byContent);
  await writeFile(one, await readFile(path.join(other, 'class1', '001.png')));
  await refused(/class0\/000\.png has changed \(content\)/, collectRelevance(model, await openOther(), byContent));
  await collectRelevance(model, await openOther(), {...byContent, check: 'none', force: true});
  model.dispose();
});

test('force begins anew where the list is the same and the pixels are not', async (t) => {
  const model = smallModel({kind: 'conv'});
  const out = path.join(await temporaryFolder(t), 'stats');
  const [one, two] = [smallImages(8, 5), smallImages(8, 6)];
  const renamed = {...two, paths: one.paths};
  await collectRelevance(model, one, {...options, out});
  const anew = await collectRelevance(model, renamed, {...options, out, force: true});
  identical(anew, await collectRelevance(model, renamed, options));
  identical(await loadStatistics(out), anew);
  model.dispose();
});

test('a folder that vanishes stops the pass with a checkpoint before it; back again, the pass ends as if nothing had been', async (t) => {
  const model = smallModel({kind: 'conv'});
  const {folder, open} = await folderOf(t, 60);
  const out = path.join(path.dirname(folder), 'stats');
  const images = await open();
  const whole = await collectRelevance(model, images, options);
  let gone = false;
  const vanishing = {
    ...images,
    pixels: async (index: number, size: never) => {
      if (index === 20 && !gone) {
        gone = true;
        await rename(folder, `${folder}-away`);
      }
      return images.pixels(index, size);
    },
  };
  await refused(/the images of pictures are not there any more \(the first is class\d.*png: .*run the same again to resume/, collectRelevance(model, vanishing, {...options, out})); // prettier-ignore
  const part = await loadStatistics(out);
  assert.ok(part.images.done <= 20 && part.images.done >= 12 && part.images.skipped.length === 0, String(part.images.done)); // prettier-ignore
  await rename(`${folder}-away`, folder);
  const again = await collectRelevance(model, images, {...options, out});
  const withoutStamps = (stats: RelevanceStatistics) => ({...stats, images: {...stats.images, stamps: undefined}});
  identical(withoutStamps(again), withoutStamps(whole));
  model.dispose();
});

test('images that were skipped count when they can be read, and only then', async (t) => {
  const model = smallModel({kind: 'conv'});
  const out = path.join(await temporaryFolder(t), 'stats');
  const images = smallImages(24);
  const broken = (bad: readonly number[]) => ({
    ...images,
    pixels: async (index: number, size: never) => {
      if (bad.includes(index)) throw new UnreadableImageError(images.paths[index], 'it is broken');
      return images.pixels(index, size);
    },
  });
  const some = await collectRelevance(model, broken([3, 9, 10]), {...options, out});
  assert.deepEqual([some.images.done, some.images.paths.length, some.images.skipped.length], [24, 21, 3]);
  const fewer = await collectRelevance(model, broken([9]), {...options, out});
  assert.equal(fewer.images.skipped.length, 3, 'not without being asked');
  const retried = await collectRelevance(model, broken([9]), {...options, out, retrySkipped: true});
  assert.deepEqual([retried.images.done, retried.images.paths.length], [24, 23]);
  assert.deepEqual(
    retried.images.skipped.map(({path: name, reason}) => [name, reason]),
    [[images.paths[9], 'it is broken']],
  );
  await collectRelevance(model, broken([9]), {...options, out, retrySkipped: true});
  const all = await collectRelevance(model, images, {...options, out, retrySkipped: true});
  const whole = await collectRelevance(model, images, options);
  assert.deepEqual([...all.images.paths].sort(), [...whole.images.paths].sort());
  assert.deepEqual(all.counts, whole.counts);
  all.inputSums.forEach((sum, at) => assert.ok(Math.abs(sum - whole.inputSums[at]) <= 1e-5 * Math.abs(sum)));
  model.dispose();
});

eachEngine('an image with infinite relevance is named: skipped and counted, or the end', async () => {
  const {graph} = smallModel({kind: 'conv'});
  const steep = (weight: Weight) => ({...weight, data: weight.data.map((value) => 1e12 * value)});
  const nodes = graph.nodes.map((node) =>
    node.name === 'studied' ? {...node, weights: node.weights.map(steep)} : node,
  );
  const model = makeModel({...graph, nodes}, {name: 'steep'});
  const pixels = Array.from({length: 8}, (_, n) => new Uint8Array(SIDE * SIDE * 3).fill(n === 5 ? 255 : 0));
  const preset = {name: 'steep', mean: [0, 0, 0] as const, std: [1e-30, 1e-30, 1e-30] as const};
  const images = imagesFromPixels({name: 'steep', pixels, height: SIDE, width: SIDE, labels: pixels.map((_, n) => n % 4), preset}); // prettier-ignore
  const stats = await collectRelevance(model, images, options);
  assert.deepEqual(stats.images.skipped.map(({path: name}) => name), ['00005']); // prettier-ignore
  assert.match(stats.images.skipped[0].reason, /its relevance is not finite \((NaN|-?Infinity)\)/);
  assert.equal(stats.images.paths.length, 7);
  assert.ok(stats.inputSums.every(Number.isFinite));
  await refused(/image 00005: its relevance is not finite/, collectRelevance(model, images, {...options, unreadable: 'fail'})); // prettier-ignore
  model.dispose();
});

eachEngine('zeros are counted exactly beyond 2^24', () => {
  const layer = linearLayer(smallModel({kind: 'conv'}).graph, 'studied');
  tf.tidy(() => {
    const input = tf.zeros([1, 2100, 2100, 4]);
    const batch = {
      layer,
      input: () => input,
      output: () => tf.zeros([1, 1, 1, 6]),
      relevance: () => tf.zeros([1, 6]),
      logits: () => tf.zeros([1, 4]),
      inputSums: () => tf.zeros([1, 1, 4]),
    } as unknown as LayerBatch;
    const {zeros, positions} = measureRelevance(batch);
    assert.equal(Array.from(zeros.dataSync()).reduce((sum, count) => sum + count, 0), 2100 * 2100 * 4); // prettier-ignore
    assert.equal(positions.dataSync()[0], 2100 * 2100);
  });
});

test('the mean of the highest probability is what the logits say', async () => {
  const model = smallModel({kind: 'conv'});
  const images = smallImages(8);
  const stats = await collectRelevance(model, images, options);
  let sum = 0;
  for (let index = 0; index < 8; index++) {
    const rgb = await images.pixels(index, {height: SIDE, width: SIDE});
    const values = Float32Array.from(rgb, (level) => (level / 255 - 0.5) / 0.5);
    const logits = tf.tidy(() => Array.from(model.logits(tf.tensor4d(values, [1, SIDE, SIDE, 3])).dataSync()));
    const exponentials = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
    sum += 1 / exponentials.reduce((a, b) => a + b, 0);
  }
  assert.ok(Math.abs((meanConfidence(stats) as number) - sum / 8) < 1e-5);
  model.dispose();
});

test('shards in any partition and order add up to one pass; missing, doubled and foreign ones are refused by name', async (t) => {
  const folder = await temporaryFolder(t);
  const model = smallModel({kind: 'conv', size: 3});
  const images = smallImages(23);
  const whole = await collectRelevance(model, images, options);
  for (const count of [1, 2, 5]) {
    const at = (index: number) => shardFolder(path.join(folder, `of${count}`), index, count);
    const order = Array.from({length: count}, (_, index) => count - 1 - index);
    for (const index of order)
      await collectRelevance(model, images, {...options, out: at(index), shard: {index, count}});
    const merged = await mergeShards([path.join(folder, `of${count}`)]);
    assert.deepEqual(merged.images.paths, whole.images.paths);
    assert.equal(merged.images.shards, undefined);
    assert.deepEqual([merged.images.done, merged.images.total], [23, 23]);
    assert.deepEqual(merged.shares.channels, whole.shares.channels);
    assert.deepEqual(merged.top.relevance.images, whole.top.relevance.images);
    assert.deepEqual(merged.counts, whole.counts);
    merged.inputSums.forEach((sum, n) => assert.ok(Math.abs(sum - whole.inputSums[n]) <= 1e-6 * Math.max(1, Math.abs(sum)))); // prettier-ignore
    const find = (stats: RelevanceStatistics) => findPolysemantic(stats, {tau: 0.1, p: 0.4, gamma: 0.9});
    assert.deepEqual(find(merged).map(({channel}) => channel), find(whole).map(({channel}) => channel)); // prettier-ignore
    await saveStatistics(merged, path.join(folder, `merged${count}`));
    // The same folder is what the whole pass would go on from.
    await collectRelevance(model, images, {...options, out: path.join(folder, `merged${count}`)});
  }
  const shard = (index: number) => shardFolder(path.join(folder, 'of5'), index, 5);
  await refused(/missing: shard 1, 3 of 5; collect them first/, mergeShards([0, 2, 4].map(shard)));
  await refused(/shard 2 of 5 is there twice, the second time in ".*2-of-5"/, mergeShards([0, 1, 2, 2, 3, 4].map(shard))); // prettier-ignore
  const foreign = path.join(folder, 'foreign');
  await collectRelevance(smallModel({kind: 'conv', size: 3, seed: 2}), images, {...options, out: foreign, shard: {index: 3, count: 5}}); // prettier-ignore
  await refused(/"[^"]*foreign" and ".*0-of-5" are of different runs, which cannot be merged: they differ in model \(small\)/, mergeShards([...[0, 1, 2, 4].map(shard), foreign])); // prettier-ignore
  await refused(/are of different runs.*differ in attribution \(other\)/, Promise.resolve().then(() => mergeStatistics(whole, {...whole, attribution: 'other'}))); // prettier-ignore
  await refused(
    /image "class0\/5-0.png" is in both/,
    Promise.resolve().then(() => mergeStatistics(whole, whole)),
  );
  await refused(/no folder ".*nowhere"/, mergeShards([path.join(folder, 'nowhere')]));
  model.dispose();
});

test('sums of random shards agree to 1e-12, in any order', () => {
  const {stats: whole, batches} = statisticsFor({images: 5000, batchSize: 50});
  for (const batch of batches) addBatch(whole, batch);
  const parts = Array.from({length: 7}, () => statisticsFor({images: 5000, batchSize: 5000}).stats);
  batches.forEach((batch, n) => addBatch(parts[(n * n) % 7], batch));
  const merged = [...parts].reverse().filter(({images}) => images.paths.length > 0).reduce(mergeStatistics); // prettier-ignore
  merged.inputSums.forEach((sum, n) => assert.ok(Math.abs(sum - whole.inputSums[n]) <= 1e-12 * sum));
  assert.deepEqual(merged.counts, whole.counts);
});

test('the system’s clock does not decide when a checkpoint is due, and an interrupt keeps what is there', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  const model = smallModel({kind: 'conv'});
  t.mock.method(Date, 'now', () => 0);
  const seen = new Set<number>();
  const images = smallImages(20);
  const stop = new AbortController();
  const watching = {
    ...images,
    pixels: async (index: number, size: never) => {
      const done = await loadStatistics(out).then((stats) => stats.images.done, () => 0); // prettier-ignore
      seen.add(done);
      if (index === 19) stop.abort();
      return images.pixels(index, size);
    },
  };
  await assert.rejects(collectRelevance(model, watching, {...options, batchSize: 1, out, checkpointSeconds: 0, signal: stop.signal}), InterruptError); // prettier-ignore
  assert.ok(seen.size > 5, `${seen.size} checkpoints were seen`);
  const whole = await collectRelevance(model, images, {...options, batchSize: 1, out});
  identical(whole, await collectRelevance(model, images, {...options, batchSize: 1}));
  identical(await collectRelevance(model, subset(images, {limit: 20}), {...options, batchSize: 1, out}), whole);
  model.dispose();
});

test('a run that began without gated sums goes on without them, unless they are asked for', async (t) => {
  const model = smallModel({kind: 'conv'});
  const out = path.join(await temporaryFolder(t), 'stats');
  const images = smallImages(12);
  const stop = new AbortController();
  const interrupted = collectRelevance(model, images, {
    ...{...options, out, gates: false, checkpointSeconds: 0, signal: stop.signal},
    progress: ({done}) => done >= 4 && stop.abort(new InterruptError('enough')),
  });
  await assert.rejects(interrupted, InterruptError);
  const half = await loadStatistics(out);
  assert.ok(half.images.done >= 4 && half.images.done < 12 && !half.collected);
  const whole = await collectRelevance(model, images, {...options, gates: false});
  identical(await collectRelevance(model, images, {...options, out}), whole);
  identical(await collectRelevance(model, images, {...options, out}), whole);
  await refused(/differs in what else is collected \(nothing\)/, collectRelevance(model, images, {...options, out, gates: true})); // prettier-ignore
  assert.ok((await collectRelevance(model, images, {...options, out, force: true})).collected);
  model.dispose();
});

test('the size of a batch that is measured is written down, and a run goes on with it', async (t) => {
  const model = smallModel({kind: 'conv'});
  const out = path.join(await temporaryFolder(t), 'stats');
  const auto = {layer: 'studied', batchSize: 'auto' as const, out, ...quiet};
  const stats = await collectRelevance(model, smallImages(12), auto);
  assert.ok([8, 16, 32, 64].includes(stats.batchSize!), String(stats.batchSize));
  const file = path.join(out, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as {batchSize: number};
  assert.equal(manifest.batchSize, stats.batchSize);
  await writeFile(file, JSON.stringify({...manifest, batchSize: 5}));
  assert.equal((await collectRelevance(model, smallImages(12), auto)).batchSize, 5);
  await refused(/invalid batch size: 0/, collectRelevance(model, smallImages(12), {...auto, batchSize: 0}));
  model.dispose();
});
