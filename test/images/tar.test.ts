import assert from 'node:assert/strict';
import {readFile, readdir, rename, truncate, utimes, writeFile} from 'node:fs/promises';
import {gzipSync} from 'node:zlib';
import {join} from 'node:path';
import {test} from 'node:test';
import {create, Header} from 'tar';
import fc from 'fast-check';
import {InputError} from '../../src/common/errors';
import {imageFolder, imageListHash, openImages, tarImages, type LabelledImages} from '../../src/images';
import {scanTar} from '../../src/images/tarIndex';
import {stampsOf} from '../../src/pass/stamps';
import {madeFolder} from './madeFolder';

const SIZE = {height: 4, width: 4};
const levels = async (images: LabelledImages) =>
  Promise.all(images.paths.map(async (_, index) => (await images.pixels(index, SIZE))[0]));

/** Archives `names` of `folder`, each of what is in the folder `files` maps it to. */
async function pack(folder: string, file: string, cwd: string, names: readonly string[], more: object = {}) {
  await create({cwd: join(folder, cwd), file: join(folder, file), ...more}, [...names]);
}

const CLASSES = {'n01440764/a.JPEG': 10, 'n01440764/b.JPEG': 20, 'n01443537/a.JPEG': 30};

test("ILSVRC's tar of tars, a folder of class tars and a tar of class folders are the folder that they unpack to", async () => {
  const unpacked = Object.fromEntries(Object.entries(CLASSES).map(([path, level]) => [`train/${path}`, level]));
  const folder = await madeFolder({...unpacked, 'tars/.keep': ''});
  await pack(folder, 'tars/n01440764.tar', 'train/n01440764', ['a.JPEG', 'b.JPEG']);
  await pack(folder, 'tars/n01443537.tar', 'train/n01443537', ['./a.JPEG']);
  await pack(folder, 'train.tar', 'tars', ['n01440764.tar', 'n01443537.tar']);
  await pack(folder, 'folders.tar', '.', ['train']);
  const wanted = await imageFolder(join(folder, 'train'));
  for (const path of ['train.tar', 'tars', 'folders.tar']) {
    const images = await openImages(join(folder, path));
    assert.deepEqual(images.paths, wanted.paths, path);
    assert.deepEqual([...images.labelsFor(1000)], [0, 0, 1], path);
    assert.deepEqual(images.classNamesFor(1000).slice(0, 2), ['tench', 'goldfish'], path);
    assert.deepEqual(await levels(images), [10, 20, 30], path);
    assert.equal(imageListHash(images, images.labelsFor(2)), imageListHash(wanted, wanted.labelsFor(2)), path);
    assert.match(images.sourceOf!(0)!.file, /\.tar$/);
  }
});

test('by content, a changed image in an archive is noticed, it alone', async () => {
  const folder = await madeFolder({...CLASSES});
  const file = join(folder, 'train.tar');
  await pack(folder, 'train.tar', '.', ['n01440764', 'n01443537']);
  const images = await openImages(file);
  const changed = async (check: 'content' | 'files') => {
    const stamps = () => stampsOf(images, [0, 1, 2], check);
    const before = await stamps();
    const bytes = await readFile(file);
    const {position = 0, length = 0} = images.sourceOf!(1)!;
    bytes[position + length - 1] ^= 1;
    await writeFile(file, bytes);
    return [...(await stamps())].map((stamp, at) => stamp !== before[at]);
  };
  assert.deepEqual(await changed('content'), [false, true, false]);
  assert.deepEqual(await changed('files'), [true, true, true], 'of an archive only its own size and time are known');
});

test('WebDataset shards have their labels beside their images', async () => {
  const folder = await madeFolder({
    '0/000.png': 1,
    '0/000.cls': '7\n',
    '0/001.png': 2,
    '0/001.cls': '3',
    '1/000.png': 3,
    '1/000.json': '{"label": 5, "text": "x"}',
    'shards/.keep': '',
  });
  await pack(folder, 'shards/train-000.tar', '0', ['000.cls', '000.png', '001.png', '001.cls']);
  await pack(folder, 'shards/train-001.tar', '1', ['000.json', '000.png']);
  const shards = ['train-000.tar', 'train-001.tar'].map((name) => join(folder, 'shards', name));
  for (const images of [await openImages(join(folder, 'shards')), await tarImages(shards)]) {
    assert.deepEqual([...images.labelsFor(10)], [7, 3, 5]);
    assert.deepEqual(await levels(images), [1, 2, 3]);
    assert.equal(images.classNamesFor(10)[7], 'class 7');
    assert.equal(new Set(images.paths).size, 3, 'paths tell them apart');
  }
  await pack(folder, 'bad.tar', '0', ['000.png', '000.cls', '001.png']);
  await assert.rejects(tarImages(join(folder, 'bad.tar')), /no label beside 1 of the 2 images in bad: 001\.png/);
});

test('a flat archive takes labels, long names are read, litter and other files are left out', async () => {
  const long = `${'x'.repeat(150)}.png`;
  const folder = await madeFolder({[`v/${long}`]: 4, 'v/b.png': 5, 'v/._b.png': 'x', 'v/c.bmp': 'x'});
  await pack(folder, 'v.tar', 'v', ['b.png', long, '._b.png', 'c.bmp']);
  const images = await openImages(join(folder, 'v.tar'), {labels: {'b.png': 1, [long]: 0}});
  assert.deepEqual(
    [images.paths, [...images.labelsFor(2)]],
    [
      ['b.png', long],
      [1, 0],
    ],
  );
  assert.deepEqual(await levels(images), [5, 4]);
  assert.match(images.notes!.join(), /1 file in v was left out \(1 \.bmp\)/);
  await assert.rejects(openImages(join(folder, 'v.tar')), /no labels for the flat archive v; pack its images/);
});

test('compressed, cut off and foreign archives are errors that say so', async () => {
  const folder = await madeFolder({'a/x/1.png': 1, 'text.tar': 'hello '.repeat(200), 'empty.tar': ''});
  await pack(folder, 'good.tar', 'a', ['x']);
  const good = await readFile(join(folder, 'good.tar'));
  await writeFile(join(folder, 'packed.tar.gz'), gzipSync(good));
  await assert.rejects(
    openImages(join(folder, 'packed.tar.gz')),
    /it is compressed \(gzip\); unpack it with gunzip first/,
  );
  await assert.rejects(openImages(join(folder, 'text.tar')), /invalid tar archive .*text\.tar: it is none;/);
  await assert.rejects(openImages(join(folder, 'empty.tar')), /it holds no files/);
  await rename(join(folder, 'good.tar'), join(folder, 'cut.tar'));
  await truncate(join(folder, 'cut.tar'), 1024 + 30);
  await assert.rejects(openImages(join(folder, 'cut.tar')), /goes beyond its end|it is cut off/);
  await assert.rejects(openImages(join(folder, 'absent.tar')), /no image folder/);
});

test('no mutation of an archive hangs, or fails by anything but an input error', async () => {
  const folder = await madeFolder({'a/x/1.png': 1, [`a/x/${'y'.repeat(120)}.png`]: 2});
  await pack(folder, 'good.tar', 'a', ['x']);
  const good = await readFile(join(folder, 'good.tar'));
  const file = join(folder, 'bad.tar');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), {minLength: 1, maxLength: 6}),
      fc.integer({min: 0, max: good.length}),
      async (changes, length) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        await writeFile(file, bytes.subarray(0, length));
        await scanTar(file, () => {}).catch((error: unknown) => assert.ok(error instanceof InputError, String(error)));
      },
    ),
    {numRuns: 200, seed: 1},
  );
});

test('what a large archive holds is remembered, and found anew where the archive has changed or the memory is damaged', async (t) => {
  const folder = await madeFolder({'.keep': ''});
  const before = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = folder;
  t.after(() =>
    before === undefined ? delete process.env['XDG_CACHE_HOME'] : (process.env['XDG_CACHE_HOME'] = before),
  );
  const file = join(folder, 'large.tar');
  const block = (path: string, content: string) => {
    const bytes = Buffer.alloc(1024);
    new Header({path, size: content.length, mode: 0o644, type: 'File'}).encode(bytes, 0);
    bytes.write(content, 512);
    return bytes;
  };
  /** 600 samples, each a label and an image that nobody decodes, changed at a time long ago. */
  const make = async (label: string, time: number) => {
    const samples = Array.from({length: 600}, (_, n) => [block(`${n}.cls`, label), block(`${n}.png`, 'x')]).flat();
    await writeFile(file, Buffer.concat([...samples, Buffer.alloc(1024)]));
    await utimes(file, time, time);
  };
  const opened = async () => {
    const images = await openImages(file);
    assert.equal(images.paths.length, 600);
    assert.deepEqual(images.sourceOf!(599), {file, position: 599 * 2048 + 1536, length: 1});
    return images.labelsFor(10)[599];
  };
  const index = async () => {
    const [name] = await readdir(join(folder, 'unweave/archives'));
    return join(folder, 'unweave/archives', name);
  };
  await make('3', 1000);
  assert.equal(await opened(), 3);
  const kept = await readFile(await index());
  // The memory is what is read: a change that neither size nor time shows is not seen.
  await make('4', 1000);
  assert.equal(await opened(), 3);
  await make('4', 1001);
  assert.equal(await opened(), 4);
  const anew = await readFile(await index());
  assert.notDeepEqual(anew, kept);
  for (const damaged of [
    anew.subarray(0, 100),
    Buffer.from('no index'),
    Buffer.concat([anew.subarray(0, -6), Buffer.alloc(6)]),
  ]) {
    await writeFile(await index(), damaged);
    assert.equal(await opened(), 4);
    assert.deepEqual(await readFile(await index()), anew, 'and kept again');
  }
  // An archive that may still be written to is not remembered.
  await make('5', Date.now() / 1000);
  assert.equal(await opened(), 5);
  assert.deepEqual(await readFile(await index()), anew);
});
