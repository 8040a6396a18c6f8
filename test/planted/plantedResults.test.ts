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
  await writeFile(path.join(out, 'manifest.json'), 'null');
  await assert.rejects(openResults(out, {seed: 3}), refused(/holds something else \(manifest\.json\)/));
});
