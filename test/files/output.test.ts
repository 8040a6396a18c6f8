import assert from 'node:assert/strict';
import {mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {makeFolder, refuseForeignFile, refuseInput, replaceFile} from '../../src/files/output';
import {loadModel} from '../../src/formats/load';
import {makeModel} from '../../src/network/model';
import {saveModel} from '../../src/formats/save';
import {InputError} from '../../src/common/errors';
import {fullDisk} from '../reference/fullDisk';
import {smallModel} from '../reference/smallNetworks';

before(() => ensureBackend());

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-output-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof InputError && (assert.match(error.message, pattern), true);

test('a model replaces itself, and nothing else unless it is forced', async (t) => {
  const folder = await folderFor(t);
  const at = (name: string) => path.join(folder, name);
  const [one, two] = [smallModel({kind: 'conv'}), smallModel({kind: 'conv', seed: 2})];
  await saveModel(one, at('m'));
  await saveModel(one, at('m'));
  await assert.rejects(saveModel(two, at('m')), refused(/holds another model \(.{8}\) than small \(.{8}\)/));
  const renamed = makeModel(one.graph, {...one, classNames: ['a', 'b', 'c', 'd']});
  await assert.rejects(saveModel(renamed, at('m')), refused(/with another preset or other class names/));
  assert.equal((await loadModel(at('m'))).hash, one.hash);
  await saveModel(two, at('m'), {force: true});
  assert.equal((await loadModel(at('m'))).hash, two.hash);
});

test('a model is never written to where it was loaded from, forced or not, by whatever path', async (t) => {
  const folder = await folderFor(t);
  const at = (...names: string[]) => path.join(folder, ...names);
  await saveModel(smallModel({kind: 'conv'}), at('m'));
  await symlink(at('m'), at('link'));
  for (const source of ['m', 'link']) {
    const loaded = await loadModel(at(source));
    for (const out of [at('m'), at('link'), at('m', 'deeper', 'still'), at('link', 'new')]) {
      await assert.rejects(saveModel(loaded, out, {force: true}), refused(/lies in the input/));
    }
    await saveModel(loaded, at('copy'));
  }
  const byFile = await loadModel(at('m', 'model.json'));
  await assert.rejects(saveModel(byFile, at('m'), {force: true}), refused(/is the folder of the input/));
  assert.deepEqual((await readdir(at('m'))).sort(), ['model.json', 'weights.bin']);
});

test('links are followed to the deepest folder that exists, also above `..`', async (t) => {
  const folder = await folderFor(t);
  const at = (...names: string[]) => path.join(folder, ...names);
  await mkdir(at('images', 'inner'), {recursive: true});
  await mkdir(at('images-not'));
  await symlink(at('images', 'inner'), at('link'));
  await assert.rejects(refuseInput(at('link', 'a', 'b'), [at('images')]), refused(/lies in the input/));
  await assert.rejects(refuseInput(`${at('link')}/../new`, [at('images')]), refused(/lies in the input/));
  await refuseInput(at('images-not', 'new'), [at('images')]);
  await refuseInput(folder, [at('images'), undefined]);
});

test('a full disk is told in one sentence, leaves nothing behind, and does not spoil the folder', async (t) => {
  const folder = await folderFor(t);
  const model = smallModel({kind: 'conv'});
  for (const name of ['weights.bin', 'model.json']) {
    const out = path.join(folder, 'made', name);
    const disk = fullDisk(t, name);
    await assert.rejects(saveModel(model, out), refused(/cannot write ".*": the disk is full; free some space/));
    disk.mock.restore();
    assert.deepEqual(await readdir(folder), [], 'the folders that were made are gone');
    await saveModel(model, out);
    assert.equal((await loadModel(out)).hash, model.hash);
    await rm(path.join(folder, 'made'), {recursive: true});
  }
  const file = path.join(folder, 'page.html');
  await writeFile(file, 'before');
  const disk = fullDisk(t, 'page.html');
  await assert.rejects(replaceFile(file, 'x'.repeat(100)), refused(/page\.html": the disk is full; free some space/));
  disk.mock.restore();
  assert.deepEqual(await readdir(folder), ['page.html']);
  assert.equal(await readFile(file, 'utf8'), 'before');
});

test('remains of a killed save do not matter, nor do they stay', async (t) => {
  const folder = await folderFor(t);
  const model = smallModel({kind: 'conv'});
  const remains = ['weights.bin', 'weights.bin.12.3.part', 'model.json.12.4.part', 'weights-0123456789abcdef.bin'];
  for (const last of [1, 2, 4]) {
    const out = path.join(folder, String(last));
    await mkdir(path.join(out, '.unweave-lock'), {recursive: true});
    for (const name of remains.slice(0, last)) await writeFile(path.join(out, name), 'half');
    await saveModel(model, out);
    assert.deepEqual((await readdir(out)).sort(), ['model.json', 'weights.bin']);
    assert.equal((await loadModel(out)).hash, model.hash);
  }
  // Without our lock, a file of such a name may be anybody's.
  await mkdir(path.join(folder, 'other'));
  await writeFile(path.join(folder, 'other', 'weights.bin'), 'of somebody else');
  await assert.rejects(saveModel(model, path.join(folder, 'other')), refused(/holds something else \(weights\.bin\)/));
});

test('another model takes the place of one by force, without touching its weights before', async (t) => {
  const folder = await folderFor(t);
  const [one, two] = [1, 2].map((seed) => smallModel({kind: 'conv', seed}));
  await saveModel(one, folder);
  await saveModel(two, folder, {force: true});
  const [json, weights, ...others] = (await readdir(folder)).sort();
  assert.deepEqual([json, others], ['model.json', []]);
  assert.match(weights, /^weights-[0-9a-f]{16}\.bin$/);
  assert.equal((await loadModel(folder)).hash, two.hash);
  await saveModel(two, folder);
  assert.deepEqual((await readdir(folder)).sort(), ['model.json', 'weights.bin']);
});

test('a folder that was made is taken away again while nothing is in it', async (t) => {
  const folder = await folderFor(t);
  const deep = path.join(folder, 'a', 'b', 'c');
  await (
    await makeFolder(deep)
  )();
  assert.deepEqual(await readdir(folder), []);
  const takeAway = await makeFolder(deep);
  await writeFile(path.join(folder, 'a', 'mine'), '');
  await takeAway();
  assert.deepEqual(await readdir(path.join(folder, 'a')), ['mine']);
  await (
    await makeFolder(path.join(folder, 'a'))
  )();
  assert.deepEqual(await readdir(folder), ['a'], 'it was there before');
});

test('a file is replaced where it bears the mark, or by force', async (t) => {
  const folder = await folderFor(t);
  const file = path.join(folder, 'page.html');
  await refuseForeignFile(file, 'our mark');
  await writeFile(file, 'somebody else');
  await assert.rejects(refuseForeignFile(file, 'our mark'), refused(/exists, and unweave did not make it/));
  await refuseForeignFile(file, 'our mark', true);
  await writeFile(file, 'this is our mark');
  await refuseForeignFile(file, 'our mark');
  await assert.rejects(refuseForeignFile(folder, 'our mark', true), refused(/it is not a file/));
});
