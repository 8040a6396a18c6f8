import assert from 'node:assert/strict';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {before, test, type TestContext} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {loadModel} from '../../src/formats/load';
import {saveModel} from '../../src/formats/save';
import {InputError} from '../../src/common/errors';
import {sha256} from '../../src/files/checksum';
import {readSafetensors, writeSafetensors} from '../../src/files/safetensors';
import {dividedChannels} from '../../src/split/rewrite';
import {makeSplit} from '../../src/split/split';
import {loadSplit, saveSplit} from '../../src/split/store';
import {verifySplit} from '../../src/split/verify';
import {smallImages, smallModel, type SmallNetwork} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';

before(() => ensureBackend());

const NETWORK: SmallNetwork = {kind: 'conv', size: 3};

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-split-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof InputError && (assert.match(error.message, pattern), true);

test('a split replaces itself, and nothing else unless it is forced', async (t) => {
  const folder = await folderFor(t);
  const at = (name: string) => path.join(folder, name);
  const split = smallSplit(NETWORK);
  await saveSplit(split, at('s'));
  await saveSplit(split, at('s'));
  // The same channel and concepts, divided otherwise: the manifests differ in the hash alone.
  const other = smallSplit(NETWORK, {seed: 4, ownership: 'soft'});
  await assert.rejects(saveSplit(other, at('s')), refused(/holds another split/));
  await assert.rejects(saveModel(split.model, at('s')), refused(/holds a split/));
  await saveModel(split.before, at('m'));
  await assert.rejects(saveSplit(split, at('m')), refused(/holds something else \(model\.json/));
  const loaded = await loadModel(at('m'));
  const ofLoaded = smallSplit(NETWORK);
  Object.defineProperty(ofLoaded, 'before', {value: loaded});
  await assert.rejects(saveSplit(ofLoaded, at('m'), {force: true}), refused(/lies in the input/));
  assert.deepEqual((await readdir(at('m'))).sort(), ['model.json', 'weights.bin']);
  await saveSplit(other, at('s'), {force: true});
  assert.equal((await loadSplit(at('s'), split.before)).model.hash, other.model.hash);
});

test('a loaded split is proven with the network that was saved, which must be there and whole', async (t) => {
  const folder = path.join(await folderFor(t), 's');
  const split = smallSplit(NETWORK);
  await saveSplit(split, folder);
  const [model, weights] = [path.join(folder, 'model.json'), path.join(folder, 'weights.bin')];
  const [modelText, bytes] = [await readFile(model), await readFile(weights)];
  const rejects = async (pattern: RegExp) => {
    await assert.rejects(loadSplit(folder, split.before), refused(pattern));
    await writeFile(model, modelText);
    await writeFile(weights, bytes);
  };
  const flipped = Buffer.from(bytes);
  flipped[bytes.length >> 1] ^= 1;
  await writeFile(weights, flipped);
  await rejects(/is damaged: the weights of .* are not those that were saved \(their checksum differs\)/);
  const other = path.join(folder, '..', 'other');
  await saveModel(smallSplit(NETWORK, {seed: 4}).model, other);
  for (const [to, name] of [
    [model, 'model.json'],
    [weights, 'weights.bin'],
  ]) {
    await writeFile(to, await readFile(path.join(other, name)));
  }
  await rejects(/is damaged: model\.json and weights\.bin hold a network \(.{8}\) other than the one that was saved/);
  await writeFile(weights, bytes.subarray(0, 100));
  await rejects(/is damaged: .*hold 100 bytes/);
  await writeFile(weights, Buffer.alloc(bytes.length, 0xff));
  await rejects(/is damaged: .*are not those that were saved/);
  await rm(weights);
  await rejects(/is damaged: .*weights\.bin.*is missing/);
  await rm(model);
  await rejects(/is damaged: no model at .*model\.json/);
  await writeFile(model, 'null');
  await rejects(/is damaged: .*model\.json" is not valid JSON/);
  assert.equal((await loadSplit(folder, split.before)).model.hash, split.model.hash);
});

/** A manifest with a checksum that fits it, as somebody would write it who knows how. */
function resealed(manifest: Record<string, unknown>) {
  const fields = {...manifest};
  delete fields['sha256'];
  return {...fields, sha256: sha256(JSON.stringify(fields))};
}

test('a split is the one that its networks hold: what was changed in it is refused by name, whatever its checksums say', async (t) => {
  const place = await folderFor(t);
  for (const bias of [false, true]) {
    const folder = path.join(place, String(bias));
    const split = smallSplit({...NETWORK, bias});
    await saveSplit(split, folder);
    const [file, arraysFile] = ['split.json', 'split.safetensors'].map((name) => path.join(folder, name));
    const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    const {arrays, metadata} = await readSafetensors(arraysFile);
    const changed = async (fields: object, change: Record<string, (values: Float32Array) => void>, pattern: RegExp) => {
      const copy = Object.fromEntries([...arrays].map(([name, {shape, data}]) => [name, {shape, data: data.slice()}]));
      for (const [name, apply] of Object.entries(change)) apply(copy[name].data as Float32Array);
      await writeSafetensors(arraysFile, copy, metadata);
      if (Object.keys(change).length > 0) await assert.rejects(loadSplit(folder, split.before), refused(/SHA-256 is/));
      const sums = {file: 'split.safetensors', sha256: sha256(await readFile(arraysFile))};
      await writeFile(file, JSON.stringify(resealed({...manifest, ...fields, arrays: sums})));
      await assert.rejects(loadSplit(folder, split.before), refused(pattern));
    };
    const zero = (values: Float32Array) => values.fill(0);
    await changed({}, {part_1: zero}, /does not fit its networks.*: part 1 is not the one in the split network/);
    await changed({}, {part_2: (values) => (values[4] += 0.001)}, /part 2 is not the one in the split network/);
    await changed({}, {part_1: (values) => (values[0] = NaN)}, /part 1 is not the one/);
    await changed({}, {residue: (values) => values.fill(1)}, /its residue is not the one in the split network/);
    await changed({}, {original: zero}, /its original is not the kernel of channel 2 of layer studied/);
    await changed({channel: 3}, {}, /its original is not the kernel of channel 3 of layer studied/);
    await changed({bias: 0.25}, {}, /its bias is 0\.25, and channel 2 of layer studied has/);
    await changed({}, {ownership_2: (values) => (values[0] = 7)}, /the ownership of part 2 is not from 0 to 1/);
    // What no network can tell is told by the checksum.
    const concepts = [{classes: [3], classNames: ['class 3']}, {classes: [1], classNames: ['class 1']}]; // prettier-ignore
    for (const change of [{concepts}, {rule: 'other'}, {zeroInputShare: 0}, {labelsFile: '/etc/passwd'}]) {
      await writeFile(file, JSON.stringify({...manifest, ...change}));
      await assert.rejects(
        loadSplit(folder, split.before),
        refused(/split\.json" is damaged: its fields are not those/),
      );
    }
    split.dispose();
  }
});

test('a proof is of the split too, not only of two networks that agree', async () => {
  const split = smallSplit(NETWORK);
  const parts = split.parts.map((part, j) => (j === 0 ? new Float32Array(part.length) : part));
  const other = makeSplit({...split, before: split.before, parts}, split.model);
  const proof = await verifySplit(other, smallImages(4), {progress: false});
  assert.deepEqual([proof.exact, proof.misfits[0]], [false, 'part 1 is not the one in the split network']);
  assert.ok(proof.maxAbsLogitDifference < 1e-5 * proof.maxAbsLogit, 'the networks agree');
  assert.match(String(proof), /the split is NOT exact: the split does not fit its networks: part 1/);
});

test('a split’s manifest is checked field by field, and against the model', async (t) => {
  const folder = path.join(await folderFor(t), 's');
  const split = smallSplit(NETWORK);
  await saveSplit(split, folder);
  const file = path.join(folder, 'split.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const damaged = async (change: object, pattern: RegExp) => {
    await writeFile(file, JSON.stringify(resealed({...manifest, ...change})));
    await assert.rejects(loadSplit(folder, split.before), refused(pattern));
  };
  await damaged({channel: 99}, /its channel is 99; layer studied has channels 0 to 5/);
  await damaged({channel: -1}, /split\.json" is damaged: channel is -1; it must be a whole number from 0/);
  await damaged({layer: 'nowhere'}, /no layer "nowhere"; layers that can be analysed: first, studied, logits/);
  await damaged({layer: 'first'}, /its kernelShape is \[3, 3, 6\]; layer first has \[3, 3, 3\]/);
  await damaged({kernelShape: [3, 6]}, /kernelShape is \[3,6\]; it must be a list of 3 whole numbers/);
  await damaged({concepts: undefined}, /concepts is missing; it must be a list of at least 2 records/);
  await damaged({concepts: [{classes: [0]}, {classes: [1]}]}, /concepts is .*classNames \(a list of texts\)/);
  const concepts = [
    {classes: [0], classNames: ['a']},
    {classes: [7], classNames: ['b']},
  ];
  await damaged({concepts}, /a concept has class 7; the model has classes 0 to 3/);
  await damaged({sources: [[6], []]}, /a source is 6; layer studied has sources 0 to 5/);
  await damaged({sources: [[0]]}, /sources and classNames must be as many as concepts/);
  await damaged({rho: null}, /rho\.rho is missing/);
  await damaged({rho: {rho: 0.5, scores: [{rho: 0.5}], zeroDenominators: 0}}, /rho\.scores is \[\{"rho":0\.5\}\]/);
  await damaged({bias: 'x'}, /bias is "x"; it must be a number/);
  await damaged({after: undefined}, /after is missing/);
  await damaged({preset: {}}, /preset\.name is missing/);
  await damaged({formatVersion: 9}, /not a split of format version 2/);
  await damaged(
    {formatVersion: 1},
    /a split of unweave 0\.1, which knew models by another hash; collect the statistics and/,
  );
  for (const text of ['null', '[]', '7', '"x"', '{']) {
    await writeFile(file, text);
    await assert.rejects(loadSplit(folder, split.before), refused(/not a split of format version 2|not valid JSON/));
  }
  await writeFile(file, JSON.stringify(manifest));
  assert.equal(String(await loadSplit(folder, smallModel(NETWORK))), String(split));
});

test('a split chained on a split model saves, and loads against the original', async (t) => {
  const folder = await folderFor(t);
  const first = smallSplit(NETWORK, {channel: 1});
  const original = first.before;
  const second = smallSplit(NETWORK, {channel: 4, concepts: [[0], [1], [2, 3]], ownership: 'soft'});
  const chained = makeSplit({...second, before: first.model});
  await saveSplit(chained, path.join(folder, 'chained'));
  const loaded = await loadSplit(path.join(folder, 'chained'), original);
  assert.equal(loaded.model.hash, chained.model.hash);
  assert.equal(loaded.before.hash, first.model.hash, 'what it was split from is put together again');
  assert.deepEqual(loaded.before.origins, [original.hash]);
  assert.deepEqual(loaded.parts, chained.parts);
  // The model right before serves as well; another one does not.
  assert.equal((await loadSplit(path.join(folder, 'chained'), first.model)).before.hash, first.model.hash);
  await assert.rejects(loadSplit(path.join(folder, 'chained'), second.model), refused(/is of another model/));
  // A third one goes on from what was loaded.
  const third = makeSplit({...smallSplit(NETWORK, {channel: 2}), before: loaded.model});
  await saveSplit(third, path.join(folder, 'third'));
  const again = await loadSplit(path.join(folder, 'third'), original);
  assert.equal(again.before.hash, chained.model.hash);
  assert.deepEqual(dividedChannels(again.model.graph, 'studied'), [1, 2, 4]);
});
