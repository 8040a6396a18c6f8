import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {auroc, averagePrecision} from '../../src/numerics/ranking';

// Few distinct scores, so that many are tied.
const scores = fc.array(fc.integer({min: 0, max: 6}), {minLength: 1, maxLength: 20});
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

test('the area under the ROC curve is the share of pairs in the right order, ties counted half', () => {
  fc.assert(
    fc.property(scores, scores, (positives, negatives) => {
      let right = 0;
      for (const p of positives) for (const n of negatives) right += p > n ? 1 : p === n ? 0.5 : 0;
      near(auroc(positives, negatives), right / (positives.length * negatives.length));
    }),
  );
});

test('average precision is the recall that each threshold adds, times its precision', () => {
  fc.assert(
    fc.property(scores, scores, (positives, negatives) => {
      const thresholds = [...new Set([...positives, ...negatives])].sort((a, b) => b - a);
      let [area, before] = [0, 0];
      for (const t of thresholds) {
        const hits = positives.filter((p) => p >= t).length;
        const all = hits + negatives.filter((n) => n >= t).length;
        area += (hits / positives.length - before) * (hits / all);
        before = hits / positives.length;
      }
      near(averagePrecision(positives, negatives), area);
    }),
  );
});

test('a perfect order has area and precision 1, the reverse area 0', () => {
  assert.equal(auroc([3, 4], [1, 2]), 1);
  assert.equal(averagePrecision([3, 4], [1, 2]), 1);
  assert.equal(auroc([1, 2], [3, 4]), 0);
  assert.ok(Number.isNaN(auroc([], [1])));
  assert.ok(Number.isNaN(averagePrecision([], [1])));
  // NaN equals nothing, itself neither: it once kept both busy for ever.
  for (const [positives, negatives] of [
    [[NaN, 1], [0]],
    [[1], [0, NaN]],
    [[NaN], [NaN]],
  ]) {
    assert.ok(Number.isNaN(auroc(positives, negatives)));
    assert.ok(Number.isNaN(averagePrecision(positives, negatives)));
  }
  assert.equal(auroc([Infinity, 1], [-Infinity, 0]), 1);
  assert.equal(auroc([Infinity], [Infinity]), 0.5);
});
