import assert from 'node:assert/strict';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {existsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {readManifest, readWeightFiles} from '../../src/formats/layersModel/weightFiles';
import {loadModel} from '../../src/formats/load';
import {saveModel} from '../../src/formats/save';
import {sharedData} from '../reference/sharedData';

const golden = path.join(__dirname, 'golden/keras');
const folder = mkdtempSync(path.join(tmpdir(), 'unweave-load-'));
after(() => rmSync(folder, {recursive: true, force: true}));
const place = (name: string) => path.join(folder, name);

/** A tfjs model's folder with its description changed. */
function changed(network: string, change: (text: string) => string | Uint8Array): string {
  const copy = mkdtempSync(place('tfjs-'));
  cpSync(path.join(golden, network, 'group1-shard1of1.bin'), path.join(copy, 'group1-shard1of1.bin'));
  writeFileSync(path.join(copy, 'model.json'), change(readFileSync(path.join(golden, network, 'model.json'), 'utf8')));
  return copy;
}

const refuses = (source: string, sentence: RegExp, options = {}) =>
  assert.rejects(loadModel(source, options), (error: Error) => {
    assert.equal(error.name, 'InputError', error.stack);
    assert.match(error.message, sentence);
    return true;
  });

test('a network is known by what its file holds, not by its name; the same network has the same hash in every format', async () => {
  await ensureBackend();
  const network = path.join(golden, 'keras3-convolutions');
  cpSync(path.join(network, 'model.h5'), place('without-an-ending'));
  cpSync(path.join(network, 'model.keras'), place('model.zip'));
  cpSync(path.join(network, 'model.h5'), place('wrong.keras'));
  const sources = [network, path.join(network, 'model.json'), place('without-an-ending'), place('model.zip')];
  const hashes = new Set<string>();
  for (const source of [...sources, place('wrong.keras')]) {
    const model = await loadModel(source);
    hashes.add(model.hash);
    assert.equal(model.preset?.name, 'raw', 'it begins with Rescaling');
    assert.ok(model.layers().some(({name}) => name === 'separable'));
  }
  assert.equal(hashes.size, 1);
});

test('files that stand in for a network, and other files, are named', async () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n';
  const page = '<!DOCTYPE html><html><body>Sign in</body></html>';
  for (const ending of ['h5', 'keras', 'json', 'onnx', 'pth']) {
    writeFileSync(place(`pointer.${ending}`), pointer);
    await refuses(place(`pointer.${ending}`), /a Git LFS pointer \(fetch the file itself with git lfs pull\)/);
    writeFileSync(place(`page.${ending}`), page);
    await refuses(place(`page.${ending}`), /a web page/);
    writeFileSync(place(`packed.${ending}`), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]));
    await refuses(place(`packed.${ending}`), /a gzip archive/);
  }
  writeFileSync(place('half.h5'), readFileSync(path.join(golden, 'keras3-nested/model.h5')).subarray(0, 9000));
  await refuses(place('half.h5'), /damaged or truncated HDF5 file/);
  writeFileSync(place('x.tflite'), Buffer.concat([Buffer.from([28, 0, 0, 0]), Buffer.from('TFL3')]));
  await refuses(place('x.tflite'), /TensorFlow Lite/);
  mkdirSync(place('saved'));
  writeFileSync(path.join(place('saved'), 'saved_model.pb'), '');
  await refuses(place('saved'), /SavedModel.*\.keras/);
});

test('several outputs and any image size ask for an option', async () => {
  const nested = path.join(golden, 'keras3-nested');
  await refuses(nested, /2 outputs: classes, aside; choose/);
  await refuses(nested, /no output "x"; the network’s outputs: classes, aside/, {output: 'x'});
  const model = await loadModel(path.join(nested, 'model.keras'), {output: 'classes'});
  assert.deepEqual(
    model.layers().map(({name}) => name),
    ['shared', 'block/conv', 'shared_1', 'block_1/conv', 'tail/conv', 'classes'],
  );
  const anySize = changed('keras3-convolutions', (text) => text.replace('[null, 12, 11, 3]', '[null, null, null, 3]'));
  await refuses(anySize, /any size.*inputSize/);
  assert.deepEqual((await loadModel(anySize, {inputSize: [12, 11]})).inputShape, [12, 11, 3]);
  assert.deepEqual((await loadModel(anySize, {inputSize: 20})).inputShape, [20, 20, 3]);
});

test('a byte order mark before model.json changes nothing; an argument that is not known is named', async () => {
  const marked = changed('keras2-convolutions', (text) => `\ufeff${text}`);
  assert.equal((await loadModel(marked)).classes, 4);
  await refuses(
    changed('keras2-convolutions', (text) => text.replace('"use_bias": false', '"use_bias": false, "circular": true')),
    /Conv2D "conv".*circular \(true\)/,
  );
  await refuses(
    changed('keras2-convolutions', (text) =>
      text.replace('"data_format": "channels_last"', '"data_format": "channels_first"'),
    ),
    /Conv2D "conv" has data_format "channels_first"/,
  );
});

test('a network that is saved and loaded has the same hash, marks and preset; another hash in its record is an error', async () => {
  const model = await loadModel(path.join(golden, 'keras3-convolutions/model.h5'), {classNames: ['a', 'b', 'c', 'd']});
  // Bilinear enlargement with aligned centres is none of tfjs-layers' layers.
  await assert.rejects(saveModel(model, place('saved-model')), /Resize "bilinear".*ONNX/);
  const plain = await loadModel(path.join(golden, 'keras3-nested/model.h5'), {output: 'classes'});
  await saveModel(plain, place('plain'));
  const again = await loadModel(place('plain'));
  assert.equal(again.hash, plain.hash);
  assert.deepEqual(again.graph.nodes.map(({mark}) => mark).filter(Boolean), plain.graph.nodes.map(({mark}) => mark).filter(Boolean)); // prettier-ignore
  assert.deepEqual(again.preset, plain.preset);
  const json = path.join(place('plain'), 'model.json');
  writeFileSync(
    json,
    readFileSync(json, 'utf8').replace(
      plain.hash,
      plain.hash.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')),
    ),
  );
  await refuses(place('plain'), /computes something else/);
});

test('quantised weights are what they stand for', async () => {
  const values = {uint8: [0, 7, 255], uint16: [0, 300, 65535], float16: [0x3c00, 0xc000, 0x0001]};
  const bytes = Buffer.concat([
    Buffer.from(values.uint8),
    Buffer.from(Uint16Array.from(values.uint16).buffer),
    Buffer.from(Uint16Array.from(values.float16).buffer),
    Buffer.from(Float32Array.of(1.5).buffer),
  ]);
  writeFileSync(place('w.bin'), bytes);
  const affine = (dtype: string) => ({
    name: dtype,
    shape: [3],
    dtype: 'float32',
    quantization: {dtype, scale: 0.5, min: -3},
  });
  const weights = [
    affine('uint8'),
    affine('uint16'),
    {name: 'float16', shape: [3], dtype: 'float32', quantization: {dtype: 'float16'}},
    {name: 'plain', shape: [], dtype: 'float32'},
  ];
  const file = place('model.json');
  const arrays = await readWeightFiles(readManifest([{paths: ['w.bin'], weights}], file), file);
  assert.deepEqual(
    arrays.map(({data}) => [...data()]),
    [[-3, 0.5, 124.5], [-3, 147, 32764.5], [1, -2, 2 ** -24], [1.5]],
  );
});

test('the preprocessing inside a network decides the preset: MobileNet that begins with Rescaling', async (t) => {
  const weights = sharedData(t, 'models/mobilenet_v1_0.75_224');
  const description = path.join(
    __dirname,
    '../../../shared/cases/keras-preprocessing-inside/mobilenet-rescaling/model.json',
  );
  if (weights === undefined) return;
  if (!existsSync(description)) return t.skip('../shared/cases is absent');
  const copy = place('mobilenet-rescaling');
  mkdirSync(copy);
  cpSync(description, path.join(copy, 'model.json'));
  const json = JSON.parse(readFileSync(description, 'utf8')) as {weightsManifest: {paths: string[]}[]};
  for (const name of json.weightsManifest.flatMap(({paths}) => paths)) {
    symlinkSync(path.join(weights, name), path.join(copy, name));
  }
  const model = await loadModel(copy);
  assert.equal(model.preset?.name, 'raw');
  assert.equal(model.preset?.assumed, undefined);
});
