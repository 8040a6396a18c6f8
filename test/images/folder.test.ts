import assert from 'node:assert/strict';
import {symlink, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {test} from 'node:test';
import {imageFiles, imageFolder, openImages} from '../../src/images';
import {madeFolder} from './madeFolder';

test('sorted class folders are class indices where there are as many as outputs', async () => {
  const folder = await madeFolder({'dog/2.png': 1, 'dog/1.png': 2, 'cat/deep/er/3.JPEG': 3, 'Ant/9.webp': 4});
  const images = await imageFolder(folder);
  assert.deepEqual(images.paths, ['Ant/9.webp', 'cat/deep/er/3.JPEG', 'dog/1.png', 'dog/2.png']);
  assert.deepEqual([...images.labelsFor(3)], [0, 1, 2, 2]);
  assert.deepEqual(images.classNamesFor(3), ['Ant', 'cat', 'dog']);
  assert.equal(String(images), `${basename(folder)}: 4 images`);
});

test('another number of class folders than outputs needs labels', async () => {
  const images = await imageFolder(await madeFolder({'cat/1.png': 1, 'dog/1.png': 1}));
  assert.throws(() => images.labelsFor(10), {
    name: 'InputError',
    message: /2 class folders in .*\(cat, dog\), but the model has 10 outputs; give labels/,
  });
});

test('an empty class folder keeps its class index', async () => {
  const images = await imageFolder(await madeFolder({'a/1.png': 1, 'b/note.txt': 'nothing yet', 'c/1.png': 1}));
  assert.deepEqual([...images.labelsFor(3)], [0, 2]);
  assert.deepEqual([...images.labelsFor(2)], [0, 1]);
});

test('WordNet ids are known to models with the outputs of ImageNet', async () => {
  const images = await imageFolder(
    await madeFolder({'n01443537/1.png': 1, '0000_n01440764/1.png': 1, 'n15075141-toilet/1.png': 1}),
  );
  assert.deepEqual([...images.labelsFor(1000)], [0, 1, 999]);
  assert.deepEqual([...images.labelsFor(1001)], [1, 2, 1000]);
  assert.deepEqual([...images.labelsFor(3)], [0, 1, 2]);
  assert.deepEqual(images.classNamesFor(1000).slice(0, 3), ['tench', 'goldfish', 'class 2']);
  const foreign = await imageFolder(await madeFolder({'n01443537/1.png': 1, 'n99999999/1.png': 1}));
  assert.throws(() => foreign.labelsFor(1000), /none of ImageNet's 1000 WordNet ids: n99999999;/);
});

test('hidden files, other files and looping links are left out', async () => {
  const folder = await madeFolder({'a/1.png': 1, 'a/.2.png': 1, '.git/3.png': 1, 'a/notes.txt': 'x', 'b/4.png': 1});
  await symlink(folder, join(folder, 'a', 'loop'));
  await symlink(join(folder, 'b'), join(folder, 'c'));
  assert.deepEqual((await imageFolder(folder)).paths, ['a/1.png', 'b/4.png', 'c/4.png']);
});

test('folders without images, absent folders and loose images are errors', async () => {
  await assert.rejects(
    imageFolder(await madeFolder({'a/notes.txt': 'x'})),
    /no images in .*it needs jpg, jpeg, jpe, jif, jfif, png, webp files/,
  );
  await assert.rejects(imageFolder('/nowhere/at/all'), {
    name: 'InputError',
    message: /no image folder \/nowhere\/at\/all/,
  });
  await assert.rejects(imageFolder(await madeFolder({'1.png': 1})), /no labels for the flat folder/);
  await assert.rejects(
    imageFolder(await madeFolder({'a/1.png': 1, 'stray.png': 1})),
    /1 of the images in .* lie outside its class sub-folders: stray\.png/,
  );
});

test('labels of a flat folder are an object, a JSON file or a CSV file with or without header', async () => {
  const files = {'a.png': 1, 'b.png': 2, 'c, d.png': 3};
  const folder = await madeFolder(files);
  const other = await madeFolder({
    'labels.json': '{"b.png": 0, "a.png": 7, "c, d.png": "2"}',
    'plain.csv': 'a.png,7\nb.png,0\n"c, d.png",2\n',
    'header.csv': '\uFEFFfile,label\r\na.png,7\r\nb.png,0\r\n"c, d.png",2\r\n',
    'more.csv': 'id;class_name;class_index;filename\n0;x;7;a.png\n1;y;0;b.png\n2;z;2;c, d.png\n',
    'tabs.txt': './a.png\t7\nb.png\t0\nc, d.png\t2\n',
  });
  const options = ['labels.json', 'plain.csv', 'header.csv', 'more.csv', 'tabs.txt'].map((name) => join(other, name));
  for (const labels of [...options, {'a.png': 7, 'b.png': 0, 'c, d.png': 2}]) {
    const images = await imageFolder(folder, {labels});
    assert.deepEqual([...images.labelsFor(8)], [7, 0, 2], String(labels));
    assert.equal(images.classNamesFor(8)[7], 'class 7');
  }
});

test('labels map class folders to class indices or WordNet ids, and a file overrides its folder', async () => {
  const folder = await madeFolder({'cat/1.png': 1, 'cat/2.png': 1, 'dog/1.png': 1});
  const images = await imageFolder(folder, {labels: {cat: 3, dog: 5, bird: 6, 'cat/2.png': 5}});
  assert.deepEqual([...images.labelsFor(10)], [3, 5, 5]);
  assert.deepEqual(images.classNamesFor(10).slice(3, 6), ['cat', 'class 4', 'class 5']);
  const known = await imageFolder(folder, {labels: {cat: 'n02123045', dog: 'n02085620'}});
  assert.deepEqual([...known.labelsFor(1000)], [281, 281, 151]);
  assert.equal(known.classNamesFor(1000)[281], 'tabby');
  assert.throws(
    () => known.labelsFor(10),
    /invalid label in labels: n02123045 for cat\/1\.png; the model has outputs 0 to 9/,
  );
});

test('labels that do not fit the images or the model are errors that name them', async () => {
  const folder = await madeFolder({'a.png': 1, 'b.png': 2});
  const read = (labels: string | Record<string, number | string>) => imageFolder(folder, {labels});
  await assert.rejects(read({'a.png': 0}), /no label in labels for 1 of 2 images: b\.png/);
  await assert.rejects(
    read({'x.png': 1, 'y.png': 1}),
    /none of the 2 labels in labels is of an image here: they name x\.png, y\.png, and the images are a\.png, b\.png/,
  );
  await assert.rejects(read({'a.png': 0, 'b.png': 'cat'}), /invalid label in labels: "cat" for b\.png/);
  await assert.rejects(read({}), /no labels in labels/);
  for (const [label, outputs] of [
    [10, 10],
    [-1, 10],
    [1.5, 10],
  ] as const) {
    const images = await read({'a.png': 0, 'b.png': label});
    assert.throws(() => images.labelsFor(outputs), {
      name: 'InputError',
      message: `invalid label in labels: ${label} for b.png; the model has outputs 0 to 9`,
    });
  }
  const files = await madeFolder({
    'cut.json': '{"a.png": ',
    'list.json': '[1, 2]',
    'twice.csv': 'a.png,1\na.png,2\n',
    'column.csv': 'a.png\nb.png\n',
    'word.csv': 'a.png,cat\nb.png,1\n',
    'empty.csv': '\n',
  });
  await assert.rejects(read(join(files, 'absent.csv')), /cannot read the labels/);
  await assert.rejects(read(join(files, 'cut.json')), /cannot read the labels/);
  await assert.rejects(read(join(files, 'list.json')), /not a JSON object/);
  await assert.rejects(read(join(files, 'twice.csv')), /two labels for a\.png .*: 1 and 2/);
  await assert.rejects(read(join(files, 'column.csv')), /row 1, "a\.png", has one column/);
  await assert.rejects(read(join(files, 'word.csv')), /invalid label in .*word\.csv, line 1: "cat" for a\.png/);
  await assert.rejects(read(join(files, 'empty.csv')), /no labels in/);
});

test('a list of labels may be of more images than there are', async () => {
  const images = await imageFolder(await madeFolder({'a.png': 1, 'b.png': 2}), {
    labels: {'a.png': 3, 'b.png': 1, 'x.png': 0, 'y.png': 2},
  });
  assert.deepEqual([...images.labelsFor(4)], [3, 1]);
});

test('labels that an earlier run recorded are used where they fit', async () => {
  const lists = await madeFolder({'flat.csv': 'a.png,3\nb.png,1\n', 'folders.csv': 'cat,3\ndog,1\n'});
  const recorded = (folder: string, name: string) => openImages(folder, {recordedLabels: join(lists, name)});
  const flat = await madeFolder({'a.png': 1, 'b.png': 2});
  assert.deepEqual([...(await recorded(flat, 'flat.csv')).labelsFor(4)], [3, 1]);
  const folders = await madeFolder({'cat/1.png': 1, 'dog/1.png': 2});
  assert.deepEqual([...(await recorded(folders, 'folders.csv')).labelsFor(4)], [3, 1]);
  for (const name of ['flat.csv', 'absent.csv'])
    assert.deepEqual([...(await recorded(folders, name)).labelsFor(2)], [0, 1], 'folders speak for themselves');
});

test('recorded labels that do not fit a flat folder are named with their origin, and nothing of them is printed', async () => {
  const lists = await madeFolder({
    'other.csv': 'x.png,3\n',
    'foreign.txt': 'my secret\nanother secret\n',
    'named.txt': 'a secret\nanother secret\n',
  });
  const flat = await madeFolder({'a.png': 1});
  for (const [name, reason] of [
    ['other.csv', 'do not fit'],
    ['foreign.txt', 'do not fit'],
    ['absent.csv', 'are not there any more'],
  ]) {
    const file = join(lists, name);
    await assert.rejects(openImages(flat, {recordedLabels: file}), (error: Error) => {
      assert.equal(error.name, 'InputError');
      assert.match(error.message, /^no labels for the images of .*: those recorded by the earlier run, ".*", /);
      assert.ok(error.message.includes(`"${file}", ${reason}; give labels`), error.message);
      return !error.message.includes('secret') && !error.message.includes('x.png');
    });
  }
  const named = await openImages(flat, {recordedLabels: join(lists, 'named.txt')});
  for (const ask of [named.labelsFor, named.classNamesFor]) {
    assert.throws(
      () => ask(10),
      (error: Error) => /recorded by the earlier run/.test(error.message) && !error.message.includes('secret'),
    );
  }
  await assert.rejects(openImages(join(flat, 'nowhere'), {recordedLabels: 'x.csv'}), /no image folder/);
});

test('flat folders and files of a model with the outputs of ImageNet show its names', async () => {
  const flat = await madeFolder({'a.png': 1});
  const images = await imageFolder(flat, {labels: {'a.png': 281}});
  assert.deepEqual([images.classNamesFor(1000)[281], images.classNamesFor(1000)[0]], ['tabby', 'tench']);
  assert.deepEqual([images.classNamesFor(1001)[282], images.classNamesFor(1001)[0]], ['tabby', 'class 0']);
  assert.equal(images.classNamesFor(999)[281], 'class 281');
  assert.equal(imageFiles([{file: join(flat, 'a.png'), label: 7}]).classNamesFor(1000)[0], 'tench');
});

test('an array of files keeps its order and its labels', async () => {
  const folder = await madeFolder({'b.png': 20, 'a.png': 10});
  const images = imageFiles([
    {file: join(folder, 'b.png'), label: 3},
    {file: join(folder, 'a.png'), label: 0},
  ]);
  assert.deepEqual([...images.labelsFor(4)], [3, 0]);
  assert.equal((await images.pixels(0, {height: 4, width: 4}))[0], 20);
  assert.throws(() => images.labelsFor(3), /invalid label: 3 of .*b\.png; the model has outputs 0 to 2/);
  assert.throws(() => imageFiles([]), /no images in the array/);
});

test('a path is opened as what it holds', async () => {
  const tests = await madeFolder({'test_batch.bin': new Uint8Array(2 * 3073)});
  for (const path of [tests, join(tests, 'test_batch.bin')])
    assert.deepEqual((await openImages(path)).paths, ['test_batch.bin/00000', 'test_batch.bin/00001']);
  const batch = await madeFolder({'data_batch_1.bin': new Uint8Array(3073)});
  await writeFile(join(batch, 'readme.html'), '');
  assert.equal((await openImages(batch)).paths[0], 'data_batch_1.bin/00000');
  assert.equal((await openImages(await madeFolder({'a/1.png': 1}))).paths[0], 'a/1.png');
});
