import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {readdirSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {expectedWeights} from '../../src/formats/architectures';
import {loadCheckpoint, writeSafetensors} from '../../src/formats/torch';
import type {Graph} from '../../src/network/graph';
import {seededWeights} from '../reference/seededWeights';
import {sharedCase} from '../reference/sharedCases';
import {sharedData} from '../reference/sharedData';
import {Checkpoint} from '../reference/torchCheckpoint';
import {called, dict, integer, list, named, text, tuple} from '../reference/torchFiles';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'states-'));
});
after(() => rm(folder, {recursive: true}));

const weights = seededWeights(expectedWeights('resnet20', 10));
type Named = [string, {shape: readonly number[]; data: Float32Array}];
const renamed = (rename: (name: string) => string): Named[] => [...weights].map(([name, w]) => [rename(name), w]);

async function saved(checkpoint: Checkpoint, root: Buffer, name = 'made.pth'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, checkpoint.file(root));
  return path;
}

const numbers = (graph: Graph) => graph.nodes.map((node) => node.weights.map(({data}) => data));
let plain: unknown;
/** The checkpoint holds the weights, and says so in these words. */
async function reads(file: string, notes: RegExp[], options = {}): Promise<void> {
  plain ??= numbers((await loadCheckpoint(await saved(...straight()))).graph);
  const read = await loadCheckpoint(file, options);
  assert.equal(read.architecture.name, 'resnet20');
  assert.deepEqual(numbers(read.graph), plain);
  for (const note of notes)
    assert.ok(
      read.notes.some((one) => note.test(one)),
      `${note} in ${read.notes.join(' | ')}`,
    );
}

const straight = (): [Checkpoint, Buffer, string] => {
  const checkpoint = new Checkpoint();
  return [checkpoint, checkpoint.state([...weights]), 'plain.pth'];
};

async function refuses(file: string, reason: RegExp, options = {}): Promise<void> {
  await assert.rejects(loadCheckpoint(file, options), (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

test('the architecture may be left out where only one fits', async () => {
  await reads(await saved(...straight()), [/^read as resnet20, the only known architecture/]);
});

test('a state dict is found under any key, a level deeper and in lists', async () => {
  for (const [nest, name] of [
    [(state: Buffer) => dict({net_weights: state, epoch: integer(3)}), 'net_weights'],
    [(state: Buffer) => dict({trainer: dict({best: state}), model: dict({})}), 'trainer.best'],
    [(state: Buffer) => list(integer(1), state), '[1]'],
    [(state: Buffer) => dict({ckpt: tuple(state, integer(2))}), 'ckpt[0]'],
  ] as const) {
    const checkpoint = new Checkpoint();
    const root = nest(checkpoint.state([...weights]));
    await reads(await saved(checkpoint, root), [new RegExp(`weights taken from ${name.replace(/[[\]]/g, '\\$&')}$`)]);
  }
  const pairs = new Checkpoint();
  const items = [...weights].map(([name, {shape, data}]) => tuple(text(name), pairs.tensor(shape, data)));
  await reads(await saved(pairs, list(...items)), []);
});

test('one prefix is dropped, wherever wrappers put their parts, and what stands beside is left out by name', async () => {
  for (const rename of [
    (name: string) => `module.${name}`,
    (name: string) => `_orig_mod.module.backbone.${name}`,
    (name: string) => name.replace(/^layer(\d)\./, 'layer$1._orig_mod.'),
    (name: string) => `encoder/${name}`,
  ]) {
    const checkpoint = new Checkpoint();
    await reads(await saved(checkpoint, checkpoint.state(renamed(rename))), []);
  }
  const checkpoint = new Checkpoint();
  const beside: Named[] = [
    ['criterion.weight', {shape: [10], data: new Float32Array(10)}],
    ['rotation_head.weight', {shape: [4, 64], data: new Float32Array(256)}],
    ['model.layer1.0.total_ops', {shape: [1], data: new Float32Array(1)}],
  ];
  const root = dict({state_dict: checkpoint.state([...renamed((name) => `model.${name}`), ...beside])});
  await reads(await saved(checkpoint, root), [
    /weights taken from state_dict\.model/,
    /left out: criterion\.weight, rotation_head\.weight, model\.layer1\.0\.total_ops/,
  ]);
});

test('weights come before their running average, and the option chooses', async () => {
  const checkpoint = new Checkpoint();
  const average: Named[] = [...weights].map(([name, {shape, data}]) => [name, {shape, data: data.map((v) => v / 2)}]);
  const root = dict({state_dict_ema: checkpoint.state(average), state_dict: checkpoint.state([...weights])});
  const file = await saved(checkpoint, root);
  await reads(file, [/taken from state_dict$/, /state_dict_ema would fit too; choose with state/]);
  await reads(file, [], {state: 'state_dict'});
  const {graph} = await loadCheckpoint(file, {state: 'state_dict_ema'});
  assert.deepEqual(
    graph.nodes[1].weights[0].data,
    (plain as Float32Array[][])[1][0].map((value) => value / 2),
  );
  await refuses(file, /no state dict "x" .* that fits resnet20; state_dict_ema, state_dict do/, {state: 'x'});

  const two = new Checkpoint();
  const students = dict({a: two.state(average), b: two.state([...weights])});
  await refuses(await saved(two, students), /2 state dicts that fit resnet20: a, b; choose one with state/);
  const copies = new Checkpoint();
  await reads(await saved(copies, copies.state([...renamed((n) => `model.${n}`), ...renamed((n) => `attacker.model.${n}`)])), []); // prettier-ignore
});

test('a wrapped last layer fits by its shape, one of several layers does not', async () => {
  const checkpoint = new Checkpoint();
  const inSequence = renamed((name) => name.replace('linear.', 'linear.1.'));
  await reads(await saved(checkpoint, checkpoint.state(inSequence)), [/the last layer is linear\.1 of the checkpoint/]);
  const deep = new Checkpoint();
  const hidden: Named = ['linear.4.weight', {shape: [5, 10], data: new Float32Array(50)}];
  await refuses(await saved(deep, deep.state([...inSequence, hidden])), /1 is left over \(linear\.4\.weight\)/, {
    arch: 'resnet20',
  });
});

test('pruned weights are the product with their masks', async () => {
  const checkpoint = new Checkpoint();
  const pruned = [...weights].flatMap(([name, {shape, data}]): Named[] =>
    shape.length === 4
      ? [
          [`${name}_orig`, {shape, data: data.map((value, i) => (i % 2 === 0 ? value : 9))}],
          [`${name}_mask`, {shape, data: data.map((_, i) => (i % 2 === 0 ? 1 : 0))}],
        ]
      : [[name, {shape, data}]],
  );
  const {graph, notes} = await loadCheckpoint(await saved(checkpoint, checkpoint.state(pruned)));
  const dense = await loadCheckpoint(await saved(...straight()));
  assert.ok(notes.some((note) => /19 pruned weights are multiplied by their masks/.test(note)));
  // The kernel is turned; its position i of the file is what was kept or not.
  const [kept, whole] = [graph, dense.graph].map(({nodes}) => nodes[1].weights[0].data);
  const zeros = kept.filter((value) => value === 0).length;
  assert.equal(zeros, whole.length / 2);
  assert.ok(kept.every((value, i) => value === 0 || value === whole[i]));
});

test('weights in a Python object, or in types that are not read, are missing with that type', async () => {
  const checkpoint = new Checkpoint();
  const [first, ...others] = [...weights];
  const quantised = called(named('torch._utils', '_rebuild_qtensor'), text('x'));
  const root = checkpoint.state(others, {[first[0]]: quantised});
  await refuses(
    await saved(checkpoint, root),
    /conv1\.weight is a torch\._utils\._rebuild_qtensor, which is not read/,
    {
      arch: 'resnet20',
    },
  );
});

test('weights that do not fit are named, with the architecture that they fit', async () => {
  const file = await saved(...straight());
  await refuses(file, /unknown architecture "resnet21"; known are resnet18/, {arch: 'resnet21'});
  await refuses(file, /60 of 157 are missing \(layer1\.3\.conv1\.weight(, [\w.]+){9} and 50 more\).*They fit resnet20/, {arch: 'resnet32'}); // prettier-ignore
  const deeper = new Checkpoint();
  const more = seededWeights(expectedWeights('resnet32', 10));
  const larger = await saved(deeper, deeper.state([...more]), 'deeper.pth');
  await refuses(larger, /60 are left over \(layer1\.3\.conv1\.weight.*They fit resnet32/, {arch: 'resnet20'});
  // layer3.0.conv1 is no conv1 of the network, though its name ends so.
  await refuses(file, /\(conv1\.weight is \[16, 3, 3, 3\] instead of \[64, 3, 7, 7\]/, {arch: 'resnet18'});
  await refuses(file, /\(conv1\.weight is \[16, 3, 3, 3\] instead of \[64, 3, 7, 7\]/, {arch: 'resnet50'});
  const wrapped = new Checkpoint();
  const inner = renamed((name) => `net.backbone.${name}`);
  const nested = await saved(wrapped, wrapped.state(inner), 'nested.pth');
  await refuses(nested, /\(conv1\.weight is \[16, 3, 3, 3\] instead of \[64, 3, 7, 7\]/, {arch: 'resnet18'});
  const other = new Checkpoint();
  const squeezed: Named = ['layer1.0.se.fc1.weight', {shape: [4, 16], data: new Float32Array(64)}];
  const attended = await saved(other, other.state([...weights, squeezed]), 'other.pth');
  await refuses(attended, /1 is left over \(layer1\.0\.se\.fc1\.weight\)/, {arch: 'resnet20'});
  await refuses(attended, /fits none of the known architectures .*the nearest is resnet20, where 1 weights/);
});

test('a safetensors file is a state dict like any other', async () => {
  const file = join(folder, 'made.safetensors');
  const arrays = renamed((name) => `module.${name}`).map(([name, {shape, data}]) => [name, {shape: [...shape], data}]);
  await writeSafetensors(file, Object.fromEntries(arrays) as Parameters<typeof writeSafetensors>[1]);
  await reads(file, []);
});

const filesBelow = (place: string): string[] =>
  statSync(place).isDirectory() ? readdirSync(place).flatMap((name) => filesBelow(join(place, name))) : [place];

for (const kind of ['nest', 'prefix', 'python-objects', 'wrapped-head']) {
  test(`checkpoints that once failed hold the shared ResNet-20: ${kind}`, async (t) => {
    const [cases, original] = [sharedCase(t, `checkpoint-${kind}`), sharedData(t, 'models/resnet20-12fca82f.th')];
    if (!cases || !original) return;
    const expected = numbers((await loadCheckpoint(original)).graph);
    for (const file of filesBelow(cases)) {
      assert.deepEqual(numbers((await loadCheckpoint(file)).graph), expected, file);
      assert.deepEqual(numbers((await loadCheckpoint(file, {arch: 'resnet20'})).graph), expected, file);
    }
  });
}

test('hostile checkpoints get a sentence each', async (t) => {
  const cases = sharedCase(t, 'hostile');
  if (!cases) return;
  const files = readdirSync(cases).filter((name) => /\.(pth|th)$/.test(name));
  for (const name of [...files, ...files]) {
    await assert.rejects(loadCheckpoint(join(cases, name), {arch: 'resnet20'}), (error) => {
      assert.ok(error instanceof InputError, `${name}: ${String(error)}`);
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(error.message, /[\u0000-\u001f]/);
      return true;
    });
  }
});
