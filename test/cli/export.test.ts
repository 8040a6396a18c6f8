import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import {after, before, test} from 'node:test';
import {readSafetensors} from '../../src/files/safetensors';
import {loadModel} from '../../src/formats/load';
import {dividedChannels} from '../../src/split/rewrite';
import {at, fails, makeFolder, removeFolder, succeeds} from '../reference/commandLine';
import {CLASSES} from '../reference/smallNetworks';

before(makeFolder);
after(removeFolder);

test('a split is exported as ONNX, for PyTorch and for tfjs, and a model as it is', async () => {
  await succeeds('collect', 'model', 'images', '--layer', 'studied', '--out', 'stats');
  await succeeds(
    'split',
    'model',
    'stats',
    '--channel',
    '2',
    '--concept',
    '0,3',
    '--concept',
    '1',
    '--concept',
    '2',
    '--rho',
    '0.5',
    '--out',
    'three',
  );
  await writeFile(at('mine.safetensors'), 'mine');
  for (const [format, out] of [
    ['onnx', 'export.onnx'],
    ['torch', 'export.safetensors'],
    ['tfjs', 'exported'],
  ]) {
    type Exported = {out: string; format: string; layer: string; channel: number};
    const {layer, ...written} = await succeeds<Exported>('export', 'model', 'three', '--out', out);
    assert.deepEqual(written, {out, format, channel: 2});
    assert.equal(layer, 'studied');
    if (format !== 'torch') assert.deepEqual(dividedChannels((await loadModel(at(out))).graph, layer), [2]);
  }
  const parts = (await readSafetensors(at('export.safetensors'))).arrays.get('parts');
  assert.equal(parts?.shape[0], 4);
  await succeeds('export', 'model', '--out', 'whole.onnx');
  assert.equal((await loadModel(at('whole.onnx'))).classes, CLASSES);
  await fails(/for PyTorch the parts of a split are written/, 'export', 'model', '--to', 'torch', '--out', 'whole');
  await fails(/unweave did not make it/, 'export', 'model', 'three', '--out', 'mine.safetensors');
});
