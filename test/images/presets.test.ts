import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import {pixelSize, PRESETS, resolvePreset, type Preset} from '../../src/images';
import {madeFolder} from './madeFolder';

const own: Preset = {name: 'mine', shorterSide: 40, mean: [0, 0, 0], deviation: [1, 1, 1]};

test('a preset is found by name, given as fields or read from a JSON file', async () => {
  assert.equal(resolvePreset('tf'), PRESETS.tf);
  assert.equal(resolvePreset(own).shorterSide, 40);
  const folder = await madeFolder({
    'grey.json': '{"mean": [0.5, 0.5, 0.5], "deviation": [1, 1, 1]}',
    'bad.json': '{',
    'list.json': 'null',
  });
  const read = resolvePreset(join(folder, 'grey.json'));
  assert.deepEqual([read.name, read.mean[0], read.shorterSide], ['grey', 0.5, undefined]);
  assert.throws(() => resolvePreset(join(folder, 'bad.json')), {name: 'InputError', message: /cannot read the preset/});
  assert.throws(() => resolvePreset(join(folder, 'list.json')), /not a JSON object/);
  assert.throws(
    () => resolvePreset('caffe'),
    /no preset "caffe"; presets: torch-imagenet, tf, cifar, or the path of a JSON file/,
  );
  assert.throws(() => resolvePreset('toString'), /no preset "toString"/);
});

test('an invalid field of a preset is named with its value', () => {
  const wrong: [Partial<Record<keyof Preset, unknown>>, RegExp][] = [
    [{mean: [0, 0]}, /invalid mean in preset: \[0,0\]; it is three numbers/],
    [{deviation: [1, 0, 1]}, /invalid deviation in preset: \[1,0,1\]; it is three numbers above 0/],
    [{shorterSide: 25.5}, /invalid shorterSide in preset: 25\.5/],
    [{shorterSide: 1e9}, /invalid shorterSide/],
    [{rounding: 'up'}, /invalid rounding/],
    [{name: 7}, /invalid name/],
  ];
  for (const [fields, message] of wrong) {
    assert.throws(() => resolvePreset({...own, ...fields} as Preset), {name: 'InputError', message});
  }
});

test('the named presets keep the same part of the image at other input sizes', () => {
  assert.deepEqual(pixelSize(PRESETS.tf, 224, 224), {height: 224, width: 224, shorterSide: 256, rounding: 'nearest'});
  assert.equal(pixelSize(PRESETS['torch-imagenet'], 128, 128).shorterSide, 146);
  assert.equal(pixelSize(PRESETS['torch-imagenet'], 299, 299).shorterSide, 342);
  assert.deepEqual(pixelSize(PRESETS.cifar, 32, 32), {height: 32, width: 32});
});

test("one's own shorter side is taken as it is, and refused where it is less than the crop", () => {
  assert.equal(pixelSize(own, 28, 28).shorterSide, 40);
  assert.throws(
    () => pixelSize(own, 41, 30),
    /preset mine resizes the shorter side to 40 pixels, less than the input of 41 × 30/,
  );
});
