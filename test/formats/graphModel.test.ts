import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {loadGraphModel} from '@tensorflow/tfjs-converter';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {compileGraph} from '../../src/network/run';
import {smallGraphModel} from '../reference/smallGraphModel';

describe('tfjs graph models', () => {
  let place: string;
  before(async () => {
    await ensureBackend();
    place = await mkdtemp(path.join(tmpdir(), 'unweave-graph-model-'));
  });
  after(() => rm(place, {recursive: true}));

  async function saved(network = smallGraphModel()): Promise<string> {
    const {modelTopology, specs, data} = network;
    await writeFile(path.join(place, 'weights.bin'), data);
    const weightsManifest = [{paths: ['weights.bin'], weights: specs}];
    await writeFile(
      path.join(place, 'model.json'),
      JSON.stringify({format: 'graph-model', modelTopology, weightsManifest}),
    );
    return place;
  }

  test('compute what tfjs computes', async () => {
    const {modelTopology, specs, data} = smallGraphModel();
    const weightData = new Uint8Array(data).buffer;
    const theirs = await loadGraphModel(tf.io.fromMemory({modelTopology, weightSpecs: specs, weightData}));
    const model = await loadModel(await saved());
    tf.tidy(() => {
      const images = tf.randomUniform([2, 9, 9, 3], -1, 1, 'float32', 5);
      const expected = (theirs.predict(images) as tf.Tensor).arraySync() as number[][];
      const graph = compileGraph(model.graph);
      const found = Object.values(graph.run(images))[0].arraySync() as number[][];
      graph.dispose();
      const errors = expected.flat().map((value, at) => Math.abs(value - found.flat()[at]));
      assert.ok(Math.max(...errors) < 1e-5, String(errors));
    });
    theirs.dispose();
    model.dispose();
  });

  test('layers are called after their weights', async () => {
    const model = await loadModel(await saved());
    assert.deepEqual(
      model.layers().map(({name}) => name),
      ['conv1', 'gate', 'dense'],
    );
    assert.ok(!model.graph.nodes.some(({operator}) => operator === 'Permute'));
  });

  test('unknown operators are listed, damage ends in a sentence', async () => {
    const sentence = (pattern: RegExp) => (error: unknown) =>
      error instanceof InputError && pattern.test(error.message);
    const unknown = smallGraphModel();
    for (const node of unknown.modelTopology.node)
      if (node.op === 'Sigmoid' || node.op === 'Relu') node.op = `Un${node.op}`;
    await assert.rejects(
      loadModel(await saved(unknown)),
      sentence(/not read: UnSigmoid \(.*gate\/Sigmoid\); UnRelu \(/),
    );
    const missing = smallGraphModel();
    missing.modelTopology.node[1].name = 'other';
    await assert.rejects(loadModel(await saved(missing)), sentence(/has no weight "other"/));
    const short = smallGraphModel();
    await assert.rejects(loadModel(await saved({...short, data: short.data.subarray(4)})), sentence(/truncated/));
    for (const [padding, pattern] of [
      ['RVhQTElDSVQ=', /explicit_paddings is \[\]; padding is SAME, VALID, or EXPLICIT with eight amounts/],
      ['U0FNRlM=', /padding is "SAMFS"/],
    ] as const) {
      const odd = smallGraphModel();
      for (const {attr} of odd.modelTopology.node) if (attr && 'padding' in attr) attr['padding'] = {s: padding};
      await assert.rejects(loadModel(await saved(odd)), sentence(pattern));
    }
  });
});
