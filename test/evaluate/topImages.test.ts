import assert from 'node:assert/strict';
import {test} from 'node:test';
import {topImages} from '../../src/evaluate';
import {randomSplits} from '../../src/evaluate/randomSplit';
import {subset} from '../../src/images';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {meanOf, positiveSum, slowImages} from '../reference/evaluateSlowly';
import {smallImages, STUDIED_LAYERS} from '../reference/smallNetworks';
import {SMALL_SPLITS, smallSplit, withParts} from '../reference/smallSplits';

const quiet = {progress: false as const};

for (const [what, about] of [
  ['a 3×3 convolution with stride 2', SMALL_SPLITS[0]],
  ['a 3×3 convolution without padding, with bias and relu', SMALL_SPLITS[1]],
  ['a dense layer with bias', SMALL_SPLITS[2]],
] as const) {
  const concepts: number[][] = about.concepts.map((classes) => [...classes]);
  eachEngine(`lists and their purity agree with sorting every image: ${what}, k = ${concepts.length}`, async () => {
    const network = STUDIED_LAYERS[what];
    const split = smallSplit(network, {...about, concepts});
    const images = smallImages(20);
    const {slow, dispose} = await slowImages(network, split, images);
    dispose();
    const options = {count: 6, randomSplits: 3, seed: 2, batchSize: 7, ...quiet};
    const top = await keepsTensorCount(() => topImages(split, images, options));
    const sorted = (kernel: Float32Array) =>
      slow
        .map(({label, output}, index) => ({index, label, activation: positiveSum(output(kernel))}))
        .filter(({activation}) => activation > 1e-6)
        .sort((a, b) => b.activation - a.activation)
        .slice(0, 6);
    const purity = (list: {label: number}[], j: number) =>
      meanOf(list.map(({label}) => Number(concepts[j].includes(label))));
    assert.deepEqual(
      top.lists.map(({channel}) => channel),
      ['original', ...concepts.map((_, j) => `d${j + 1}`)],
    );
    top.lists.forEach((list, n) => {
      const expected = sorted(n === 0 ? split.original : split.parts[n - 1]);
      assert.deepEqual(
        list.images.map((image) => [image.index, image.class, image.path]),
        expected.map(({index, label}) => [index, label, images.paths[index]]),
      );
      list.images.forEach(({activation}, at) =>
        assert.ok(Math.abs(activation - expected[at].activation) < 1e-3 * Math.max(1, activation)),
      );
      list.purity.forEach((share, j) => assert.equal(share, purity(expected, j)));
      if (n === 0) return assert.equal(list.random, undefined);
      const random = randomSplits(split, {count: 3, seed: 2});
      const controls = random.map(({parts}) => purity(sorted(parts[n - 1]), n - 1));
      assert.ok(Math.abs(list.random!.mean - meanOf(controls)) < 1e-9);
    });
    top.concepts.forEach(({shareOfAll}, j) => assert.equal(shareOfAll, concepts[j].length / 4));
  });
}

test('fewer images are listed where fewer excite a part', async () => {
  const split = smallSplit({kind: 'conv'});
  const silent = withParts(split, [split.parts[0].map(() => 0), split.original]);
  const {lists} = await topImages(silent, smallImages(12), {count: 5, randomSplits: 1, ...quiet});
  assert.equal(lists[1].images.length, 0);
  assert.ok(lists[1].purity.every(Number.isNaN));
  assert.equal(lists[2].images.length, 5);
});

test('lists read as a table, and a foolish count is refused', async () => {
  const split = smallSplit({kind: 'conv'});
  const text = String(await topImages(split, smallImages(16), {count: 4, randomSplits: 2, ...quiet}));
  assert.match(text, /the 4 images that excite channel 2 of layer studied and each part most/);
  assert.match(text, /images +class 0 +class 1 +own concept, random splits\noriginal/);
  assert.match(text, /all images +25\.0 % +25\.0 %/);
  const refuses = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error: Error) => error instanceof InputError && message.test(error.message));
  await refuses(topImages(split, smallImages(16), {count: 0, ...quiet}), /invalid count: 0/);
  const some = subset(smallImages(8), {classes: [0], classCount: 4});
  await refuses(topImages(split, some, quiet), /have none of class 1/);
});
