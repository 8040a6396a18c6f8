import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {
  byWeight,
  evenShares,
  imageRelevance,
  kMeansClusters,
  noSplit,
  randomOwners,
  trueOwners,
} from '../../src/planted/controls';
import {randomCrops} from '../../src/planted/randomCrops';
import {imagesFromPixels} from '../../src/images';
import {kernelsFromOwnership} from '../../src/split/kernels';
import type {SplitProblem, SplitRule} from '../../src/split/types';
import {randomProblem} from '../reference/ruleProblems';
import {uniform} from '../reference/smallNetworks';

test('controls divide as they say, keep the channel, and face the concept that excites them', async () => {
  await ensureBackend();
  const sources = 12;
  for (const k of [2, 3]) {
    const {problem} = randomProblem({k, sources, images: 8, seed: 11});
    const relevance = await imageRelevance(problem);
    const arv = relevance.map((vectors) =>
      vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length),
    );
    const given: SplitProblem = {
      ...problem,
      concepts: problem.concepts.map((concept, j) => ({...concept, arv: arv[j]})),
    };
    const solve = async (rule: SplitRule) => {
      const solution = await rule.solve(given);
      assert.ok('ownership' in solution);
      const {parts, residue} = kernelsFromOwnership(given.kernel, solution.ownership);
      given.kernel.forEach((weight, at) => {
        const sum = parts.reduce((total, part) => total + part[at], 0) - (k - 1) * residue[at];
        assert.ok(Math.abs(sum - weight) < 1e-6, rule.name);
      });
      return solution.ownership;
    };
    for (const lambda of await solve(noSplit)) assert.ok(lambda.every((share) => share === 1));
    for (const lambda of await solve(evenShares)) assert.ok(lambda.every((share) => share === 1 / k));
    const sizes = [3, 2, 1].slice(0, k);
    const owned = (ownership: Float64Array[]) =>
      ownership.map(
        (own, j) =>
          own.filter((share, i) => share === 1 && ownership.every((other, l) => l === j || other[i] === 0)).length,
      );
    assert.deepEqual(owned(await solve(randomOwners(sizes, 4))).sort(), [...sizes].sort());
    assert.notDeepEqual(await solve(randomOwners(sizes, 4)), await solve(randomOwners(sizes, 5)));
    assert.deepEqual(
      owned(await solve(byWeight)),
      Array.from({length: k}, () => sources / k),
    );
    const owner = Int8Array.from({length: sources}, (_, i) => i % k);
    assert.deepEqual(
      owned(await solve(trueOwners(owner))),
      Array.from({length: k}, () => sources / k),
    );
    // Sources i % (k + 1) = j are stronger for concept j, which the clusters show without labels.
    const clusters = await solve(kMeansClusters(1));
    const positive = Array.from({length: sources}, (_, i) => i).filter((i) => given.kernel[i] > 0.1 && i % (k + 1) < k);
    const right = positive.filter((i) => clusters[i % (k + 1)][i] === 1).length;
    assert.ok(right >= 0.8 * positive.length, `${right} of ${positive.length}`);
  }
});

test('crops are the same whenever they are asked for, differ from each other, and keep class and size', async () => {
  const draw = uniform(6, 0, 256);
  const [height, width] = [20, 16];
  const pictures = [0, 1].map(() => Uint8Array.from({length: height * width * 3}, draw));
  const images = imagesFromPixels({name: 'pictures', pixels: pictures, height, width, labels: [1, 0]});
  const crops = randomCrops(images, {count: 5});
  const more = randomCrops(images, {count: 3, from: 5});
  assert.deepEqual(Array.from(crops.labelsFor(2)), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
  assert.deepEqual(crops.paths.slice(4, 6), ['00000#crop4', '00001#crop0']);
  assert.equal(more.paths[0], '00000#crop5');
  const size = {height, width};
  const seen = new Set<string>();
  for (const [list, count] of [
    [crops, 10],
    [more, 6],
  ] as const) {
    for (let index = count - 1; index >= 0; index--) {
      const pixels = await list.pixels(index, size);
      assert.equal(pixels.length, height * width * 3);
      assert.deepEqual(await list.pixels(index, size), pixels);
      seen.add(pixels.join());
    }
  }
  assert.equal(seen.size, 16);
  const whole = randomCrops(images, {count: 8, area: 1});
  // At the whole area a crop is narrower or lower than the image, but an even picture stays even.
  const even = randomCrops(
    imagesFromPixels({name: 'grey', pixels: [new Uint8Array(300).fill(77)], height: 10, width: 10, labels: [0]}),
    {count: 4},
  );
  for (let index = 0; index < 4; index++)
    assert.ok((await even.pixels(index, {height: 10, width: 10})).every((value) => value === 77));
  assert.equal((await whole.pixels(0, size)).length, height * width * 3);
  assert.throws(() => randomCrops(images, {count: 0}), /invalid number of crops: 0/);
  assert.throws(() => randomCrops(images, {count: 1, area: 0}), /invalid area: 0/);
});
