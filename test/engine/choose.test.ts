import assert from 'node:assert/strict';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {backend, ensureBackend} from '../../src/engine';
import {findNative} from '../../src/engine/native';
import {eachEngine, keepsTensorCount} from '../reference/engines';

eachEngine('an engine multiplies matrices and leaves no tensor behind', async (_t, engine) => {
  const choice = await ensureBackend();
  assert.equal(choice.name, engine);
  await keepsTensorCount(() => {
    const product = tf.tidy(() => [...tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])).dataSync()]);
    assert.deepEqual(product, [3, 3]);
  });
});

test('the choice says in one line which engine computes and why', async () => {
  const choice = await backend({prefer: 'wasm'});
  if (process.env['UNWEAVE_BACKEND'] !== 'native') assert.equal(choice.name, 'wasm');
  assert.ok(choice.toString().includes(choice.reason));
  assert.ok(!choice.toString().includes('\n'));
});

test("an application's tfjs-node is preferred where it was built, and passed over with a word where it was not", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'unweave-application-'));
  const [cwd, caches] = [process.cwd(), process.env['XDG_CACHE_HOME']];
  t.after(async () => {
    process.chdir(cwd);
    if (caches === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = caches;
    await rm(folder, {recursive: true, force: true});
  });
  const tfjsNode = path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  await mkdir(path.join(tfjsNode, 'lib', 'napi-v8'), {recursive: true});
  await writeFile(
    path.join(tfjsNode, 'package.json'),
    JSON.stringify({name: '@tensorflow/tfjs-node', version: '4.22.0'}),
  );
  process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
  process.chdir(folder);
  const unbuilt = findNative();
  if ('missing' in unbuilt)
    assert.match(unbuilt.missing, /^the application's @tensorflow\/tfjs-node lacks its compiled binding; /);
  else assert.equal(unbuilt.origin, 'cache');
  await writeFile(path.join(tfjsNode, 'lib', 'napi-v8', 'tfjs_binding.node'), '');
  const built = findNative();
  assert.ok(!('missing' in built));
  assert.equal(built.origin, 'application');
});

test('an engine that does not exist is refused with the names of those that do', async (t) => {
  const forced = process.env['UNWEAVE_BACKEND'];
  t.after(() => {
    if (forced === undefined) delete process.env['UNWEAVE_BACKEND'];
    else process.env['UNWEAVE_BACKEND'] = forced;
  });
  process.env['UNWEAVE_BACKEND'] = 'gpu';
  await assert.rejects(backend(), /UNWEAVE_BACKEND is "gpu"; set it to native or wasm/);
});
