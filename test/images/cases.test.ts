import assert from 'node:assert/strict';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {imageFolder, openImages, resolvePreset} from '../../src/images';
import {sharedCase} from '../reference/sharedCases';

test('label files of ImageNet as people have them give classes 0, 1, 2, 3', async (t) => {
  const folder = sharedCase(t, 'label-files', 'labels-imagenet-val');
  if (!folder) return;
  const refused: Record<string, RegExp> = {
    'negative.csv': /negative\.csv, line 2: -1 for ILSVRC2012_val_00000001\.JPEG; the model has outputs 0 to 999/,
    'ground_truth.txt': /whose ground truth counts classes in an order of its own; give synset_labels\.txt/,
  };
  for (const name of (await readdir(folder)).filter((one) => one !== 'val')) {
    const open = async (): Promise<number[]> => [
      ...(await imageFolder(join(folder, 'val'), {labels: join(folder, name)})).labelsFor(1000),
    ];
    if (name in refused) await assert.rejects(open(), refused[name], name);
    else assert.deepEqual(await open(), [0, 1, 2, 3], name);
  }
});

test('maps of class folders, either way round, as lists and in another case give the classes', async (t) => {
  const folder = sharedCase(t, 'label-files', 'labels-folder-map');
  if (!folder) return;
  for (const name of (await readdir(folder)).filter((one) => one !== 'val')) {
    const images = await imageFolder(join(folder, 'val'), {labels: join(folder, name)});
    const classes = images.paths.map((path) => ['cat', 'dog', 'owl', 'pig'].indexOf(path.split('/')[0]));
    assert.deepEqual([...images.labelsFor(4)], classes, name);
    assert.deepEqual(images.classNamesFor(4).slice(0, 2), ['cat', 'dog'], name);
  }
});

test("Keras' imagenet_class_index.json gives the classes of WordNet folders", async (t) => {
  const folder = sharedCase(t, 'label-files', 'labels-imagenet-class-index');
  if (!folder) return;
  const labels = join(folder, 'imagenet_class_index.json');
  assert.deepEqual([...(await imageFolder(join(folder, 'val'), {labels})).labelsFor(1000)], [0, 1, 2, 3]);
});

test('thumbnails of a NAS are neither images nor classes', async (t) => {
  const folder = sharedCase(t, 'nas-thumbnails');
  if (!folder) return;
  const inside = await openImages(join(folder, 'img-eadir-inside/val'));
  assert.equal(inside.paths.length, 8);
  const top = await openImages(join(folder, 'img-eadir-top/val'));
  assert.deepEqual([...new Set(top.labelsFor(4))], [0, 1, 2, 3]);
  assert.deepEqual([...inside.notes!, ...top.notes!], []);
});

test('class folders named by numbers are class indices', async (t) => {
  const folder = sharedCase(t, 'numeric-class-folders', 'img-numeric-folders/val');
  if (!folder) return;
  const images = await openImages(folder);
  assert.deepEqual(
    [...images.labelsFor(12)],
    images.paths.map((path) => Number(path.split('/')[0])),
  );
  assert.match(
    images.notes!.join(),
    /named by the numbers 0 to 11: the name is the class index; a network .* \(0, 1, 10, 11, …\)/,
  );
});

test('files left out are counted by their endings, and classes that lost all are named', async (t) => {
  const folder = sharedCase(t, 'other-extensions');
  if (!folder) return;
  const one = await openImages(join(folder, 'img-one-class-tif/val'));
  assert.match(
    one.notes!.join('\n'),
    /2 files in val were left out \(2 \.tif\).*\n1 class folder in val without images: dog/,
  );
  const others = await openImages(join(folder, 'img-other-extensions/val'));
  assert.match(others.notes!.join(), /6 files in val were left out \(1 .*, 1 .*, 1 .* and 3 more\)/);
  for (const name of ['e.JPG', 'f.jpe', 'd.jfif']) assert.ok(others.paths.includes(`cat/${name}`), name);
  const tif = await openImages(join(folder, 'img-one-class-tif/val'), {extensions: ['png', '.TIF']});
  assert.deepEqual([tif.paths.length, tif.notes], [8, []]);
});

test('train and validation look like splits', async (t) => {
  const folder = sharedCase(t, 'train-val-parent', 'img-train-val-parent/data');
  if (!folder) return;
  const images = await openImages(folder);
  assert.match(
    images.notes!.join(),
    /the folders of .*data, train and validation, look like the splits of a data set, not like classes/,
  );
  assert.throws(
    () => images.labelsFor(10),
    /\(train, validation\), but the model has 10 outputs; open one of them, or give labels/,
  );
});

test('names in either form of Unicode match', async (t) => {
  const folder = sharedCase(t, 'unicode-forms', 'img-nfd');
  if (!folder) return;
  const images = await imageFolder(join(folder, 'val'), {labels: join(folder, 'labels.json')});
  const order = ['zebra', 'café', 'über', 'naïve'].map((name) => name.normalize('NFC'));
  assert.deepEqual(
    [...images.labelsFor(4)],
    images.paths.map((path) => order.indexOf(path.split('/')[0])),
  );
});

test('presets with a byte order mark are read, and std is what it is called', async (t) => {
  const folder = sharedCase(t, 'byte-order-mark', 'preset-bom');
  if (!folder) return;
  for (const name of await readdir(folder))
    assert.deepEqual(resolvePreset(join(folder, name)).std, [0.5, 0.5, 0.5], name);
});
