import assert from 'node:assert/strict';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../../src/engine';
import {readLayersModel} from '../../src/formats/layersModel/read';
import type {Graph} from '../../src/network/graph';
import {graphValues} from '../reference/graphValues';

/** Networks as people have them, beside the repository; the project neither ships nor needs them. */
const cases = path.join(__dirname, '../../../shared/cases');
const absent = existsSync(cases) ? false : '../shared/cases is absent';

/** The output before a final squashing. */
function logits(graph: Graph): Graph {
  const last = graph.nodes.find(({name}) => name === graph.outputs[0]);
  return last && ['Softmax', 'Activation'].includes(last.operator) ? {...graph, outputs: last.inputs} : graph;
}

test('networks of Keras 1 to 3 give the logits of an independent forward pass', {skip: absent}, async () => {
  await ensureBackend();
  const images = tf.tensor(JSON.parse(readFileSync(path.join(cases, 'x.json'), 'utf8')));
  let compared = 0;
  for (const kind of readdirSync(cases).filter((name) => !/\.(md|json)$/.test(name))) {
    for (const name of readdirSync(path.join(cases, kind))) {
      const folder = path.join(cases, kind, name);
      const expectedFile = path.join(folder, 'expected.json');
      if (!existsSync(expectedFile) || !existsSync(path.join(folder, 'model.json'))) continue;
      const expected = (JSON.parse(readFileSync(expectedFile, 'utf8')).logits as number[][] | null)?.flat();
      if (!expected) continue;
      const {graph} = await readLayersModel(path.join(folder, 'model.json'), {inputSize: [16, 16]});
      const [output] = graphValues(logits(graph), images);
      const got = output.dataSync();
      const largest = Math.max(...expected.map(Math.abs));
      expected.forEach((value, at) =>
        assert.ok(Math.abs(value - got[at]) <= 1e-4 * largest, `${kind}/${name}: ${got[at]}, not ${value}`),
      );
      output.dispose();
      compared += 1;
    }
  }
  assert.ok(compared >= 40, `${compared} networks were compared`);
  images.dispose();
});

const refused: [string, RegExp][] = [
  ['keras-preprocessing-inside/tfjs-lambda', /Lambda "lambda".*preprocessing.*preset/],
  ['lfs-pointers/tfjs-lfs', /Git LFS pointer.*git lfs pull/],
  ['hostile/tfjs/entry-null', /damaged: weightsManifest describes null/],
  ['hostile/tfjs/inbound-missing', /reads layer "convX", which does not exist/],
  ['hostile/tfjs/names-dup-layer', /two layers are called/],
];
for (const [name, sentence] of refused) {
  test(`${name} is refused in one sentence`, {skip: absent}, async () => {
    await assert.rejects(readLayersModel(path.join(cases, name, 'model.json')), (error: Error) => {
      assert.equal(error.name, 'InputError');
      assert.match(error.message, sentence);
      return true;
    });
  });
}
