import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import fc from 'fast-check';
import {backend} from '../../src/engine';
import {randomSplit} from '../../src/evaluate';
import {randomSplits} from '../../src/evaluate/randomSplit';
import {permutation, seedsFrom} from '../../src/common/random';
import {smallSplit} from '../reference/smallSplits';

// A small network's weights are drawn on an engine.
before(async () => void (await backend()));

const network = {kind: 'conv', size: 3} as const;
const ascending = (values: Iterable<number>) => [...values].sort((a, b) => a - b);

test('a permutation holds every number once, and follows its seed', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.integer(), (count, seed) => {
      assert.deepEqual(
        ascending(permutation(count, seed)),
        Array.from({length: count}, (_, i) => i),
      );
      assert.deepEqual(permutation(count, seed), permutation(count, seed));
    }),
  );
});

test('every order of four things is about as frequent', () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 2400; seed++) {
    const order = permutation(4, seed).join();
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  assert.equal(seen.size, 24);
  for (const [order, times] of seen) assert.ok(times > 60 && times < 140, `${order}: ${times}`);
});

for (const ownership of ['hard', 'soft', 'free'] as const) {
  for (const concepts of [
    [[0], [1]],
    [[0], [1], [2]],
  ]) {
    test(`a random split of ${concepts.length} parts (${ownership}) adds up to the channel`, () => {
      const split = smallSplit(network, {concepts, ownership});
      for (let seed = 0; seed < 5; seed++) {
        const {parts, residue} = randomSplit(split, seed);
        split.original.forEach((weight, at) => {
          const sum = parts.reduce((total, part) => total + part[at], 0) - (concepts.length - 1) * residue[at];
          assert.ok(Math.abs(sum - weight) < 1e-6, `${sum} instead of ${weight}`);
        });
      }
    });
  }
}

test('a random split owns as many sources as the split does', () => {
  const split = smallSplit({kind: 'dense'}, {concepts: [[0], [1], [2]]});
  const sizes = (parts: Float32Array[]) => parts.map((part) => part.filter((weight) => weight !== 0).length);
  const {parts} = randomSplit(split, 7);
  assert.deepEqual(sizes(parts), sizes(split.parts));
  assert.notDeepEqual(parts, split.parts);
});

test('free kernels differ by the same contrasts, at other sources', () => {
  const split = smallSplit(network, {ownership: 'free'});
  const contrasts = (parts: Float32Array[]) =>
    ascending(parts[0].map((weight, at) => weight - split.original[at] / 2)).map((value) => value.toFixed(5));
  assert.deepEqual(contrasts(randomSplit(split, 1).parts), contrasts(split.parts));
});

test('a random split follows its seed', () => {
  const split = smallSplit(network);
  assert.deepEqual(randomSplit(split, 4), randomSplit(split, 4));
  assert.notDeepEqual(randomSplit(split, 4).parts, randomSplit(split, 5).parts);
});

test('the controls of neighbouring seeds have no draw in common', () => {
  const seeds = Array.from({length: 40}, (_, seed) => seedsFrom(seed, 20)).flat();
  assert.equal(new Set(seeds).size, 40 * 20);
  const split = smallSplit({kind: 'dense'}, {concepts: [[0], [1], [2]]});
  const [zero, one] = [0, 1].map((seed) => randomSplits(split, {count: 20, seed}));
  const orders = new Set([...zero, ...one].map(({parts}) => parts.map(String).join()));
  assert.equal(orders.size, 40);
  assert.deepEqual(randomSplits(split, {count: 20, seed: 1}), one);
  assert.deepEqual(randomSplits(split, {count: 5, seed: 1}), one.slice(0, 5));
});
