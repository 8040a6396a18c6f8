import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import fc from 'fast-check';
import {imageList, imagesFromPixels, openImages, subset} from '../../src/images';
import {madeFolder} from './madeFolder';

const FILES = {'data/b/2.png': 20, 'data/a/1.png': 10, 'data/a b.png': 30};

test('a list file names images and labels in its order, relative to itself or to a root', async () => {
  const lines = ['b/2.png 3', 'a/1.png 0', 'a b.png 1'].join('\n');
  const folder = await madeFolder({
    ...FILES,
    'data/val.txt': lines,
    'lists/val.lst': lines,
    'lists/val.csv': 'label,path\n3,b/2.png\n0,./a/1.png\n1,a b.png\n',
    'lists/val.jsonl':
      '{"path": "b/2.png", "label": 3}\n{"path": "a/1.png", "label": 0}\n{"path": "a b.png", "label": 1}\n',
  });
  const root = join(folder, 'data');
  for (const [name, options] of [
    ['data/val.txt', {}],
    ['lists/val.lst', {root}],
    ['lists/val.csv', {root}],
    ['lists/val.jsonl', {root}],
  ] as const) {
    const images = await openImages(join(folder, name), options);
    assert.deepEqual(images.paths, ['b/2.png', 'a/1.png', 'a b.png'], name);
    assert.deepEqual([...images.labelsFor(4)], [3, 0, 1], name);
    assert.equal((await images.pixels(2, {height: 4, width: 4}))[0], 30, name);
  }
  const spaced = await madeFolder({'a/b c d.png': 7, 'e/f g h.png': 8, 'l.txt': 'a/b c d.png 1\ne/f g h.png 0\n'});
  const {paths, source} = await openImages(join(spaced, 'l.txt'));
  assert.deepEqual(paths, ['a/b c d.png', 'e/f g h.png'], 'each with as many spaces as the others');
  assert.equal(source, join(spaced, 'l.txt'), 'so that results may lie beside the list');
  await assert.rejects(
    openImages(join(folder, 'lists/val.lst')),
    /none of the first 3 files of the list .* is there: .*; its paths are relative to .*lists, give another root/,
  );
});

test('a list of paths alone has the folders for classes; WordNet ids are labels; absolute paths are taken as they are', async () => {
  const folder = await madeFolder({'deep/cat/1.png': 1, 'deep/dog/1.png': 2});
  const lists = await madeFolder({
    'paths.txt': 'deep/dog/1.png\ndeep/cat/1.png\n',
    'absolute.txt': `${join(folder, 'deep/dog/1.png')} n01443537\n`,
    'label.txt': 'deep/dog/1.png 7\ndeep/cat/1.png 3\n',
    'twice.txt': 'deep/dog/1.png 7\ndeep/dog/1.png 3\n',
    'words.txt': 'deep/dog/1.png 1\nhello world\n',
  });
  const open = (name: string) => imageList(join(lists, name), {root: folder});
  const paths = await open('paths.txt');
  assert.deepEqual(
    [[...paths.labelsFor(2)], paths.classNamesFor(2)],
    [
      [1, 0],
      ['cat', 'dog'],
    ],
  );
  assert.deepEqual([...(await open('absolute.txt')).labelsFor(1000)], [1]);
  const labelled = await open('label.txt');
  assert.throws(
    () => labelled.labelsFor(5),
    /invalid label in .*label\.txt, line 1: 7 for deep\/dog\/1\.png; the model has outputs 0 to 4/,
  );
  await assert.rejects(open('twice.txt'), /deep\/dog\/1\.png is twice in the list/);
  await assert.rejects(open('words.txt'), /"hello( world)?" in line 2 is no image file/);
});

/** The slow way: hand out one image at a time, to the group that has fewest among those that have any left. */
function spreadSlowly(labels: readonly number[], limit: number, perClass: number): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const given = new Map([...sizes.keys()].map((label) => [label, 0]));
  for (let left = limit; left > 0; left--) {
    const open = [...sizes.keys()].filter((label) => given.get(label)! < Math.min(sizes.get(label)!, perClass));
    if (open.length === 0) break;
    const least = Math.min(...open.map((label) => given.get(label)!));
    const next = open.find((label) => given.get(label) === least)!;
    given.set(next, least + 1);
  }
  return given;
}

test('a limit and a number per class spread over classes as evenly as they can, and keep the first images in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), {minLength: 1, maxLength: 30}),
      fc.integer({min: 1, max: 35}),
      fc.integer({min: 1, max: 8}),
      (labels, limit, perClass) => {
        const images = imagesFromPixels({name: 'x', pixels: () => new Uint8Array(3), height: 1, width: 1, labels});
        const chosen = subset(images, {limit, perClass, classCount: 5});
        const counts = new Map<number, number>();
        for (const label of chosen.labelsFor(5)) counts.set(label, (counts.get(label) ?? 0) + 1);
        const slow = spreadSlowly(labels, limit, perClass);
        const sorted = (values: Iterable<number>) => [...values].filter((n) => n > 0).sort((a, b) => a - b);
        assert.deepEqual(sorted(counts.values()), sorted(slow.values()));
        assert.deepEqual([...chosen.paths], [...chosen.paths].sort());
        for (const [label, count] of counts) {
          const first = images.paths.filter((_, i) => labels[i] === label).slice(0, count);
          assert.deepEqual(
            chosen.paths.filter((path) => labels[Number(path)] === label),
            first,
          );
        }
      },
    ),
  );
});

test('without the number of outputs a limit spreads over the folders', async () => {
  const folder = await madeFolder({'a/1.png': 1, 'a/2.png': 1, 'b/1.png': 1, 'b/2.png': 1});
  const images = await openImages(folder);
  assert.deepEqual(subset(images, {limit: 2}).paths, ['a/1.png', 'b/1.png']);
  assert.deepEqual(subset(images, {limit: 3}).paths, ['a/1.png', 'a/2.png', 'b/1.png']);
  assert.throws(() => subset(images, {perClass: 0}), /invalid perClass: 0/);
});
