import assert from 'node:assert/strict';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {readOnnx, saveOnnx} from '../../src/formats/onnx';
import {decodeModel} from '../../src/formats/onnx/proto';
import type {Graph, GraphNode, Weight} from '../../src/network/graph';
import type {Model} from '../../src/network/types';
import {golden, goldenError, goldenFile} from '../reference/onnxGolden';

const modelOf = (graph: Graph, source?: string): Model =>
  ({
    name: 'small',
    graph,
    hash: 'abc',
    inputShape: graph.nodes[0].args['shape'],
    classNames: ['cat', 'dog', 'owl', 'fox'],
    origins: ['first'],
    source,
  }) as unknown as Model;

/** A layer with one channel divided in two parts that own every other weight, and a residue: the slow way, by its definition. */
function divided(graph: Graph, name: string, channel: number): Graph {
  const layer = graph.nodes.find((node) => node.name === name) as GraphNode;
  const kernel = layer.weights.find((weight) => weight.name === 'kernel') as Weight;
  const bias = layer.weights.find((weight) => weight.name === 'bias');
  const groups = (layer.args['groups'] as number | undefined) ?? 1;
  const [seen, outputs] = kernel.shape.slice(-2);
  const rows = kernel.data.length / outputs;
  const column = Float32Array.from({length: rows}, (_, row) => kernel.data[row * outputs + channel]);
  const parts = [0, 1].map((j) => column.map((w, row) => (row % 3 === j ? 0 : w)));
  const residue = column.map((w, row) => (row % 3 === 2 ? w : 0));
  const own = kernel.data.slice();
  parts[0].forEach((w, row) => (own[row * outputs + channel] = w));
  const first = Math.floor((channel * groups) / outputs) * seen;
  // What is added sees all channels.
  const wideRows = rows * groups;
  const added = new Float32Array(wideRows * 2);
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(row / seen) * seen * groups + first + (row % seen);
    added.set([parts[1][row], residue[row]], at * 2);
  }
  const merge = new Float32Array((outputs + 2) * outputs);
  for (let c = 0; c < outputs; c++) merge[c * outputs + c] = 1;
  merge[outputs * outputs + channel] = 1;
  merge[(outputs + 1) * outputs + channel] = -1;
  const mark = {kind: 'merge' as const, of: name};
  const dense = layer.operator === 'Dense';
  const addedBias = bias && Float32Array.from([bias.data[channel], bias.data[channel]]);
  const lead = kernel.shape.slice(0, -2);
  const beside: GraphNode = {
    ...layer,
    name: `${name}_parts`,
    args: dense ? {} : {...layer.args, groups: 1},
    weights: [
      {name: 'kernel', shape: [...lead, seen * groups, 2], data: added},
      ...(addedBias ? [{name: 'bias', shape: [2], data: addedBias}] : []),
    ],
    mark,
  };
  const rank = dense && name !== 'pwconv1' ? 1 : 3;
  const joined: GraphNode = {
    name: `${name}_joined`,
    operator: 'Concatenate',
    args: {axis: rank},
    inputs: [name, beside.name],
    weights: [],
    mark,
  };
  const sum: GraphNode = {
    name: `${name}_merge`,
    operator: layer.operator,
    args: dense ? {} : {strides: [1, 1], padding: 'valid', dilationRate: [1, 1], groups: 1},
    inputs: [joined.name],
    weights: [{name: 'kernel', shape: [...(dense ? [] : [1, 1]), outputs + 2, outputs], data: merge}],
    mark,
  };
  const changed = {...layer, weights: [{...kernel, data: own}, ...(bias ? [bias] : [])]};
  const after = (input: string) => (input === name ? sum.name : input);
  return {
    inputs: graph.inputs,
    outputs: graph.outputs.map(after),
    nodes: graph.nodes.flatMap((node) =>
      node === layer ? [changed, beside, joined, sum] : [{...node, inputs: node.inputs.map(after)}],
    ),
  };
}

describe('saving ONNX', () => {
  let place: string;
  before(async () => {
    await ensureBackend();
    place = await mkdtemp(path.join(tmpdir(), 'unweave-onnx-'));
  });
  after(() => rm(place, {recursive: true}));

  test('every operator is written so that it is read as the same function', async () => {
    for (const name of Object.keys(golden.logits).map((key) => key.replace(/\.onnx$/, ''))) {
      const {graph} = await readOnnx(goldenFile(name));
      const file = path.join(place, 'plain.onnx');
      await saveOnnx(modelOf(graph), file, {force: true});
      const again = await readOnnx(file);
      assert.ok(goldenError(again.graph, name) < 1e-5, name);
      const layers = ({nodes}: Graph) =>
        nodes.filter(({operator}) => /Conv|Dense|Norm/.test(operator)).map((node) => node.name);
      if (name !== 'convnext.ts13') assert.deepEqual(layers(again.graph), layers(graph));
    }
  });

  test('class names, preset and origins come back', async () => {
    const {graph} = await readOnnx(goldenFile('residual.ts17'));
    const file = path.join(place, 'records.onnx');
    await saveOnnx(modelOf(graph), file);
    const again = await readOnnx(file);
    assert.deepEqual([again.classNames, again.origins], [['cat', 'dog', 'owl', 'fox'], ['first']]);
  });

  for (const [network, layers] of [
    ['residual.ts17', ['conv1', 'layer1.0', 'fc']],
    ['residual.dynamo20', ['conv1', 'fc']],
    ['shuffle.dynamo20', ['stem', 'grouped']],
    ['convnext.ts17', ['stem.0', 'pwconv1', 'head']],
    ['flattened.ts11', ['features.5', 'classifier.1']],
    ['keras.tf2onnx15', ['conv1', 'dense']],
  ] as const) {
    test(`${network}: the original file with ${layers.join(', ')} divided computes the same`, async () => {
      const source = goldenFile(network);
      const {graph} = await readOnnx(source);
      const file = path.join(place, `${network}.onnx`);
      const split = layers.reduce((whole, name) => divided(whole, name, 1), graph);
      assert.ok(goldenError(split, network) < 1e-5);
      await saveOnnx({model: modelOf(split, source)}, file, {force: true});
      const again = await readOnnx(file);
      assert.ok(goldenError(again.graph, network) < 1e-5);
      const marked = (of: Graph) =>
        of.nodes.filter(({mark}) => mark?.kind === 'merge').map(({name, operator, mark}) => [name, operator, mark?.of]);
      assert.deepEqual(marked(again.graph), marked(split));
      // All that was not divided is the file's own.
      const [before, now] = await Promise.all([source, file].map(async (one) => decodeModel(await readFile(one), one)));
      assert.deepEqual(
        now.graph.input.map(({name}) => name),
        before.graph.input.map(({name}) => name),
      );
      assert.deepEqual(
        now.graph.output.map(({name}) => name),
        before.graph.output.map(({name}) => name),
      );
      assert.equal(now.graph.node.length, before.graph.node.length + 3 * layers.length);
    });
  }

  test('a network that is not what its file computes is written node by node', async () => {
    const source = goldenFile('residual.ts17');
    const {graph} = await readOnnx(goldenFile('residual.apart17'));
    const file = path.join(place, 'other.onnx');
    await saveOnnx(modelOf(graph, source), file);
    assert.equal(decodeModel(await readFile(file), file).producerName, 'unweave');
  });

  test('nothing is written over an input or a file of others', async () => {
    const source = goldenFile('residual.ts17');
    const {graph} = await readOnnx(source);
    const sentence = (pattern: RegExp) => (error: unknown) =>
      error instanceof InputError && pattern.test(error.message);
    await assert.rejects(saveOnnx(modelOf(graph, source), source), sentence(/lies in the input/));
    const foreign = path.join(place, 'foreign.onnx');
    await writeFile(foreign, await readFile(source));
    await assert.rejects(saveOnnx(modelOf(graph), foreign), sentence(/unweave did not make it/));
    await assert.rejects(saveOnnx(modelOf(graph), path.join(place, 'model.bin')), sentence(/does not end in \.onnx/));
  });
});
