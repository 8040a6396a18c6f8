import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {imageFolder, openImages} from '../../src/images';
import {madeFolder} from './madeFolder';

const FOUR = {'val_0.JPEG': 1, 'val_1.JPEG': 2, 'val_2.JPEG': 3, 'val_3.JPEG': 4};
const WRONG = [3, 0, 2, 1];
const IDS = ['n01440764', 'n01443537', 'n01484850', 'n01491361'];
const line = (make: (name: string, label: number, at: number) => string) =>
  Object.keys(FOUR)
    .map((name, at) => make(name, WRONG[at], at))
    .join('\n');

/** Labels of the four images from a file of this content. */
async function read(content: string | Uint8Array, outputs: number, name = 'labels.txt', images = FOUR) {
  const folder = await madeFolder({
    ...Object.fromEntries(Object.entries(images).map(([n, v]) => [`val/${n}`, v])),
    [name]: content,
  });
  return [...(await imageFolder(join(folder, 'val'), {labels: join(folder, name)})).labelsFor(outputs)];
}

test('columns may be divided by spaces or tabs, and names may lack their ending, be in another case, or be paths of any kind', async () => {
  const forms: Record<string, (name: string, label: number) => string> = {
    caffe: (name, label) => `${name} ${label}`,
    tab: (name, label) => `${name}\t${label}`,
    'no ending': (name, label) => `${name.slice(0, -5)},${label}`,
    'other case': (name, label) => `${name.toLowerCase()},${label}`,
    parent: (name, label) => `val/${name} ${label}`,
    absolute: (name, label) => `/datasets/tiny/val/${name},${label}`,
    windows: (name, label) => `C:\\Users\\me\\val\\${name},${label}`,
    dot: (name, label) => `./${name};${label}`,
    'label first': (name, label) => `${label} ${name}`,
    'other columns': (name, label) => `${label},x,${name},2024-01-01`,
    'tiny imagenet': (name, label) => `${name}\t${IDS[label]}\t0\t32\t44\t62`,
    kaggle: (name, label) => `${name.slice(0, -5)},${IDS[label]} 85 1 499 272 ${IDS[label]} 1 2 3 4 `,
    words: (name, label) => `${name},${['ant', 'bee', 'cow', 'dog'][label]}`,
  };
  for (const [form, make] of Object.entries(forms)) assert.deepEqual(await read(line(make), 4), WRONG, form);
  assert.deepEqual(await read(line(forms['tiny imagenet']), 1000), WRONG);
  assert.deepEqual(
    await read(`ImageId,PredictionString\n${line(forms['kaggle'])}`, 1001),
    WRONG.map((k) => k + 1),
  );
});

test('names with spaces keep them where the label is the last word', async () => {
  const images = {'my cat.png': 1, 'a dog in rain.png': 2};
  assert.deepEqual(await read('my cat.png 1\na dog in rain.png 0\n', 2, 'list.txt', images as never), [0, 1]);
});

test('UTF-16 of either order and a byte order mark are read', async () => {
  const text = `file,label\r\n${line((name, label) => `${name},${label}`)}`;
  const little = Buffer.from(`\uFEFF${text}`, 'utf16le');
  const big = Buffer.from(little).swap16();
  for (const bytes of [little, little.subarray(2), big, big.subarray(2), Buffer.from(`\uFEFF${text}`)])
    assert.deepEqual(await read(bytes, 4, 'labels.csv'), WRONG);
  await assert.rejects(read(Buffer.from([0x61, 0xff, 0xfe, 0xc3]), 4), /it is no text in UTF-8; save it as UTF-8/);
});

test('lines without names are labels in the order of the images, one for each; numbers for ILSVRC are refused', async () => {
  assert.deepEqual(await read(WRONG.map((k) => IDS[k]).join('\n'), 4), WRONG);
  assert.deepEqual(await read(WRONG.join('\n'), 4), WRONG);
  await assert.rejects(read(IDS.slice(1).join('\n'), 4), /3 labels in .*, one per line, for 4 images/);
  await assert.rejects(read(WRONG.join('\n'), 4, 'ILSVRC2012_validation_ground_truth.txt'), /an order of its own/);
});

test('JSON may hold an object, its inverse, pairs, records, lines or a list of class folders', async () => {
  const folder = await madeFolder({'v/cat/1.png': 1, 'v/dog/1.png': 2});
  const contents: Record<string, string> = {
    'classes.json': '{"cat": 0, "dog": 1}',
    'inverse.json': '{"0": "cat", "1": "dog"}',
    'keras.json': '{"0": ["cat", "Cat"], "1": ["dog", "Dog"]}',
    'list.json': '["cat", "dog"]',
    'pairs.json': '[["cat/1.png", 0], ["dog/1.png", 1]]',
    'stylegan.json': '{"labels": [["cat/1.png", 0], ["dog/1.png", 1]]}',
    'records.json': '[{"label": 0, "image": "cat/1.png"}, {"label": 1, "image": "dog/1.png"}]',
    'lines.jsonl': '{"file_name": "cat/1.png", "label": 0}\n{"file_name": "dog/1.png", "label": 1}\n',
    'classes.txt': 'cat\ndog\n',
    'numbered.txt': '0 cat\n1 dog\n',
  };
  const lists = await madeFolder(contents);
  for (const name of Object.keys(contents)) {
    const images = await imageFolder(join(folder, 'v'), {labels: join(lists, name)});
    assert.deepEqual([...images.labelsFor(2)], [0, 1], name);
    assert.deepEqual(images.classNamesFor(2), ['cat', 'dog'], name);
  }
});

test('a repeated key and a label beyond the outputs are errors that say where', async () => {
  await assert.rejects(
    read('{"val_0.JPEG": 1, "val_1.JPEG": 1, "val_0.JPEG": 1}', 4, 'l.json'),
    /two labels for val_0\.JPEG in .*, whose key is repeated/,
  );
  await assert.rejects(
    read(`${line((name, label) => `${name},${label}`)}\nval_1.JPEG,3`, 4),
    /, line 5: 0 and 3; keep one/,
  );
  await assert.rejects(
    read(`# made by hand\n\n${line((name, label) => `${name},${label + 997}`)}`, 1000, 'l.csv'),
    /invalid label in .*l\.csv, line 3: 1000 for val_0\.JPEG; the model has outputs 0 to 999/,
  );
  await assert.rejects(read('{"val_0.JPEG": null}', 4, 'l.json'), /invalid label in .*: null for val_0\.JPEG/);
  await assert.rejects(read('{"a": {"b": 1}, "c": {"d": 1}}', 4, 'l.json'), /an object of objects/);
});

test('of labels for a whole data set those of the folder count, not those of files with the same names elsewhere', async () => {
  const text = `${line((name) => `train/${name},0`)}\n${line((name, label) => `val/${name},${label}`)}`;
  assert.deepEqual(await read(text, 4), WRONG);
  const images = await madeFolder({'cat/1.png': 1, 'dog/1.png': 1});
  const lists = await madeFolder({'l.csv': '1.png,0\n2.png,1\n'});
  await assert.rejects(imageFolder(images, {labels: join(lists, 'l.csv')}), /none of the 2 labels/);
});

test('decomposed names of files match composed ones', async () => {
  const folder = await madeFolder({['가방.png'.normalize('NFD')]: 1, ['über.png'.normalize('NFD')]: 2});
  const images = await imageFolder(folder, {labels: {'가방.png': 1, 'über.png': 0}});
  assert.deepEqual([...images.labelsFor(2)].sort(), [0, 1]);
  assert.equal(images.labelsFor(2)[images.paths.indexOf('가방.png'.normalize('NFC'))], 1);
  assert.equal((await images.pixels(images.paths.indexOf('über.png'.normalize('NFC')), {height: 4, width: 4}))[0], 2);
});

test('labels are read from regular files alone, also where an earlier run recorded a device or a pipe', async () => {
  const flat = await madeFolder({'a.png': 1});
  const places = await madeFolder({});
  await symlink('/dev/zero', join(places, 'zero.csv'));
  execFileSync('mkfifo', [join(places, 'pipe.csv')]);
  for (const name of ['zero.csv', 'pipe.csv']) {
    await assert.rejects(imageFolder(flat, {labels: join(places, name)}), /it is no regular file but a device, a pipe/);
    await assert.rejects(openImages(flat, {recordedLabels: join(places, name)}), /do not fit/);
  }
});

test('class folders 0 to K − 1 are indices, padded or not, and the order of text can be had', async () => {
  const names = ['00', '01', '2', '10', '03', '4', '5', '6', '7', '8', '9'];
  const folder = await madeFolder(Object.fromEntries(names.map((name) => [`${name}/x.png`, 1])));
  const images = await imageFolder(folder);
  const number = (path: string) => Number(path.split('/')[0]);
  assert.deepEqual([...images.labelsFor(11)], images.paths.map(number));
  assert.deepEqual([...images.labelsFor(1000)], images.paths.map(number), 'fewer folders than outputs');
  assert.match(images.notes!.join(), /numbers 0 to 10: the name is the class index; .* give classOrder name for that/);
  const text = await imageFolder(folder, {classOrder: 'name'});
  assert.deepEqual([...text.labelsFor(11)], [...names.keys()]);
  assert.deepEqual(text.notes, []);
  assert.throws(() => images.labelsFor(5), /11 class folders/);
});

test('class folders 1 to K are counted as text, with a note, or by number', async () => {
  const folder = await madeFolder(Object.fromEntries(Array.from({length: 10}, (_, at) => [`${at + 1}/x.png`, 1])));
  const images = await imageFolder(folder);
  assert.deepEqual(images.paths.slice(0, 2), ['1/x.png', '10/x.png']);
  assert.deepEqual([...images.labelsFor(10)].slice(0, 2), [0, 1]);
  assert.match(images.notes!.join(), /order of text \(1, 10, 2, 3, …\).*: give classOrder number/);
  assert.deepEqual([...(await imageFolder(folder, {classOrder: 'number'})).labelsFor(10)].slice(0, 2), [0, 9]);
  await assert.rejects(
    imageFolder(await madeFolder({'a/1.png': 1, '1/1.png': 1}), {classOrder: 'number'}),
    /classOrder number needs folders that are named by different numbers, and .* has a;/,
  );
});

test('litter is neither class nor image and is not missed', async () => {
  const files = [
    '@eaDir/x.jpg',
    'cat/@eaDir/a/x.jpg',
    '__MACOSX/cat/._a.png',
    'cat/._a.png',
    'cat/Thumbs.db',
    '.DS_Store',
  ];
  const litter = Object.fromEntries(files.map((name) => [name, 'x']));
  const images = await imageFolder(
    await madeFolder({'cat/a.png': 1, 'dog/a.png': 1, 'cat/.ipynb_checkpoints/a.png': 1, ...litter}),
  );
  assert.deepEqual([images.paths, images.notes], [['cat/a.png', 'dog/a.png'], []]);
});
