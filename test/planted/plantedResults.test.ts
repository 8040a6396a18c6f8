import {createHash} from 'node:crypto';
import assert from 'node:assert/strict';
import fs, {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {openResults} from '../../src/planted/results';
import {InputError} from '../../src/common/errors';

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof InputError && (assert.match(error.message, pattern), true);

test('results of another run are kept unless they are forced; a run that measured nothing gives way', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-planted-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  const out = path.join(folder, 'out');
  await openResults(out, {seed: 1});
  const store = await openResults(out, {seed: 2});
  await store.addNegatives(0, []);
  await assert.rejects(openResults(out, {seed: 3}), refused(/of another run: seed is 2 there and 3 here/));
  assert.deepEqual([...(await openResults(out, {seed: 2})).negativesDone], [0]);
  const append = t.mock.method(fs, 'appendFile', () =>
    Promise.reject(Object.assign(new Error('ENOSPC'), {code: 'ENOSPC'})),
  );
  await assert.rejects(store.addNegatives(1, []), refused(/rows\.jsonl": the disk is full; free some space/));
  append.mock.restore();
  assert.equal((await openResults(out, {seed: 3}, true)).negativesDone.size, 0);
  assert.deepEqual(await readdir(out), ['manifest.json']);
  assert.match(await readFile(path.join(out, 'manifest.json'), 'utf8'), /"seed": 3/);
  const rows = path.join(out, 'rows-0123456789abcdef.jsonl');
  await writeFile(rows, 'not ours to keep');
  await openResults(out, {seed: 3});
  assert.deepEqual(await readdir(out), ['manifest.json'], 'what no manifest names goes');
  await writeFile(path.join(out, 'manifest.json'), 'null');
  await assert.rejects(openResults(out, {seed: 3}), refused(/holds something else \(manifest\.json\)/));
});

test('force begins anew where the run is the same, and so does another version of the package', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-planted-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  await (await openResults(folder, {seed: 1})).addNegatives(0, []);
  assert.equal((await openResults(folder, {seed: 1})).negativesDone.size, 1, 'the same call goes on');
  assert.equal((await openResults(folder, {seed: 1}, true)).negativesDone.size, 0);
  await (await openResults(folder, {seed: 1})).addNegatives(0, []);
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  assert.match(String(manifest['unweave']), /^\d+\.\d+\.\d+/);
  await writeFile(file, JSON.stringify({...manifest, unweave: '0.1.0'}));
  await assert.rejects(openResults(folder, {seed: 1}), refused(/of another run: unweave is "0\.1\.0" there and /));
  await writeFile(file, JSON.stringify({...manifest, unweave: undefined}));
  await assert.rejects(openResults(folder, {seed: 1}), refused(/of another run: unweave is not said there and /));
});

const sealed = (said: object) => {
  const text = JSON.stringify(said);
  return JSON.stringify({...said, sha256: createHash('sha256').update(text).digest('hex')});
};

test('rows are checked one by one', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-planted-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  await openResults(folder, {seed: 1});
  const file = path.join(folder, 'rows.jsonl');
  const row = {
    tier: 'dense', plant: 0, channels: [1, 2], classes: [3, 4], importance: [0.5, null], candidate: true, trueLeakShare: null, rules: {},
  }; // prettier-ignore
  await writeFile(file, `${sealed({row})}\n${sealed({plant: -1, negatives: []})}\n`);
  const {rows} = await openResults(folder, {seed: 1});
  assert.deepEqual(rows[0].importance, [0.5, NaN]);
  const damaged = async (line: object | null, pattern: RegExp) => {
    await writeFile(file, `${line === null ? 'null' : sealed(line)}\n`);
    await assert.rejects(openResults(folder, {seed: 1}), refused(pattern));
  };
  await damaged(null, /rows\.jsonl" is damaged: a line of it is no JSON object.*delete the folder/);
  await damaged({row: {...row, tier: 'other'}}, /row\.tier is not valid/);
  await damaged({row: {...row, plant: -1}}, /row\.plant is not valid/);
  await damaged({row: {...row, rules: {published: {}}}}, /row\.rules\.published\.r is not valid/);
  await damaged({row: {...row, rules: []}}, /row\.rules is not valid \(an object of scores by rule\)/);
  await damaged({row: {...row, importance: [0.5]}}, /row\.importance is not valid \(one for each class\)/);
  await damaged({row: {...row, more: 1}}, /row\.more is not valid/);
  await damaged({plant: 0, negatives: [{kind: 'natural'}]}, /negatives\.0\.negativeCosine is not valid/);
  await writeFile(file, `${sealed({row}).replace('"plant":0', '"plant":1')}\n`);
  await assert.rejects(openResults(folder, {seed: 1}), refused(/a line of it is not the one that was written/));
  await writeFile(file, `${JSON.stringify({row})}\n`);
  await assert.rejects(openResults(folder, {seed: 1}), refused(/its sha256 is missing/));
  await writeFile(file, Buffer.from([0xff, 0xfe, 0xfd, 10]));
  await assert.rejects(openResults(folder, {seed: 1}), refused(/rows\.jsonl/));
});
