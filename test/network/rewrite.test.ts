import assert from 'node:assert/strict';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {graphFrom, modelFrom} from '../../src/formats/modelFrom';
import {foldBatchNorm} from '../../src/network/fold';
import {linearLayer} from '../../src/network/linearLayer';
import {logitsGraph} from '../../src/network/logits';
import {compileGraph} from '../../src/network/run';
import {loadModel} from '../../src/formats/load';
import {graphHash} from '../../src/network/hash';
import {makeModel} from '../../src/network/model';
import {saveModel} from '../../src/formats/save';
import type {Graph} from '../../src/network/graph';
import {InputError} from '../../src/common/errors';
import {collectRelevance} from '../../src/relevance/collect';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {
  CLASSES,
  SIDE,
  SMALL_PRESET,
  smallImages,
  smallLayersModel,
  smallModel,
  STUDIED_LAYERS,
} from '../reference/smallNetworks';

const pictures = () => tf.randomUniform([3, SIDE, SIDE, 3], -1, 1, 'float32', 7) as tf.Tensor4D;

function largestDifference(a: tf.Tensor, b: tf.Tensor): {difference: number; scale: number} {
  const [difference, scale] = [tf.max(tf.abs(tf.sub(a, b))), tf.max(tf.abs(a))].map((tensor) => tensor.dataSync()[0]);
  return {difference, scale};
}

async function folderFor(t: {after: (work: () => Promise<void>) => void}): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof InputError && (assert.match(error.message, pattern), true);

eachEngine('folding batch norm leaves the logits within 1e-4', async () => {
  for (const [what, options] of Object.entries(STUDIED_LAYERS)) {
    const model = smallModel(options);
    await keepsTensorCount(() =>
      tf.tidy(() => {
        const graph = logitsGraph(model.graph);
        const folded = foldBatchNorm(graph, ['studied']);
        assert.ok(folded.nodes.length < graph.nodes.length, what);
        const [plain, rewritten] = [graph, folded].map((one) => compileGraph(one));
        const images = pictures();
        const {difference, scale} = largestDifference(plain.run(images)['logits'], rewritten.run(images)['logits']);
        assert.ok(difference <= 1e-4 * scale, `${what}: ${difference} of ${scale}`);
        plain.dispose();
        rewritten.dispose();
      }),
    );
  }
});

test('batch norm stays unfolded behind the layer of interest', () => {
  const {graph} = smallModel({kind: 'conv', size: 3});
  const names = foldBatchNorm(graph, ['studied']).nodes.map(({name}) => name);
  assert.ok(names.includes('studied_bn') && !names.includes('first_bn'), names.join());
});

test('a trailing softmax is recognised as an activation, as a layer and before a reshape; targets are logits', () => {
  const images = pictures();
  const {layers} = tfl;
  const tails: Record<string, tfl.layers.Layer[]> = {
    activation: [layers.dense({units: 3, activation: 'softmax'})],
    layer: [layers.dense({units: 3}), layers.softmax()],
    'activation layer before a reshape': [
      layers.dense({units: 3}),
      layers.reshape({targetShape: [1, 3]}),
      layers.activation({activation: 'softmax'}),
      layers.reshape({targetShape: [3]}),
    ],
  };
  for (const [what, tail] of Object.entries(tails)) {
    const network = tfl.sequential({layers: [layers.flatten({inputShape: [SIDE, SIDE, 3]}), ...tail]});
    const model = modelFrom(network, {name: what});
    const logits = model.logits(images);
    const probabilities = network.apply(images) as tf.Tensor2D;
    const {difference} = largestDifference(tf.softmax(logits), probabilities);
    assert.ok(difference < 1e-6, what);
    assert.ok(Math.abs(tf.sum(logits).dataSync()[0] - 3) > 1e-3, `${what}: the logits are no probabilities`);
    model.dispose();
  }
});

test('sequential, branching and nested models become graphs that compute the same', () => {
  const {layers} = tfl;
  const inner = tfl.sequential({
    name: 'inner',
    layers: [layers.conv2d({filters: 4, kernelSize: 3, inputShape: [SIDE, SIDE, 3], name: 'c'})],
  });
  const outer = tfl.sequential({layers: [inner, layers.globalAveragePooling2d({} as never), layers.dense({units: 3})]});
  const input = tfl.input({shape: [SIDE, SIDE, 3]});
  const branch = (size: number) =>
    layers.conv2d({filters: 2, kernelSize: size, padding: 'same'}).apply(input) as tfl.SymbolicTensor;
  const joined = layers.concatenate().apply([branch(1), branch(3)]) as tfl.SymbolicTensor;
  const flat = layers.flatten().apply(joined) as tfl.SymbolicTensor;
  const branching = tfl.model({inputs: input, outputs: layers.dense({units: 3}).apply(flat) as tfl.SymbolicTensor});
  for (const network of [outer, branching]) {
    const images = pictures();
    const rebuilt = compileGraph(graphFrom(network));
    const [values] = Object.values(rebuilt.run(images));
    const {difference, scale} = largestDifference(network.apply(images) as tf.Tensor, values);
    assert.ok(difference <= 1e-6 * scale);
  }
  assert.ok(graphFrom(outer).nodes.some(({name}) => name === 'inner/c'));
});

test('a layer that is used twice is two nodes with the same weights', () => {
  const {layers} = tfl;
  const input = tfl.input({shape: [4, 4, 3]});
  const shared = layers.conv2d({filters: 3, kernelSize: 1, name: 'shared'});
  const twice = shared.apply(shared.apply(input)) as tfl.SymbolicTensor;
  const flat = layers.flatten().apply(twice) as tfl.SymbolicTensor;
  const network = tfl.model({inputs: input, outputs: flat});
  const graph = graphFrom(network);
  const uses = graph.nodes.filter(({name}) => name.startsWith('shared'));
  assert.equal(uses.length, 2);
  assert.equal(uses[0].weights[0].data, uses[1].weights[0].data);
  const images = tf.randomUniform([2, 4, 4, 3], -1, 1, 'float32', 7);
  const [values] = Object.values(compileGraph(graph).run(images));
  const {difference, scale} = largestDifference(network.apply(images) as tf.Tensor, values);
  assert.ok(difference <= 1e-6 * scale);
});

test('two inputs, too few outputs and NaN weights are refused', () => {
  const {graph} = smallModel({kind: 'conv'});
  assert.throws(
    () => makeModel({...graph, inputs: ['image', 'other']}, {name: 'm'}),
    refused(/2 inputs and 1 outputs/),
  );
  const nodes = graph.nodes.map((node) =>
    node.name === 'studied'
      ? {...node, weights: node.weights.map((w) => ({...w, data: w.data.map((v, i) => (i === 3 ? NaN : v))}))}
      : node,
  );
  assert.throws(
    () => makeModel({...graph, nodes}, {name: 'm'}),
    refused(/"studied" has a weight that is not finite: kernel\[3\] is NaN/),
  );
});

test('a model that is saved and loaded again has the same hash, preset and class names', async (t) => {
  const folder = path.join(await folderFor(t), 'saved');
  const model = smallModel({kind: 'conv', size: 3, softmax: true});
  const named = makeModel(model.graph, {name: 'named', preset: model.preset, classNames: ['a', 'b', 'c', 'd']});
  await keepsTensorCount(() => saveModel(named, folder));
  const loaded = await keepsTensorCount(() => loadModel(folder));
  assert.equal(loaded.hash, named.hash);
  assert.deepEqual(loaded.preset, named.preset);
  assert.deepEqual(loaded.classNames, ['a', 'b', 'c', 'd']);
  assert.equal(loaded.classes, CLASSES);
  const other = path.join(folder, '..', 'other');
  await mkdir(other);
  await writeFile(path.join(other, 'mine.txt'), 'mine');
  await assert.rejects(saveModel(named, other), refused(/holds something else \(mine\.txt\)/));
  await saveModel(named, folder); // one's own is replaced
});

test('a tfjs model that names no preset is read with one that is marked as assumed, and that results mention', async (t) => {
  const folder = path.join(await folderFor(t), 'saved');
  await saveModel(makeModel(smallModel({kind: 'conv'}).graph, {name: 'plain'}), folder);
  const loaded = await loadModel(folder);
  assert.deepEqual([loaded.preset?.name, loaded.preset?.assumed], ['tf', true]);
  assert.match(String(loaded), /preset tf \(assumed; give preset where it is another\)/);
  const small = smallImages(4);
  const options = {layer: 'studied', progress: false as const, preset: SMALL_PRESET};
  const images = {...small, preset: undefined, pixels: small.pixels};
  assert.match(String(await collectRelevance(loaded, images, options)), /preset small$/m);
  assert.match(String(await loadModel(folder, {preset: 'tf'})), /preset tf$/);
});

test('layers that cannot be analysed are not listed, and refused with the reason', () => {
  const {graph, layers} = smallModel({kind: 'conv', size: 3});
  assert.deepEqual(
    layers().map(({name}) => name),
    ['first', 'studied', 'logits'],
  );
  assert.throws(
    () => linearLayer(graph, 'studied_bn'),
    refused(/"studied_bn" cannot be analysed: a BatchNormalization layer is neither .*: first, studied, logits/),
  );
});

test('damaged, foreign and malicious model files are refused with a reason', async (t) => {
  const folder = await folderFor(t);
  const saved = path.join(folder, 'saved');
  await saveModel(smallModel({kind: 'conv'}), saved);
  const file = path.join(saved, 'model.json');
  const good = JSON.parse(await readFile(file, 'utf8')) as {
    weightsManifest: {paths: string[]; weights: {shape: number[]}[]}[];
  };
  const rejects = async (json: unknown, pattern: RegExp) => {
    await writeFile(file, typeof json === 'string' ? json : JSON.stringify(json));
    await assert.rejects(loadModel(saved), refused(pattern));
  };
  await assert.rejects(loadModel(path.join(folder, 'nowhere')), refused(/no model at/));
  await assert.rejects(loadModel(folder), refused(/no "model.json" in/));
  await assert.rejects(loadModel(saved, {arch: 'resnet18'}), refused(/describes itself/));
  for (const content of ['image,label\na.png,1\n', 'hello']) {
    await writeFile(path.join(folder, 'labels.csv'), content);
    await assert.rejects(
      loadModel(path.join(folder, 'labels.csv')),
      refused(/labels\.csv is a text file, not a PyTorch checkpoint/),
    );
  }
  await rejects('{', /not valid JSON/);
  await rejects({format: 'graph-model'}, /not a tfjs graph model: modelTopology.node is missing/);
  await rejects({some: 'thing'}, /not a tfjs LayersModel/);
  const change = (edit: (copy: typeof good) => void) => {
    const copy = structuredClone(good);
    edit(copy);
    return copy;
  };
  await rejects(
    change((copy) => (copy.weightsManifest[0].paths = ['../../../etc/passwd'])),
    /outside its folder/,
  );
  await rejects(
    change((copy) => (copy.weightsManifest[0].paths = ['gone.bin'])),
    /"gone.bin".*is missing/,
  );
  await rejects(
    change((copy) => (copy.weightsManifest[0].weights[0].shape = [1e6, 1e6])),
    /describes 4000000\d+ bytes of weights; the model is damaged/,
  );
  await writeFile(file, JSON.stringify(good));
  const weights = await readFile(path.join(saved, 'weights.bin'));
  await writeFile(path.join(saved, 'weights.bin'), weights.subarray(0, 100));
  await assert.rejects(loadModel(saved), refused(/hold 100 bytes, but/));
});

test('the hash tells weights and topology apart', () => {
  const {graph} = smallModel({kind: 'conv'});
  const changed: Graph = {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      weights: node.weights.map((w) => ({...w, data: w.data.map((v) => v + 1)})),
    })),
  };
  assert.notEqual(graphHash(graph), graphHash(changed));
  assert.equal(graphHash(graph), graphHash(graphFrom(smallLayersModel({kind: 'conv'}))));
});
