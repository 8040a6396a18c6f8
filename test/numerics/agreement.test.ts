import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {adjustedRandIndex, pearson} from '../../src/numerics/agreement';

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);
const groups = fc.array(fc.tuple(fc.integer({min: 0, max: 3}), fc.integer({min: 0, max: 3})), {
  minLength: 2,
  maxLength: 25,
});

test('a line correlates with itself, against its reverse and not with a constant', () => {
  near(pearson([1, 2, 3], [10, 20, 30]), 1);
  near(pearson([1, 2, 3], [3, 2, 1]), -1);
  near(pearson([1, 2, 3, 4], [1, -1, -1, 1]), 0);
  assert.ok(Number.isNaN(pearson([1, 2], [5, 5])));
});

test('correlation is the covariance over the product of the deviations', () => {
  const values = fc.array(fc.tuple(fc.integer({min: -9, max: 9}), fc.integer({min: -9, max: 9})), {minLength: 3});
  fc.assert(
    fc.property(values, (pairs) => {
      const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / x.length;
      const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
      const moment = (x: number[], y: number[]) => mean(x.map((value, n) => (value - mean(x)) * (y[n] - mean(y))));
      const scale = Math.sqrt(moment(a, a) * moment(b, b));
      if (scale > 1e-6) near(pearson(a, b), moment(a, b) / scale);
    }),
  );
});

test('the adjusted Rand index compares every pair of things', () => {
  fc.assert(
    fc.property(groups, (pairs) => {
      let [both, inA, inB, all] = [0, 0, 0, 0];
      pairs.forEach(([a, b], n) => {
        for (const [c, d] of pairs.slice(n + 1)) {
          both += Number(a === c && b === d);
          inA += Number(a === c);
          inB += Number(b === d);
          all += 1;
        }
      });
      const expected = (inA * inB) / all;
      const index = adjustedRandIndex(
        pairs.map(([a]) => a),
        pairs.map(([, b]) => b),
      );
      if ((inA + inB) / 2 === expected) assert.equal(index, 1);
      else near(index, (both - expected) / ((inA + inB) / 2 - expected));
    }),
  );
});

test('the names of the groups do not matter', () => {
  assert.equal(adjustedRandIndex([0, 0, 1, 1, 2], [5, 5, 3, 3, 9]), 1);
  assert.equal(adjustedRandIndex([1, 1, 1], [2, 2, 2]), 1);
});
