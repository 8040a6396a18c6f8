import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {lockFolder} from '../../src/files/folderLock';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {addBatch} from '../../src/relevance/accumulate';
import type {ManifestV2} from '../../src/relevance/manifest';
import {loadStatistics, openWriter, saveStatistics} from '../../src/relevance/store';
import {statisticsFor, syntheticStatistics} from '../reference/syntheticStatistics';
import {writeVersion1} from '../reference/statisticsV1';
import {temporaryFolder} from '../reference/temporaryFolder';

const refused = (pattern: RegExp, work: Promise<unknown>) =>
  assert.rejects(work, (error) => error instanceof InputError && (assert.match(error.message, pattern), true));

/** Every array and field but the order of fields and methods. */
function same(a: RelevanceStatistics, b: RelevanceStatistics): void {
  assert.deepEqual(JSON.parse(JSON.stringify(a, plain)), JSON.parse(JSON.stringify(b, plain)));
}
const plain = (_key: string, value: unknown) => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value);

const manifestOf = async (folder: string) =>
  JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as ManifestV2;

test('statistics of version 1 load, and are saved as version 2 without losing a number', async (t) => {
  const folder = await temporaryFolder(t);
  const stats = syntheticStatistics({images: 8});
  await writeVersion1(stats, path.join(folder, 'old'));
  const old = await loadStatistics(path.join(folder, 'old'));
  same(old, stats);
  await saveStatistics(old, path.join(folder, 'old'));
  assert.equal((await manifestOf(path.join(folder, 'old'))).formatVersion, 2);
  assert.deepEqual(
    (await readdir(path.join(folder, 'old'))).filter((name) => name.startsWith('statistics-')),
    [],
    'the file that version 1 named is gone',
  );
  same(await loadStatistics(path.join(folder, 'old')), stats);
});

test('one changed byte in any file is noticed and the file is named', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  await saveStatistics(syntheticStatistics({images: 8}), out);
  const files = (await readdir(out)).filter((name) => name.endsWith('.safetensors'));
  assert.equal(files.length, 3);
  for (const name of files) {
    const file = path.join(out, name);
    const bytes = await readFile(file);
    for (const at of [9, 300, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1;
      await writeFile(file, changed);
      await refused(new RegExp(name.replace('.', '\\.')), loadStatistics(out));
    }
    await writeFile(file, bytes.subarray(0, bytes.length - 8));
    await refused(/truncated|do not fit|its arrays end/, loadStatistics(out));
    await writeFile(file, bytes);
  }
  await loadStatistics(out);
});

test('what no pass can have written is refused by name, even where the checksums fit', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  const sound = syntheticStatistics({images: 8});
  const changed = (array: Float64Array | Float32Array | Int32Array, at: number, value: number) => {
    const copy = array.slice();
    copy[at] = value;
    return copy as never;
  };
  const {images, shares, top} = sound;
  const cases: [Partial<RelevanceStatistics>, RegExp][] = [
    [{images: {...images, labels: changed(images.labels, 3, 99)}}, /labels\[3\] is 99, and it must be a class from 0 to 4/],
    [{shares: {...shares, channels: changed(shares.channels, 0, 70000)}}, /share_channels\[0\] is 70000.*0 to 7/],
    [{shares: {...shares, values: changed(shares.values, 1, 2)}}, /share_values\[1\] is 2.*from 0.005 to 1/],
    [{shares: {...shares, values: changed(shares.values, 1, NaN)}}, /share_values\[1\] is NaN/],
    [{shares: {...shares, values: changed(shares.values, 1, 0.001)}}, /share_values\[1\] is 0.001/],
    [{inputSums: changed(sound.inputSums, 2, Infinity)}, /input_sums\[2\] is Infinity.*finite/],
    [{kernel: changed(sound.kernel, 2, NaN)}, /kernel\[2\] is NaN/],
    [{counts: changed(sound.counts, 0, 3.5)}, /counts\[0\] is 3.5/],
    [{counts: changed(sound.counts, 0, 9)}, /counts by class\[0\] is 2/],
    [{hits: changed(sound.hits, 1, 50)}, /hits\[1\] is 50, and it must be at most the images of the class/],
    [{top: {...top, relevance: {...top.relevance, images: changed(top.relevance.images, 0, 8)}}}, /top_relevance_images\[0\] is 8.*0 to 7/],
    [{top: {...top, activation: {...top.activation, values: changed(top.activation.values, 0, NaN)}}}, /top_activation_values\[0\] is NaN/],
    [{zeroInputs: {zeros: 3, total: 2}}, /zeroInputs\.zeros is 3, and zeroInputs\.total is 2/],
  ]; // prettier-ignore
  for (const [change, pattern] of cases) {
    await saveStatistics({...sound, ...change} as RelevanceStatistics, out, {force: true});
    await refused(pattern, loadStatistics(out));
  }
  await saveStatistics(sound, out, {force: true});
  await loadStatistics(out);
  const manifest = await manifestOf(out);
  await writeFile(
    path.join(out, 'manifest.json'),
    JSON.stringify({...manifest, chunks: [{...manifest.chunks[0], entries: 1e9}]}),
  );
  await refused(/the manifest needs 8000000064 bytes of images and shares, and its files have/, loadStatistics(out));
});

test('a checkpoint writes the new images alone, cut at the same places however often one is written', async (t) => {
  const folder = await temporaryFolder(t);
  const {stats: growing, batches} = statisticsFor({images: 60_000, batchSize: 5000});
  const {stats: whole} = statisticsFor({images: 60_000, batchSize: 5000});
  const writer = await openWriter(path.join(folder, 'often'));
  const written = new Map<string, number>();
  for (const batch of batches) {
    addBatch(growing, batch);
    addBatch(whole, batch);
    await writer.checkpoint(growing);
    for (const name of await readdir(path.join(folder, 'often')))
      if (name.startsWith('images-')) written.set(name, (written.get(name) ?? 0) + 1);
  }
  await writer.close();
  await saveStatistics(whole, path.join(folder, 'once'));
  const [often, once] = [await manifestOf(path.join(folder, 'often')), await manifestOf(path.join(folder, 'once'))];
  assert.ok(once.chunks.length >= 2, `${once.chunks.length} chunks`);
  assert.deepEqual(often.chunks, once.chunks);
  assert.deepEqual(often.sums, once.sums);
  same(await loadStatistics(path.join(folder, 'often')), whole);
  assert.ok((written.get(once.chunks[0].file) ?? 0) > 1, 'a closed chunk stays as it is');
  assert.equal((await readdir(path.join(folder, 'often'))).length, once.chunks.length + 3, 'nothing else stays');
});

test('a reader beside a writer finds one checkpoint or another, never a mixture', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  const {stats, batches} = statisticsFor({images: 400, batchSize: 10});
  const writer = await openWriter(out);
  let writing = true;
  const write = (async () => {
    for (const batch of batches) {
      addBatch(stats, batch);
      await writer.checkpoint(stats);
    }
    await writer.close();
    writing = false;
  })();
  let read = 0;
  while (writing) {
    const found = await loadStatistics(out).catch((error: Error) => {
      if (!/manifest\.json is missing/.test(error.message)) throw error;
      return undefined;
    });
    if (found) read += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await write;
  assert.ok(read > 1);
});

test('a folder has one writer: another one is told whose it is, and that of a dead process is taken over', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  const stats = syntheticStatistics({images: 8});
  const writer = await openWriter(out);
  await refused(/is being written to by another call of this process; wait until/, saveStatistics(stats, out));
  await writer.checkpoint(stats);
  await writer.close();
  assert.equal((await readdir(out)).length, 4, 'the lock is gone');
  const {pid} = spawnSync(process.execPath, ['-e', '']);
  await mkdir(path.join(out, '.unweave-lock'));
  const holder = {id: 'other', pid, host: os.hostname(), since: new Date().toISOString()};
  await writeFile(path.join(out, '.unweave-lock-holder.json'), JSON.stringify(holder));
  await saveStatistics(stats, out);
  await mkdir(path.join(out, '.unweave-lock'));
  await writeFile(
    path.join(out, '.unweave-lock-holder.json'),
    JSON.stringify({...holder, pid: 1, host: 'another-machine'}),
  );
  await refused(/is being written to by process 1 on another-machine, since/, saveStatistics(stats, out));
});

test('of two that take over the same abandoned lock at once, one gets it', async (t) => {
  const out = await temporaryFolder(t);
  const {pid} = spawnSync(process.execPath, ['-e', '']);
  for (let round = 0; round < 5; round++) {
    await mkdir(path.join(out, '.unweave-lock'));
    const holder = {id: 'gone', pid, host: os.hostname(), since: ''};
    await writeFile(path.join(out, '.unweave-lock-holder.json'), JSON.stringify(holder));
    const found = await Promise.allSettled([lockFolder(out), lockFolder(out), lockFolder(out)]);
    const taken = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.equal(taken.length, 1);
    await taken[0]();
  }
});

test('what a killed write left goes at the next start, and nobody else’s files', async (t) => {
  const out = path.join(await temporaryFolder(t), 'stats');
  const stats = syntheticStatistics({images: 8});
  await saveStatistics(stats, out);
  const sound = await readdir(out);
  const left = ['images-0123456789abcdef.safetensors', 'sums-0123456789abcdef.safetensors.123.4.part', 'manifest.json.9.1.part']; // prettier-ignore
  const others = ['notes.txt', 'sums-mine.safetensors', 'x.123.4.part'];
  for (const name of [...left, ...others]) await writeFile(path.join(out, name), 'x');
  await saveStatistics(stats, out);
  assert.deepEqual((await readdir(out)).sort(), [...sound, ...others].sort());
  same(await loadStatistics(out), stats);
});

test('damaged statistics of version 1 are refused at once', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'old');
  const stats = syntheticStatistics({images: 8});
  stats.hits[0] = 1e30;
  await writeVersion1(stats, folder);
  await refused(/hits\[0\] is 1e\+30/, loadStatistics(folder));
});
