import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {ensureBackend} from '../../src/engine';
import {readSafetensors} from '../../src/files/safetensors';
import {loadModel} from '../../src/formats/load';
import type {Graph} from '../../src/network/graph';
import {linearLayer} from '../../src/network/linearLayer';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import {kernelsFromOwnership} from '../../src/split/kernels';
import {makeSplit} from '../../src/split/split';
import {saveTorchSplit} from '../../src/split/torchSplit';
import type {Split} from '../../src/split/types';
import {sharedData} from '../reference/sharedData';
import {uniform} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';

const NETWORK = {kind: 'conv', bias: true} as const;

let folder: string;
before(async () => {
  await ensureBackend();
  folder = await mkdtemp(join(tmpdir(), 'torch-split-'));
});
after(() => rm(folder, {recursive: true}));

async function written(split: Split): Promise<Awaited<ReturnType<typeof readSafetensors>>> {
  const file = join(folder, 'split.safetensors');
  await saveTorchSplit(split, file);
  return readSafetensors(file);
}

test('a split for PyTorch holds the parts and the residue outputs first, which add up to the channel', async () => {
  const split = smallSplit(NETWORK, {concepts: [[0], [1], [2]], ownership: 'soft'});
  const {arrays, metadata} = await written(split);
  const [kh, kw, inputs] = split.kernelShape;
  const [parts, merge, bias] = ['parts', 'merge', 'bias'].map((name) => arrays.get(name)!);
  assert.deepEqual(parts.shape, [4, inputs, kh, kw]);
  assert.deepEqual([...merge.data], [1, 1, 1, -2]);
  assert.deepEqual(
    [...bias.data],
    Array.from({length: 4}, () => Math.fround(split.bias)),
  );
  assert.deepEqual([metadata.layer, metadata.channel, metadata.before], ['studied', '2', split.before.hash]);
  assert.deepEqual(JSON.parse(metadata.concepts).length, 3);
  const size = kh * kw * inputs;
  for (let tap = 0; tap < kh * kw; tap += 1) {
    for (let i = 0; i < inputs; i += 1) {
      const at = i * kh * kw + tap; // [Cin, kh, kw]
      const sum = [0, 1, 2, 3].reduce(
        (total, j) => total + Number(merge.data[j]) * Number(parts.data[j * size + at]),
        0,
      );
      assert.ok(Math.abs(sum - split.original[tap * inputs + i]) < 1e-6);
    }
  }
});

test('a linear layer behind a flattened map takes its inputs channels first, as PyTorch flattens', async () => {
  const data = Float32Array.from({length: 12 * 2}, (_, i) => i); // [2·3·2, 2] of a map [2, 3, 2]
  const graph: Graph = {
    nodes: [
      {name: 'input', operator: 'InputLayer', args: {shape: [2, 3, 2]}, inputs: [], weights: []},
      {name: 'flat', operator: 'Reshape', args: {shape: [-1]}, inputs: ['input'], weights: []},
      {name: 'fc', operator: 'Dense', args: {}, inputs: ['flat'], weights: [{name: 'kernel', shape: [12, 2], data}]},
    ],
    inputs: ['input'],
    outputs: ['fc'],
  };
  const original = Float32Array.from({length: 12}, (_, i) => data[2 * i]);
  const ownership = [0, 1].map(() => new Float64Array(12).fill(1));
  const split = makeSplit({
    ...smallSplit(NETWORK),
    ...kernelsFromOwnership(original, ownership),
    layer: 'fc',
    channel: 0,
    original,
    bias: 0,
    kernelShape: [1, 1, 12],
    before: makeModel(graph, {name: 'flat'}),
  });
  const {arrays} = await written(split);
  const {shape, data: parts} = arrays.get('parts')!;
  assert.deepEqual(shape, [3, 12]);
  const at = (channel: number, y: number, x: number) => original[(y * 3 + x) * 2 + channel];
  for (const [channel, y, x] of [
    [0, 0, 1],
    [1, 0, 0],
    [1, 1, 2],
  ]) {
    assert.equal(parts[(channel * 2 + y) * 3 + x], at(channel, y, x));
  }
});

test('a file of another ending is refused, and one that somebody else made, until it is forced', async () => {
  const split = smallSplit(NETWORK);
  await assert.rejects(saveTorchSplit(split, join(folder, 'split.pth')), InputError);
  const file = join(folder, 'foreign.safetensors');
  await writeFile(file, 'mine');
  await assert.rejects(
    saveTorchSplit(split, file),
    (error) => error instanceof InputError && /did not make/.test(error.message),
  );
  await saveTorchSplit(split, file, {force: true});
  await saveTorchSplit(split, file);
});

test('PyTorch computes the same network with the divided layer', async (t) => {
  const file = sharedData(t, 'models/resnet20-12fca82f.th');
  if (!file) return;
  const python = process.env['UNWEAVE_TORCH_PYTHON'] ?? 'python3';
  try {
    execFileSync(python, ['-c', 'import torch, torchvision, safetensors'], {stdio: 'ignore'});
  } catch {
    return t.skip(
      'PyTorch with torchvision and safetensors is not installed; UNWEAVE_TORCH_PYTHON names a Python that has them',
    );
  }
  const model = await loadModel(file);
  const divided = async (before: Model, name: string, channel: number) => {
    const layer = linearLayer(before.graph, name);
    const [kh, kw, inputs, outputs] = layer.shape;
    const original = Float32Array.from({length: kh * kw * inputs}, (_, at) => layer.kernel[at * outputs + channel]);
    const draw = uniform(channel + 1);
    const ownership = [0, 1, 2].map(() => Float64Array.from({length: inputs}, draw));
    const concepts = [1, 3, 9].map((k) => ({classes: [k], classNames: [`class ${k}`], arv: new Float64Array(inputs)}));
    const split = makeSplit({
      ...smallSplit(NETWORK),
      ...kernelsFromOwnership(original, ownership),
      layer: layer.name,
      channel,
      concepts,
      ownership,
      original,
      bias: 0,
      kernelShape: [kh, kw, inputs],
      before,
    });
    const out = join(folder, `${name}.${channel}.safetensors`);
    await saveTorchSplit(split, out);
    return {out, model: split.model};
  };
  // Two channels of one layer and one of another, each split of the model that the one before left.
  const first = await divided(model, 'layer3.2.conv2', 7);
  const second = await divided(first.model, 'layer2.0.conv1', 0);
  const third = await divided(second.model, 'layer3.2.conv2', 3);
  const script = join(__dirname, '../reference/torch/checkTorchSplit.py');
  for (const [out, ...others] of [[first.out], [third.out, first.out, second.out]]) {
    const printed: string = execFileSync(python, ['-B', script, file, out, ...others], {encoding: 'utf8'});
    const [logits, merged, shape] = printed.trim().split('\n');
    t.diagnostic(`logits off by ${logits}, the sum of the parts by ${merged}`);
    assert.ok(Number(logits) < 1e-5 && Number(merged) < 1e-5, `${logits}, ${merged}`);
    assert.equal(shape, '[16, 4, 8, 8]');
  }
});
