import assert from 'node:assert/strict';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {loadModel, type LoadModelOptions} from '../../src/formats/load';
import {saveOnnx} from '../../src/formats/onnx';
import {decodeModel, encodeModel} from '../../src/formats/onnx/proto';
import {smallModel} from '../reference/smallNetworks';
import {temporaryFolder} from '../reference/temporaryFolder';

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof InputError && (assert.match(error.message, pattern), true);

test('what was saved beside an ONNX network is checked field by field', async (t) => {
  await ensureBackend();
  const file = path.join(await temporaryFolder(t), 'x.onnx');
  await saveOnnx(smallModel({kind: 'conv'}), file);
  const whole = decodeModel(await readFile(file), file);
  const kept = whole.metadataProps.find(({key}) => key === 'unweave');
  assert.ok(kept);
  const saved = JSON.parse(kept.value) as Record<string, unknown>;
  const damaged = async (change: object, pattern: RegExp) => {
    kept.value = JSON.stringify({...saved, ...change});
    await writeFile(file, encodeModel(whole));
    await assert.rejects(loadModel(file), refused(pattern));
  };
  await damaged({classNames: [1, 2]}, /ONNX file is damaged: classNames\.0 is not valid.*save the model again/);
  await damaged({classNames: 'abcd'}, /classNames is not valid/);
  await damaged({preset: {name: 'own', mean: ['x', 0, 0], std: [1, 1, 1]}}, /invalid mean in preset/);
  await damaged({preset: 7}, /preset is not valid/);
  await damaged({origins: [null]}, /origins\.0 is not valid/);
  kept.value = JSON.stringify(saved);
  await writeFile(file, encodeModel(whole));
  (await loadModel(file)).dispose();
  for (const classNames of ['abcd', [1], [], 7, {0: 'a'}] as unknown as LoadModelOptions['classNames'][]) {
    await assert.rejects(loadModel(file, {classNames}), refused(/invalid classNames: .*a list of texts, one for each/));
  }
});
