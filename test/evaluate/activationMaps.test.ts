import assert from 'node:assert/strict';
import {test} from 'node:test';
import {activationMaps} from '../../src/evaluate/activationMaps';
import {topImages} from '../../src/evaluate';
import {InputError, InterruptError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {positiveSum, slowImages} from '../reference/evaluateSlowly';
import {smallImages, STUDIED_LAYERS} from '../reference/smallNetworks';
import {SMALL_SPLITS, smallSplit} from '../reference/smallSplits';

const quiet = {progress: false as const};

Object.entries(STUDIED_LAYERS).forEach(([what, network], turn) => {
  eachEngine(`maps of ${what} are the kernels' outputs and add up to the channel`, async () => {
    const {concepts, ownership} = SMALL_SPLITS[turn % SMALL_SPLITS.length];
    const split = smallSplit(network, {concepts: concepts.map((classes) => [...classes]), ownership});
    const images = smallImages(12);
    const maps = await keepsTensorCount(() => activationMaps(split, images, {...quiet, perConcept: 2}));
    const {slow, dispose} = await slowImages(network, split, images);
    const k = split.parts.length;
    assert.deepEqual(maps.kernels, ['original', ...split.parts.map((_, j) => `d${j + 1}`), 'residue']);
    assert.equal(maps.images.length, 2 * k);
    for (const image of maps.images) {
      for (const map of image.maps) assert.deepEqual(map.shape, [maps.height, maps.width]);
      [split.original, ...split.parts, split.residue].forEach((kernel, n) => {
        const expected = slow[image.index].output(kernel);
        image.maps[n].data.forEach((value, at) => assert.ok(Math.abs(value - expected[at]) < 1e-4));
        assert.ok(Math.abs(image.activations[n] - positiveSum(expected)) < 1e-3);
      });
      image.maps[0].data.forEach((original, at) => {
        const parts = image.maps.slice(1, k + 1).reduce((sum, map) => sum + map.data[at], 0);
        assert.ok(Math.abs(parts - (k - 1) * image.maps[k + 1].data[at] - original) < 1e-4);
      });
    }
    dispose();
    split.dispose();
  });
});

test('the images are those that excite each part most, with the pixels that the network saw', async () => {
  const split = smallSplit({kind: 'conv'});
  const images = smallImages(16);
  let ends = 0;
  const progress = ({outcome}: {outcome: string}) => void (ends += Number(outcome !== 'running'));
  const maps = await activationMaps(split, images, {progress, perConcept: 3});
  assert.equal(ends, 1, 'one bar');
  const top = await topImages(split, images, {...quiet, count: 3, randomSplits: 0});
  split.parts.forEach((_, j) => {
    const own = maps.images.filter(({concept}) => concept === j).map(({index}) => index);
    const expected = top.lists[j + 1].images.map(({index}) => index);
    assert.deepEqual(own.slice(0, expected.length), expected);
  });
  const [first] = maps.images;
  const [height, width] = split.before.inputShape;
  assert.deepEqual(first.pixels.data, await images.pixels(first.index, {height, width}));
  const all = maps.images.flatMap((image) => image.maps.flatMap(({data}) => Array.from(data)));
  assert.equal(maps.scale.highest, Math.max(0, ...all));
  assert.equal(maps.scale.lowest, Math.min(0, ...all));
  assert.match(String(maps), /original .* residue/);
  split.dispose();
});

test('images that are named are mapped, and only they', async () => {
  const split = smallSplit({kind: 'conv'});
  const states: number[] = [];
  const maps = await activationMaps(split, smallImages(16), {
    indices: [5, 2],
    progress: ({total}) => states.push(total),
  });
  assert.deepEqual(
    maps.images.map(({index, concept}) => [index, concept]),
    [
      [5, -1],
      [2, -1],
    ],
  );
  assert.ok(states.every((total) => total === 2));
  split.dispose();
});

test('what cannot be mapped is refused with what would be valid', async () => {
  const split = smallSplit({kind: 'conv'});
  const images = smallImages(8);
  const refused = (options: object, message: RegExp) =>
    assert.rejects(activationMaps(split, images, {...quiet, ...options}), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  await refused({perConcept: 0}, /invalid perConcept: 0; give a whole number/);
  await refused({indices: [8]}, /invalid image: 8; .* has images 0 to 7/);
  const signal = AbortSignal.abort();
  await assert.rejects(activationMaps(split, images, {...quiet, signal}), InterruptError);
  split.dispose();
});
