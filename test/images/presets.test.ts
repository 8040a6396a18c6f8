import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  choosePreset,
  imageBatches,
  imagesFromPixels,
  pixelSize,
  PRESETS,
  resolvePreset,
  samePreset,
  type Preset,
} from '../../src/images';
import {madeFolder} from './madeFolder';

const own: Preset = {name: 'mine', shorterSide: 40, mean: [0, 0, 0], std: [1, 1, 1]};

test('a preset is found by name, given as fields or read from a JSON file', async () => {
  assert.equal(resolvePreset('tf'), PRESETS.tf);
  assert.equal(resolvePreset(own).shorterSide, 40);
  const folder = await madeFolder({
    'grey.json': '{"mean": [0.5, 0.5, 0.5], "std": [1, 1, 1]}',
    'bad.json': '{',
    'list.json': 'null',
  });
  const read = resolvePreset(join(folder, 'grey.json'));
  assert.deepEqual([read.name, read.mean[0], read.shorterSide], ['grey', 0.5, undefined]);
  assert.throws(() => resolvePreset(join(folder, 'bad.json')), {name: 'InputError', message: /cannot read the preset/});
  assert.throws(() => resolvePreset(join(folder, 'list.json')), /not a JSON object/);
  assert.throws(
    () => resolvePreset('caffe'),
    /no preset "caffe"; presets: torch-imagenet, tf, cifar, raw, timm's as timm\/resnet50\.a1_in1k, or the path of a JSON file/,
  );
  assert.throws(() => resolvePreset('toString'), /no preset "toString"/);
});

test('the preprocessing of timm’s published weights goes by their name', () => {
  const {interpolation, shorterSide, cropSide, mean} = resolvePreset('timm/resnet50.a1_in1k');
  assert.deepEqual([interpolation, shorterSide, cropSide, mean[0]], ['bicubic', 235, 224, 0.485]);
  assert.deepEqual(resolvePreset('resnet50.a1_in1k'), resolvePreset('timm/resnet50.a1_in1k'));
  assert.equal(pixelSize(resolvePreset('resnet50.a1_in1k'), 224, 224).interpolation, 'bicubic');
  // torchvision's own weights of timm's name are torchvision's preprocessing.
  assert.ok(samePreset(resolvePreset('timm/resnet50.tv_in1k'), PRESETS['torch-imagenet']));
  assert.ok(!samePreset(resolvePreset('timm/resnet50.ra_in1k'), PRESETS['torch-imagenet']), 'bicubic');
  assert.deepEqual(resolvePreset('timm/tf_efficientnet_lite0.in1k').mean, [0.5, 0.5, 0.5]);
  for (const name of ['timm/resnet50.xy', 'timm/resnet50', 'timm/constructor.name', 'resnet50.constructor'])
    assert.throws(() => resolvePreset(name), /no preset .* timm's as timm\/resnet50\.a1_in1k/);
});

test('an invalid field of a preset is named with its value', () => {
  const wrong: [Partial<Record<keyof Preset, unknown>>, RegExp][] = [
    [{mean: [0, 0]}, /invalid mean in preset: \[0,0\]; it is three numbers/],
    [{std: [1, 0, 1]}, /invalid std in preset: \[1,0,1\]; it is three numbers above 0/],
    [{shorterSide: 25.5}, /invalid shorterSide in preset: 25\.5/],
    [{shorterSide: 1e9}, /invalid shorterSide/],
    [{rounding: 'up'}, /invalid rounding/],
    [{interpolation: 'cubic'}, /invalid interpolation in preset: "cubic"; it is bilinear or bicubic/],
    [{name: 7}, /invalid name in preset: 7; it is a word/],
    [{mean: undefined}, /invalid mean in preset: missing/],
    [{stdd: [1, 1, 1]} as object, /unknown field "stdd" in preset; a preset has name, mean, std, shorterSide/],
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

test('a preset file may begin with a byte order mark, be UTF-16, and end in .JSON', async () => {
  const text = '{"mean": [0.5, 0.5, 0.5], "std": [1, 1, 1]}';
  const folder = await madeFolder({
    'mark.json': `\uFEFF${text}`,
    'WINDOWS.JSON': Buffer.from(`\uFEFF${text}`, 'utf16le'),
  });
  for (const name of ['mark.json', 'WINDOWS.JSON']) {
    const preset = resolvePreset(join(folder, name));
    assert.deepEqual([preset.name, preset.std], [name.slice(0, -5), [1, 1, 1]]);
  }
});

test('the old name deviation is read as std, with a note; both at once are an error', () => {
  const notes: string[] = [];
  const {std, ...others} = own;
  assert.deepEqual(resolvePreset({...others, deviation: std} as unknown as Preset, notes).std, [1, 1, 1]);
  assert.deepEqual(notes, ['preset names its std by the old word deviation; call it std']);
  assert.throws(() => resolvePreset({...own, deviation: std} as Preset), /unknown field "deviation" in preset/);
});

test('a preset file that is no regular file of bounded size is refused', () => {
  assert.throws(() => resolvePreset('/dev/zero.json'), /cannot read the preset/);
  const folder = mkdtempSync(join(tmpdir(), 'unweave-preset-'));
  try {
    symlinkSync('/dev/zero', join(folder, 'zero.json'));
    execFileSync('mkfifo', [join(folder, 'pipe.json')]);
    for (const name of ['zero.json', 'pipe.json'])
      assert.throws(() => resolvePreset(join(folder, name)), /it is no regular file but a device, a pipe or a socket/);
  } finally {
    rmSync(folder, {recursive: true});
  }
});

test('raw pixels stay 0..255', async () => {
  const images = imagesFromPixels({
    name: 'levels',
    pixels: [Uint8Array.from({length: 12}, (_, i) => (i * 255) / 11)],
    height: 2,
    width: 2,
    labels: [0],
    preset: 'raw',
  });
  for await (const {pixels} of imageBatches(images, {inputShape: [2, 2, 3], batchSize: 1}))
    assert.deepEqual([...pixels], [...(await images.pixels(0, {height: 2, width: 2}))]);
});

test("one rule finds the preset: the call's, else the recorded, else the images', else the model's, and conflicts are named", () => {
  const named = (name: string, mean: number): Preset => ({...own, name, mean: [mean, mean, mean]});
  const [call, recorded, images, model] = ['call', 'recorded', 'images', 'model'].map((name, at) => named(name, at));
  const choose = (ofModel?: Preset, ofImages?: Preset, earlier?: Preset, given?: Preset) =>
    choosePreset(
      {name: 'net', graph: {}, preset: ofModel} as {name: string; preset?: Preset},
      imagesFromPixels({name: 'x', pixels: [new Uint8Array(3)], height: 1, width: 1, labels: [0], preset: ofImages}),
      given,
      earlier,
    );
  const name = (...all: Parameters<typeof choose>) => choose(...all).preset.name;
  assert.equal(name(model, images, recorded, call), 'call');
  assert.equal(name(model, images, recorded), 'recorded');
  assert.equal(name(model, images), 'images');
  assert.equal(name(model), 'model');
  assert.throws(() => choose(), /no preprocessing is known for model net; give a preset/);
  assert.match(
    choose(model, images, recorded, call).notes.join(),
    /preset call was given, and preset recorded was recorded/,
  );
  assert.match(
    choose(model, images, recorded).notes.join(),
    /the images ask for preset images, and preset recorded was/,
  );
  assert.deepEqual(choose(model, recorded, recorded).notes, []);
  assert.deepEqual(choose(model, undefined, recorded, {...recorded, name: 'other word'}).notes, []);
});
