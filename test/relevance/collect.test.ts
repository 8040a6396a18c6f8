import assert from 'node:assert/strict';
import {mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {imageBatches, subset} from '../../src/images';
import {InputError, InterruptError} from '../../src/common/errors';
import {halfOf} from '../../src/numerics/pathHash';
import type {ProgressState} from '../../src/common/progress';
import {averagedRelevanceVector, classCount, warningsOf, type RelevanceStatistics} from '../../src/numerics/statistics';
import {mergeStatistics} from '../../src/relevance/merge';
import {collectRelevance} from '../../src/relevance/collect';
import {loadStatistics, saveStatistics} from '../../src/relevance/store';
import {fullDisk} from '../reference/fullDisk';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {CLASSES, smallImages, smallLayersModel, smallModel, STUDIED_LAYERS} from '../reference/smallNetworks';
import {slowRelevance} from '../reference/twoPasses';

const quiet = {progress: false as const};

function close(actual: number, expected: number, scale: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= 1e-4 * scale, `${what}: ${actual} instead of ${expected}`);
}

async function temporaryFolder(t: {after: (work: () => Promise<void>) => void}): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

for (const [what, network] of Object.entries(STUDIED_LAYERS)) {
  eachEngine(`one pass agrees with autodiff in two passes: ${what}`, async () => {
    const model = smallModel(network);
    const layers = smallLayersModel(network);
    const images = smallImages(8);
    const labels = images.labelsFor(CLASSES);
    const stats = await keepsTensorCount(async () => {
      const collected = await collectRelevance(model, images, {layer: 'studied', batchSize: 3, floor: 0, ...quiet});
      model.dispose();
      return collected;
    });
    const [, , inputs, outputs] = stats.layer.shape;
    const sums = Array.from({length: CLASSES}, () => Array.from({length: outputs}, () => new Float64Array(inputs)));
    for await (const batch of imageBatches(images, {inputShape: model.inputShape, batchSize: 1})) {
      const index = batch.indices[0];
      const image = tf.tensor4d(batch.pixels, batch.shape);
      const slow = slowRelevance(model, layers, image, labels[index]);
      image.dispose();
      const positive = slow.relevance.reduce((sum, value) => sum + Math.max(value, 0), 0);
      const shares = new Float64Array(outputs);
      for (let at = stats.shares.offsets[index]; at < stats.shares.offsets[index + 1]; at++) {
        shares[stats.shares.channels[at]] = stats.shares.values[at];
      }
      slow.relevance.forEach((value, c) =>
        close(shares[c], positive > 0 ? Math.max(value, 0) / positive : 0, 1, `share of channel ${c}`),
      );
      slow.sourceRelevance.forEach((row, c) => row.forEach((value, i) => (sums[labels[index]][c][i] += value)));
    }
    for (let k = 0; k < CLASSES; k++) {
      for (let c = 0; c < outputs; c++) {
        const arv = averagedRelevanceVector(stats, c, [k]);
        const scale = Math.max(...sums[k][c].map(Math.abs), 1);
        arv.forEach((value, i) => close(value, sums[k][c][i] / classCount(stats, k), scale, `ARV(${c}, ${k})[${i}]`));
      }
    }
    layers.dispose();
  });
}

function sameStatistics(a: RelevanceStatistics, b: RelevanceStatistics): void {
  assert.deepEqual(a.images.paths, b.images.paths);
  assert.deepEqual(a.counts, b.counts);
  assert.deepEqual(a.shares.channels, b.shares.channels);
  assert.deepEqual(a.top.relevance.images, b.top.relevance.images);
  assert.deepEqual(a.hits, b.hits);
  a.inputSums.forEach((value, at) => close(value, b.inputSums[at], Math.max(Math.abs(value), 1), `input sum ${at}`));
  a.shares.values.forEach((value, at) => close(value, b.shares.values[at], 1, `share ${at}`));
}

eachEngine('one pass agrees with itself, however the stream is cut', async () => {
  const model = smallModel({kind: 'conv', size: 3});
  const images = smallImages(13);
  const options = {layer: 'studied', ...quiet};
  const whole = await collectRelevance(model, images, {...options, batchSize: 13});
  sameStatistics(await collectRelevance(model, images, {...options, batchSize: 4}), whole);
  const shards = await Promise.all(
    [
      [0, 1, 2, 3, 4],
      [5, 6],
      [7, 8, 9, 10, 11, 12],
    ].map((indices) => collectRelevance(model, subset(images, {indices}), options)),
  );
  sameStatistics(shards.reduce(mergeStatistics), whole);
  model.dispose();
});

test('the halves of the statistics add up to the whole, by the hash of the path', async () => {
  const model = smallModel({kind: 'conv'});
  const images = smallImages(40);
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const labels = images.labelsFor(CLASSES);
  const expected = new Float64Array(2 * CLASSES);
  images.paths.forEach((name, index) => (expected[halfOf(name) * CLASSES + labels[index]] += 1));
  assert.deepEqual(stats.counts, expected);
  const [a, b, all] = [0, 1, undefined].map((half) =>
    averagedRelevanceVector(stats, 2, [1], half as 0 | 1 | undefined),
  );
  const [na, nb] = [stats.counts[1], stats.counts[CLASSES + 1]];
  all.forEach((value, i) => close(value, (na * a[i] + nb * b[i]) / (na + nb), 1, `ARV[${i}]`));
  model.dispose();
});

test('an interrupted pass leaves a checkpoint, and the same call goes on to the same statistics', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  const model = smallModel({kind: 'conv', size: 3});
  const images = smallImages(20);
  const options = {layer: 'studied', batchSize: 4, ...quiet};
  const stop = new AbortController();
  let batches = 0;
  const states: ProgressState[] = [];
  await assert.rejects(
    collectRelevance(model, images, {
      ...options,
      out,
      signal: stop.signal,
      progress: (state) => {
        if (state.done > 0 && ++batches === 2) stop.abort();
        states.push(state);
      },
    }),
    (error) => error instanceof InterruptError && /of 20 images; a checkpoint is in/.test(error.message),
  );
  assert.deepEqual(
    states.filter(({outcome}) => outcome !== 'running').map(({outcome, note}) => [outcome, note]),
    [['interrupted', `a checkpoint is in "${out}", and the same call resumes from there`]],
  );
  const part = await loadStatistics(out);
  assert.ok(part.images.done >= 8 && part.images.done < 20, `${part.images.done} images were kept`);
  const starts: number[] = [];
  const whole = await collectRelevance(model, images, {...options, out, progress: ({done}) => starts.push(done)});
  assert.equal(starts[0], part.images.done, 'it goes on where it stopped');
  sameStatistics(whole, await collectRelevance(model, images, options));
  sameStatistics(await loadStatistics(out), whole);
  const last: ProgressState[] = [];
  sameStatistics(
    await collectRelevance(model, images, {...options, out, progress: (state) => last.push(state)}),
    whole,
  );
  assert.deepEqual([last.at(-1)?.outcome, last.at(-1)?.done, last.at(-1)?.note], ['done', 20, `read from "${out}"`]);
  assert.equal((await readdir(out)).length, 4, 'the manifest, images, sums and the layer');
  await assert.rejects(
    collectRelevance(model, smallImages(20, 6), {...options, out}),
    (error) => error instanceof InputError && /another run, which differs in image list/.test(error.message),
  );
  model.dispose();
});

test('images in memory do not keep an interrupt waiting', async () => {
  const model = smallModel({kind: 'conv', size: 3});
  const before = process.listenerCount('SIGINT');
  // A turn of the event loop is what a signal needs to arrive.
  const interrupt = setImmediate(() => setImmediate(() => process.emit('SIGINT')));
  await assert.rejects(
    collectRelevance(model, smallImages(64), {layer: 'studied', batchSize: 1, ...quiet}),
    (error) => error instanceof InterruptError && /after \d of 64 images; nothing was kept/.test(error.message),
  );
  clearImmediate(interrupt);
  assert.equal(process.listenerCount('SIGINT'), before);
  model.dispose();
});

test('statistics are refused when they are foreign, of another version, or do not fit together', async (t) => {
  const folder = await temporaryFolder(t);
  const model = smallModel({kind: 'conv'});
  const stats = await collectRelevance(model, smallImages(8), {layer: 'studied', ...quiet});
  model.dispose();
  const refused = async (pattern: RegExp, work: Promise<unknown>) =>
    assert.rejects(
      work,
      (error) =>
        error instanceof InputError && pattern.test(error.message) && (assert.ok(error.message.length < 400), true),
    );
  await refused(/there is no such folder/, loadStatistics(path.join(folder, 'nowhere')));
  await writeFile(path.join(folder, 'notes.txt'), 'mine');
  await refused(/holds something else \(notes\.txt\)/, saveStatistics(stats, folder));
  const out = path.join(folder, 'stats');
  await saveStatistics(stats, out);
  const manifest = JSON.parse(await readFile(path.join(out, 'manifest.json'), 'utf8')) as Record<string, unknown>;
  const damaged = async (change: object, pattern: RegExp) => {
    await writeFile(path.join(out, 'manifest.json'), JSON.stringify({...manifest, ...change}));
    await refused(pattern, loadStatistics(out));
  };
  await damaged({formatVersion: 99}, /format version 99/);
  await damaged({format: 'something'}, /holds no relevance statistics/);
  await damaged({topCount: 17}, /do not fit together: top_relevance_images is int32 \[6, 16\], but .* int32 \[6, 17\]/);
  await damaged({sums: {file: '../../secret.safetensors', sha256: ''}}, /outside its folder/);
  await damaged({layer: {name: 'x', kind: 'conv', shape: [1e9, 1e9, 1e9, 1e9]}}, /damaged|do not fit/);
  const {images, layer, preset} = manifest as Record<'images' | 'layer' | 'preset', object>;
  await damaged({floor: 'x'}, /manifest\.json" is damaged: floor is "x"; it must be a number from 0 to 1/);
  await damaged({preset: undefined}, /preset\.name is missing; it must be text/);
  await damaged({preset: {...preset, mean: [1, 2]}}, /preset\.mean is \[1,2\]; it must be three numbers/);
  await damaged({images: {...images, skipped: undefined}}, /images\.skipped is missing; it must be a list of records/);
  await damaged({images: {...images, skipped: [{path: 'a'}]}}, /images\.skipped is \[\{"path":"a"\}\]/);
  await damaged({images: {...images, done: 9}}, /images\.done is 9, and images\.total is 8/);
  await damaged({layer: {...layer, name: undefined}}, /layer\.name is missing/);
  await damaged(
    {layer: {...layer, shape: [1, 1, 6]}},
    /layer\.shape is \[1,1,6\]; it must be a list of 4 whole numbers/,
  );
  await damaged({classNames: ['a']}, /classNames has 1 names, and classes is 4/);
  await damaged({zeroInputs: null}, /zeroInputs\.zeros is missing/);
  await writeFile(path.join(out, 'manifest.json'), 'null');
  await refused(/holds no relevance statistics/, loadStatistics(out));
});

test('statistics replace those of the same run alone, unless they are forced', async (t) => {
  const folder = await temporaryFolder(t);
  const out = path.join(folder, 'stats');
  const model = smallModel({kind: 'conv'});
  const images = smallImages(8);
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const other = await collectRelevance(model, images, {layer: 'logits', ...quiet});
  await saveStatistics(stats, out);
  await saveStatistics(stats, out);
  const differs = (error: Error) =>
    error instanceof InputError &&
    /another run, which differs in layer \(studied\); choose another/.test(error.message);
  await assert.rejects(saveStatistics(other, out), differs);
  await assert.rejects(collectRelevance(model, images, {layer: 'logits', out, ...quiet}), differs);
  sameStatistics(await loadStatistics(out), stats);
  await saveStatistics(other, out, {force: true});
  assert.equal((await loadStatistics(out)).layer.name, 'logits');
  await collectRelevance(model, images, {layer: 'studied', out, force: true, ...quiet});
  sameStatistics(await loadStatistics(out), stats);
  assert.equal((await readdir(out)).length, 4, 'the manifest, images, sums and the layer');
  model.dispose();
});

test('a pass that keeps nothing leaves no folder, and none is made in an input', async (t) => {
  const folder = await temporaryFolder(t);
  const out = path.join(folder, 'deep', 'stats');
  const model = smallModel({kind: 'conv'});
  const images = smallImages(8);
  const options = {layer: 'studied', out, ...quiet};
  await assert.rejects(
    collectRelevance(model, images, {...options, signal: AbortSignal.abort()}),
    (error) => error instanceof InterruptError && /there was nothing to keep yet/.test(error.message),
  );
  assert.deepEqual(await readdir(folder), []);
  const unreadable = {...images, pixels: () => Promise.reject(new Error('engine trouble'))};
  await assert.rejects(collectRelevance(model, unreadable, options));
  assert.deepEqual(await readdir(folder), []);
  const disk = fullDisk(t, 'manifest.json');
  await assert.rejects(
    collectRelevance(model, images, options),
    (error) => error instanceof InputError && /manifest\.json": the disk is full; free some space/.test(error.message),
  );
  disk.mock.restore();
  assert.deepEqual(await readdir(folder), []);
  await mkdir(path.join(folder, 'images'));
  await symlink(path.join(folder, 'images'), path.join(folder, 'link'));
  const inside = {...options, out: path.join(folder, 'link', 'stats')};
  await assert.rejects(
    collectRelevance(model, {...images, source: path.join(folder, 'images')}, inside),
    (error) => error instanceof InputError && /lies in the input/.test(error.message),
  );
  assert.deepEqual(await readdir(path.join(folder, 'images')), []);
  model.dispose();
});

test('bad input to the pass gets one sentence that says what to do', async () => {
  const model = smallModel({kind: 'conv'});
  const images = smallImages(8);
  const refused = (pattern: RegExp, options: object) =>
    assert.rejects(
      collectRelevance(model, images, {layer: 'studied', ...quiet, ...options}),
      (error) => error instanceof InputError && pattern.test(error.message),
    );
  await refused(/no layer "conv9"; layers that can be analysed: first, studied, logits/, {layer: 'conv9'});
  await refused(/first_relu.*neither a convolution nor a dense layer/, {layer: 'first_relu'});
  await refused(/invalid batch size: 0/, {batchSize: 0});
  await refused(/invalid limit: 0/, {limit: 0});
  await refused(/invalid floor: 2/, {floor: 2});
  model.dispose();
});

test('accuracy no better than chance warns of wrong labels or preprocessing', async () => {
  const model = smallModel({kind: 'conv'});
  const stats = await collectRelevance(model, smallImages(12), {layer: 'studied', ...quiet});
  model.dispose();
  assert.match(
    warningsOf({...stats, hits: new Float64Array(CLASSES)}).join(),
    /top-1 is 0.00 %, no better than chance/,
  );
  assert.match(
    warningsOf({...stats, model: {...stats.model, arch: 'resnet50'}, hits: new Float64Array(CLASSES)}).join(),
    /look wrong; or the network is another: timm's resnetaa50 and resnetblur50 have the names and shapes of resnet50/,
  );
  assert.deepEqual(warningsOf({...stats, hits: Float64Array.of(12, 0, 0, 0)}), []);
});
