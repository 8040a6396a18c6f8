import assert from 'node:assert/strict';
import {mkdtemp, readdir, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {before, test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {linearLayer} from '../../src/network/linearLayer';
import type {Model} from '../../src/network/types';
import {kernelsFromOwnership} from '../../src/split/kernels';
import {makeSplit} from '../../src/split/split';
import {loadSplit, saveSplit} from '../../src/split/store';
import type {Split} from '../../src/split/types';
import {goldenError, goldenFile} from '../reference/onnxGolden';
import {smallSplit} from '../reference/smallSplits';

before(() => ensureBackend());

test('a split of a network that tfjs has no layers for is saved, loads again, and is split further', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-split-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  const model = await loadModel(goldenFile('rarer.dynamo20'), {preset: 'raw'});
  const splitOf = (before: Model, channel: number): Split => {
    const {name, shape, kernel, bias} = linearLayer(before.graph, before.layers()[0].name);
    const [kh, kw, inputs, outputs] = shape;
    const original = Float32Array.from({length: kh * kw * inputs}, (_, at) => kernel[at * outputs + channel]);
    const ownership = [0, 1].map((j) => Float64Array.from({length: inputs}, (_, i) => Number(i % 2 === j)));
    return makeSplit({
      ...smallSplit({kind: 'conv', size: 3}),
      ...kernelsFromOwnership(original, ownership),
      layer: name,
      channel,
      concepts: [0, 1].map((k) => ({classes: [k], classNames: [`class ${k}`], arv: new Float64Array(inputs)})),
      ownership,
      sources: [[0], [1]],
      original,
      bias: bias?.[channel] ?? 0,
      kernelShape: [kh, kw, inputs],
      before,
    });
  };
  const split = splitOf(model, 1);
  const place = path.join(folder, 'split');
  await saveSplit(split, place);
  await saveSplit(split, place);
  assert.deepEqual((await readdir(place)).sort(), ['model.json', 'split.json', 'split.safetensors', 'weights.bin']);
  const loaded = await loadSplit(place, model);
  assert.equal(loaded.model.hash, split.model.hash);
  assert.ok(goldenError(loaded.model.graph, 'rarer.dynamo20') < 1e-5);
  // The folder is a model, as any split's is.
  const second = splitOf(await loadModel(place, {preset: 'raw'}), 0);
  await saveSplit(second, path.join(folder, 'second'));
  assert.equal((await loadSplit(path.join(folder, 'second'), model)).before.hash, split.model.hash);
});
