import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {cp, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {InputError} from '../../src/common/errors';
import {loadModel} from '../../src/formats/load';
import {saveModel} from '../../src/formats/save';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {collectRelevance} from '../../src/relevance/collect';
import {loadStatistics, saveStatistics} from '../../src/relevance/store';
import {loadSplit, saveSplit} from '../../src/split/store';
import type {PlantRow} from '../../src/planted/types';
import {openResults} from '../../src/planted/results';
import {dyingDisk} from '../reference/dyingDisk';
import {smallImages, smallModel} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {temporaryFolder} from '../reference/temporaryFolder';

before(() => ensureBackend());

/** What is saved, and what tells which of two a folder holds. */
interface Saved {
  save(which: 0 | 1, folder: string, force: boolean): Promise<void>;
  /** Which one is there; every reader of the folder must say the same. @throws InputError where there is none */
  load(folder: string): Promise<number>;
  /** Whether what is there gives way before the first result stands: it is a run that is begun anew. */
  begins?: boolean;
}

function statistics(): Saved {
  const both = [1, 2].map((seed) => syntheticStatistics({seed}));
  const arrays = (stats: RelevanceStatistics) => JSON.stringify([stats.inputSums, stats.kernel, stats.shares, stats.hits].map((values) => Object.values(values))); // prettier-ignore
  return {
    save: (which, folder, force) => saveStatistics(both[which], folder, {force}),
    load: async (folder) => both.map(arrays).indexOf(arrays(await loadStatistics(folder))),
  };
}

function models(): Saved {
  const both = [1, 2].map((seed) => smallModel({kind: 'conv', seed}));
  return {
    save: (which, folder, force) => saveModel(both[which], folder, {force}),
    async load(folder) {
      const {hash} = await loadModel(folder);
      return both.findIndex((model) => model.hash === hash);
    },
  };
}

function splits(): Saved {
  const both = [3, 4].map((seed) => smallSplit({kind: 'conv'}, {seed}));
  const model = smallModel({kind: 'conv'});
  return {
    save: (which, folder, force) => saveSplit(both[which], folder, {force}),
    async load(folder) {
      const {parts, model: after} = await loadSplit(folder, model);
      const found = both.findIndex((split) => split.model.hash === after.hash);
      assert.deepEqual(parts, both[found].parts);
      return found;
    },
  };
}

function results(): Saved {
  const none = {channels: [], classes: [], importance: [], candidate: true, trueLeakShare: 0.5, rules: {}};
  const row = (which: number): PlantRow => ({...none, tier: 'dense', plant: which});
  const opened = (which: number, folder: string, force: boolean) => openResults(folder, {seed: which}, force);
  return {
    begins: true,
    async save(which, folder, force) {
      const store = await opened(which, folder, force);
      if (store.rows.length === 0) await store.addRow(row(which));
    },
    async load(folder) {
      for (const which of [0, 1]) {
        const file = await readFile(path.join(folder, 'manifest.json'), 'utf8').catch(() => '{}');
        if ((JSON.parse(file) as {seed?: number}).seed !== which) continue;
        const {rows} = await opened(which, folder, false);
        // A run that was begun and measured nothing yet is no result.
        if (rows.length === 0) break;
        assert.deepEqual(rows, [row(which)]);
        return which;
      }
      throw new InputError('there are no results');
    },
  };
}

/** A process that is not there any more. */
const ended = spawnSync(process.execPath, ['-e', '']).pid;

/** The folder as the process that starts next finds it: its lock is of a process that is gone. */
async function afterKill(folder: string, to: string): Promise<string> {
  await cp(folder, to, {recursive: true});
  const holder = path.join(to, '.unweave-lock-holder.json');
  const text = await readFile(holder, 'utf8').catch(() => undefined);
  if (text?.endsWith('}')) await writeFile(holder, text.replace(/"pid":\d+/, `"pid":${ended}`));
  return to;
}

/** Every change, or some of them. */
const STEP = Number(process.env['UNWEAVE_TEST_KILL_STEP'] ?? 3);

/** @returns changes that a save makes */
async function killEverywhere(t: TestContext, {save, load, begins}: Saved, over: boolean): Promise<number> {
  const place = await temporaryFolder(t);
  const kinds = async (of: string) => (await readdir(of)).map((name) => name.replace(/-[0-9a-f]{16}/, '')).sort();
  const clean = path.join(place, 'clean');
  if (over) await save(0, clean, false);
  await save(1, clean, over);
  const expected = await kinds(clean);
  for (let n = 1; ; n += STEP) {
    const folder = path.join(place, String(n));
    if (over) await save(0, folder, false);
    const disk = dyingDisk(t, n);
    const outcome = await Promise.race([save(1, folder, over).then(() => 'saved' as const), disk.died]);
    disk.restore();
    if (outcome === 'saved') return disk.count();
    const there = (await readdir(folder).catch(() => undefined)) !== undefined;
    const copy = there ? await afterKill(folder, path.join(place, `${n}-next`)) : folder;
    const found = await load(copy).catch((error: unknown) => {
      assert.ok(error instanceof InputError, `at change ${n}: ${(error as Error).stack}`);
      return undefined;
    });
    assert.ok(found === 1 || found === (over ? 0 : undefined) || begins, `at change ${n}: ${found}`);
    await save(1, copy, over && found === 0);
    assert.equal(await load(copy), 1, `at change ${n}: saved again`);
    assert.deepEqual(await kinds(copy), expected, `at change ${n}: nothing is left`);
  }
}

for (const [name, made] of Object.entries({statistics, models, splits, results})) {
  test(`a save of ${name} that is killed at any change of the disk leaves all of it, or what was there`, async (t) => {
    const saved = made();
    const [fresh, over] = [await killEverywhere(t, saved, false), await killEverywhere(t, saved, true)];
    t.diagnostic(`${fresh} changes of a new folder, ${over} of one that is overwritten`);
    assert.ok(fresh > 3 && over > 3);
  });
}

test('a pass that is killed at any change of the disk goes on from there, and ends as one that was not', async (t) => {
  const place = await temporaryFolder(t);
  const model = smallModel({kind: 'conv'});
  const images = smallImages(12);
  const options = {layer: 'studied', batchSize: 4, checkpointSeconds: 0, progress: false as const};
  const expected = told(await collectRelevance(model, images, options));
  for (let n = 2; ; n += 2 * STEP) {
    const out = path.join(place, String(n));
    const disk = dyingDisk(t, n);
    const outcome = await Promise.race([collectRelevance(model, images, {...options, out}), disk.died]);
    disk.restore();
    if (outcome !== 'died') {
      t.diagnostic(`${disk.count()} changes`);
      assert.ok(disk.count() > 30);
      return;
    }
    const copy = await afterKill(out, path.join(place, `${n}-next`));
    assert.equal(told(await collectRelevance(model, images, {...options, out: copy})), expected, `at change ${n}`);
    assert.equal(told(await loadStatistics(copy)), expected, `at change ${n}, loaded`);
  }
});

/** Every number of them, to the last bit, whatever the order of fields. */
function told(stats: RelevanceStatistics): string {
  const plain = (_key: string, value: unknown): unknown => {
    if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.stringify(stats, plain);
}
