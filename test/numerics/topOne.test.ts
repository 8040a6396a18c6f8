import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {binomialLowerTail, binomialUpperTail} from '../../src/numerics/binomial';
import {topOneWarnings} from '../../src/numerics/topOne';

/** Pascal's triangle in exact integers, p a fraction: Σ_{k ≥ hits} C(n, k) a^k (b − a)^(n − k) / b^n. */
function upperTailSlowly(hits: number, n: number, a: number, b: number): number {
  let row = [1n];
  for (let i = 0; i < n; i++) row = [1n, ...row.slice(1).map((value, k) => value + row[k]), 1n];
  let sum = 0n;
  for (let k = hits; k <= n; k++) sum += row[k] * BigInt(a) ** BigInt(k) * BigInt(b - a) ** BigInt(n - k);
  const scale = 10n ** 30n;
  return Number((sum * scale) / BigInt(b) ** BigInt(n)) / 1e30;
}

test("binomial tails agree with exact sums over Pascal's triangle", () => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 60}), fc.nat(60), fc.integer({min: 1, max: 99}), (n, at, a) => {
      const hits = at % (n + 1);
      const slow = upperTailSlowly(hits, n, a, 100);
      assert.ok(Math.abs(binomialUpperTail(hits, n, a / 100) - slow) < 1e-10, `${hits} of ${n} at ${a} %`);
      const lower = 1 - (hits < n ? upperTailSlowly(hits + 1, n, a, 100) : 0);
      assert.ok(Math.abs(binomialLowerTail(hits, n, a / 100) - lower) < 1e-10);
    }),
  );
});

test('binomial tails hold at the size of ImageNet and at their ends', () => {
  assert.ok(Math.abs(binomialUpperTail(1281, 1_281_167, 0.001) - 0.5) < 0.02);
  assert.ok(binomialUpperTail(900_000, 1_281_167, 0.001) < 1e-300);
  assert.deepEqual(
    [
      binomialUpperTail(0, 5, 0.1),
      binomialUpperTail(6, 5, 0.1),
      binomialUpperTail(3, 5, 1),
      binomialUpperTail(1, 5, 0),
    ],
    [1, 0, 1, 0],
  );
});

const CAUSE = 'the labels';
const chanceOf = (counts: number[], hits: number[]) => topOneWarnings({counts, hits}, CAUSE).length;

test('a perfect top-1 of two classes is no chance, however few images there are', () => {
  for (const n of [1, 2, 5, 50]) assert.equal(chanceOf([n, n], [n, n]), 0, `${n}`);
  assert.equal(chanceOf([3, 2], [3, 1]), 0, 'four of five');
});

test('guessing is named for two classes and for a thousand, and what is better is not', () => {
  assert.equal(chanceOf([50, 50], [26, 25]), 1);
  assert.equal(chanceOf([50, 50], [20, 19]), 1, 'worse than chance');
  assert.equal(chanceOf([50, 50], [35, 34]), 0);
  const of = (hits: number) => chanceOf(new Array(1000).fill(1), [hits, ...new Array(999).fill(0)]);
  assert.deepEqual([of(0), of(2), of(8), of(20)], [1, 1, 0, 0]);
});

test('always naming the largest class is chance where every class has images', () => {
  assert.equal(chanceOf([90, 5, 5], [90, 0, 0]), 1);
  assert.equal(chanceOf([90, 5, 5], [88, 2, 2]), 1, 'as many are hit by naming it always');
  assert.equal(chanceOf([900, 50, 50], [890, 45, 45]), 0);
  assert.equal(chanceOf([10, 0, 0, 0], [9, 0, 0, 0]), 0, 'images of one class of four');
});

test('a network that is sure of other classes than the labels say is named', () => {
  const counts = new Array(1000).fill(1);
  const hits = counts.map((_, k) => Number(k < 20));
  const warnings = topOneWarnings({counts, hits, confidence: counts.map(() => 0.85)}, CAUSE);
  assert.deepEqual(warnings, [
    'top-1 is 2.0 %, yet the network gives its first choices a probability of 85 % on average: it is sure of other classes, so the labels, or the order of the classes, look wrong',
  ]);
  const sound = counts.map((_, k) => Number(k < 600));
  assert.deepEqual(topOneWarnings({counts, hits: sound, confidence: counts.map(() => 0.8)}, CAUSE), []);
  assert.deepEqual(
    topOneWarnings({counts: [2, 0], hits: [0, 0], confidence: [1.2, 0]}, CAUSE).length,
    1,
    'two images prove nothing',
  );
});
