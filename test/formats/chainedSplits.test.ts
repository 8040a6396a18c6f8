import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {saveOnnx} from '../../src/formats/onnx';
import {saveModel} from '../../src/formats/save';
import {nodeOf, weightOf, type Graph} from '../../src/network/graph';
import {linearLayer} from '../../src/network/linearLayer';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import {kernelsFromOwnership} from '../../src/split/kernels';
import {divideChannel, dividedChannels} from '../../src/split/rewrite';
import {goldenError, goldenFile} from '../reference/onnxGolden';
import {uniform} from '../reference/smallNetworks';

type Division = readonly [layer: string, channel: number, concepts: number];

function divided(model: Model, [name, channel, concepts]: Division, seed: number): Model {
  const {kernel, shape} = linearLayer(model.graph, name);
  const [kh, kw, inputs, outputs] = shape;

  const original = Float32Array.from({length: kh * kw * inputs}, (_, at) => kernel[at * outputs + channel]);
  const draw = uniform(seed);
  const ownership = Array.from({length: concepts}, () => Float64Array.from({length: inputs}, draw));
  const graph = divideChannel(model.graph, name, channel, kernelsFromOwnership(original, ownership));
  const {preset, source, hash} = model;
  return makeModel(graph, {name: 'divided', preset, source, origins: [...model.origins, hash]});
}

const channelsOf = ({graph}: Model, divisions: readonly Division[]) =>
  divisions.map(([layer]) => [layer, dividedChannels(graph, layer)]);

/** Several channels and layers, one layer in two goes, late layers before early ones. */
const NETWORKS: Readonly<Record<string, readonly Division[]>> = {
  'residual.ts17': [
    ['fc', 2, 2],
    ['conv1', 3, 3],
    ['layer1.0', 1, 2],
    ['conv1', 0, 2],
  ],
  'shuffle.dynamo20': [
    ['grouped', 3, 2],
    ['stem', 1, 2],
    ['grouped', 0, 3],
    ['stem', 0, 2],
  ],
};

describe('splits of several channels and layers', () => {
  let place: string;
  before(async () => {
    await ensureBackend();
    place = await mkdtemp(path.join(tmpdir(), 'unweave-chained-'));
  });
  after(() => rm(place, {recursive: true}));

  for (const [name, divisions] of Object.entries(NETWORKS)) {
    for (const format of ['the ONNX file, widened', 'ONNX, node by node', 'LayersModel'] as const) {
      test(`${name} as ${format}, loaded and divided further`, async () => {
        const original = await loadModel(goldenFile(name), {preset: 'raw'});
        let model = format.includes('widened') ? original : makeModel(original.graph, {name, preset: original.preset});
        for (const [at, division] of divisions.entries()) {
          model = divided(model, division, at + 1);
          assert.ok(goldenError(model.graph, name) < 1e-5);
          const target = path.join(place, `${name}.${at}${format.includes('ONNX') ? '.onnx' : ''}`);
          if (format.includes('ONNX')) await saveOnnx(model, target, {force: true});
          else await saveModel(model, target, {force: true});
          const again = await loadModel(target, {preset: 'raw'});
          assert.ok(goldenError(again.graph, name) < 1e-5);
          assert.deepEqual(channelsOf(again, divisions), channelsOf(model, divisions));
          assert.deepEqual(again.origins, model.origins);
          // The next division goes on from the file; the first file of all stays the one that is widened.
          if (!format.includes('widened')) model = again;
          else if (at === 1) model = makeModel(again.graph, {...again, source: original.source});
        }
      });
    }
  }

  test('a grouped layer keeps the weights of what was added in its channel’s group', async () => {
    const model = await loadModel(goldenFile('shuffle.dynamo20'), {preset: 'raw'});
    const {groups, shape} = linearLayer(model.graph, 'grouped');
    const [, , inputs, outputs] = shape;
    const channel = outputs - 1;
    const target = path.join(place, 'grouped.onnx');
    const whole = divided(model, ['grouped', channel, 2], 1);
    await saveOnnx(whole, target);
    const graphs: Graph[] = [whole.graph, (await loadModel(target, {preset: 'raw'})).graph];
    for (const graph of graphs) {
      assert.deepEqual(nodeOf(graph, 'grouped').args['groups'], groups);
      const parts = graph.nodes.find(({operator, mark}) => operator === 'Conv2D' && mark?.of === 'grouped')!;
      const {data} = weightOf(parts, 'kernel')!; // [kh, kw, Cin, 2]
      const group = Math.floor((channel * groups) / outputs);
      const outside = data.filter((_, at) => Math.floor(((Math.floor(at / 2) % inputs) * groups) / inputs) !== group);
      assert.ok(outside.length > 0 && outside.every((weight) => weight === 0));
      assert.ok(data.some((weight) => weight !== 0));
    }
  });
});
