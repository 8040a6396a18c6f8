import assert from 'node:assert/strict';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {loadModel} from '../../src/formats/load';
import {openImages} from '../../src/images';
import {readLabelFile} from '../../src/images/labelFile';
import {resolvePreset} from '../../src/images/presets';
import {splitNote} from '../../src/images/fileNames';
import {zipOf} from '../reference/torchFiles';

const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-stand-in-'));
after(() => rmSync(folder, {recursive: true}));

const STAND_INS: readonly [string | Buffer, RegExp][] = [
  [
    'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n',
    /a Git LFS pointer \(fetch the file itself/,
  ],
  ['\n<!doctype html><title>Log in</title>', /a web page/],
  [gzipSync('anything'), /a gzip archive \(unpack it first\)/],
];

test('what stands in for a network, labels or a preset is named, whatever the ending', async () => {
  for (const [content, expected] of STAND_INS) {
    for (const name of ['m.keras', 'm.h5', 'm.onnx', 'm.pth', 'm.safetensors', 'm.bin', 'model.json', 'm']) {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      await assert.rejects(loadModel(file), expected, name);
    }
    for (const name of ['labels.csv', 'labels.json', 'labels']) {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      assert.throws(() => readLabelFile(file), expected, name);
      if (name.endsWith('.json')) assert.throws(() => resolvePreset(file), expected, name);
    }
  }
});

test('folders that are called as splits, with what they are of before it', () => {
  for (const names of [
    ['train', 'val'],
    ['seg_train', 'seg_test'],
    ['Training', 'Validation', 'hold-out'],
    ['train2017', 'val2017'],
  ])
    // prettier-ignore
    assert.match(String(splitNote('data', names)), /look like the splits of a data set/);
  for (const names of [['trainer', 'validator'], ['test'], ['contest', 'train'], ['cat', 'train']])
    assert.equal(splitNote('data', names), undefined);
});

test('what cannot be read as asked says what to give', async () => {
  const given = (name: string, content: string | Buffer) => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  assert.throws(
    () => resolvePreset(given('twice.json', '{"mean": [0, 0, 0], "std": [1, 1, 1], "mean": [1, 1, 1]}')),
    /"mean" stands twice in .*twice\.json; keep one of them/,
  );
  await assert.rejects(openImages(given('x.zip', 'PK')), /x\.zip is no folder of images; give a folder, a tar archive/);
  const deep = path.join(folder, 'deep');
  mkdirSync(path.join(deep, ...Array<string>(70).fill('d')), {recursive: true});
  await assert.rejects(openImages(deep), /nested deeper than 64 levels/);
  const packed = {'config.json': '{"a": 1, "a2": 1, "a3": 1}', 'metadata.json': '{}', 'model.weights.h5': ''};
  await assert.rejects(
    loadModel(given('packed.keras', zipOf(packed, {deflate: true}))),
    /"config\.json" in .*packed\.keras is compressed or encrypted, which is not read; save the model again with Keras/,
  );
});
