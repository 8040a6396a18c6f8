import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {ARCHITECTURES, buildArchitecture, expectedWeights} from '../../src/formats/architectures';
import {nodeOf, weightOf, type Graph} from '../../src/network/graph';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {logitError} from '../reference/logitError';
import {seededImages, seededWeights} from '../reference/seededWeights';

interface Golden {
  classes: number;
  images: number;
  networks: Record<string, {weights: number; logits: number[][]}>;
}
/** Logits that PyTorch computes in float64; test/reference/torch/makeLogits.py wrote them. */
const golden = JSON.parse(readFileSync(join(__dirname, '../data/architectures.json'), 'utf8')) as Golden;

/** Names and shapes alone, where values do not matter. */
function unfilledWeights(name: string, classes: number): Map<string, {shape: number[]; data: Float32Array}> {
  return new Map([...expectedWeights(name, classes)].map(([key, shape]) => [key, {shape, data: new Float32Array(0)}]));
}

/** Some that stand for their families; UNWEAVE_TEST_ALL=1 takes all (many minutes on WebAssembly). */
const tested = process.env['UNWEAVE_TEST_ALL']
  ? ARCHITECTURES.map(({name}) => name)
  : ['resnet18', 'resnet50', 'resnet20', 'squeezenet1_1', 'googlenet', 'mobilenet_v2', 'tf_efficientnet_lite0'];
for (const name of tested) {
  /** Made once: both engines take it. */
  let shared: Graph | undefined;
  eachEngine(`${name} computes PyTorch's logits`, async (t) => {
    const {inputShape} = ARCHITECTURES.find((architecture) => architecture.name === name)!;
    const graph = (shared ??= buildArchitecture(name, seededWeights(expectedWeights(name, golden.classes))));
    const [height] = inputShape;
    const images = seededImages(golden.images, height);
    const error = await keepsTensorCount(() => logitError(graph, images, golden.networks[name].logits));
    t.diagnostic(`relative error ${error.toExponential(1)}`);
    assert.ok(error < 2e-5, `relative error ${error}`);
  });
}

test('every architecture asks for the weights that PyTorch has', () => {
  for (const {name} of ARCHITECTURES) {
    assert.equal(expectedWeights(name, golden.classes).size, golden.networks[name].weights, name);
  }
  assert.deepEqual(expectedWeights('resnet50', 1000).get('layer4.0.downsample.0.weight'), [2048, 1024, 1, 1]);
  assert.deepEqual(expectedWeights('wide_resnet50_2', 1000).get('layer3.1.conv2.weight'), [512, 512, 3, 3]);
  assert.deepEqual(expectedWeights('resnet110', 10).get('layer3.17.conv2.weight'), [64, 64, 3, 3]);
  assert.deepEqual(expectedWeights('resnext50_32x4d', 10).get('layer1.0.conv2.weight'), [128, 4, 3, 3]);
});

test('a kernel is reordered from output, input, row, column to row, column, input, output', () => {
  const weights = seededWeights(expectedWeights('resnet20', 10));
  const graph = buildArchitecture('resnet20', weights);
  const kernel = weightOf(nodeOf(graph, 'layer2.1.conv2'), 'kernel')!;
  const stored = weights.get('layer2.1.conv2.weight')!;
  assert.deepEqual(kernel.shape, [3, 3, 32, 32]);
  for (const [o, i, y, x] of [
    [0, 0, 0, 0],
    [31, 2, 1, 0],
    [5, 30, 2, 1],
  ]) {
    assert.equal(kernel.data[((y * 3 + x) * 32 + i) * 32 + o], stored.data[((o * 32 + i) * 3 + y) * 3 + x]);
  }
  const dense = weightOf(nodeOf(graph, 'linear'), 'kernel')!;
  assert.deepEqual(dense.shape, [64, 10]);
  assert.equal(dense.data[7 * 10 + 3], weights.get('linear.weight')!.data[3 * 64 + 7]);
});

test('nodes bear the names of PyTorch modules, each once, and read only nodes before them', () => {
  for (const {name} of ARCHITECTURES.filter((architecture) => /^(resnet(18|50|20))$/.test(architecture.name))) {
    const {nodes, inputs, outputs} = buildArchitecture(name, unfilledWeights(name, 3));
    const seen = new Set<string>();
    for (const node of nodes) {
      assert.ok(!seen.has(node.name), node.name);
      assert.ok(
        node.inputs.every((input) => seen.has(input)),
        node.name,
      );
      seen.add(node.name);
    }
    assert.deepEqual([inputs, outputs], [['input'], [name === 'resnet20' ? 'linear' : 'fc']]);
    const expected = {resnet18: 'layer4.1.conv2', resnet50: 'layer4.2.conv3', resnet20: 'layer3.2.conv2'}[name]!;
    assert.ok(seen.has(expected));
  }
});

test('the number of classes is that of the last layer', () => {
  const graph = buildArchitecture('resnet20', unfilledWeights('resnet20', 7));
  assert.deepEqual(weightOf(nodeOf(graph, 'linear'), 'kernel')?.shape, [64, 7]);
});

test('a weight that is missing or of another shape is named', () => {
  const refuses = (name: string, weights: Parameters<typeof buildArchitecture>[1], reason: RegExp) =>
    assert.throws(() => buildArchitecture(name, weights), (error) => error instanceof InputError && reason.test(error.message)); // prettier-ignore
  const small = () => seededWeights(expectedWeights('resnet20', 10));
  refuses('resnet21', small(), /unknown architecture "resnet21"; known are resnet18, .*resnet110/);
  const incomplete = small();
  incomplete.delete('layer1.0.bn1.bias');
  refuses('resnet20', incomplete, /weight "layer1\.0\.bn1\.bias" of resnet20 is missing; it must be \[16\]/);
  const reshaped = small().set('conv1.weight', {shape: [16, 1, 3, 3], data: new Float32Array(144)});
  refuses('resnet20', reshaped, /"conv1\.weight" of resnet20 is \[16, 1, 3, 3\]; it must be \[16, 3, 3, 3\]/);
});
