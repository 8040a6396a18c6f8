import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {centralRange, meanInterval, ratioInterval} from '../../src/numerics/summary';

const values = fc.array(fc.double({min: -100, max: 100, noNaN: true}), {minLength: 2, maxLength: 40});
const near = (a: number, b: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test('a mean interval is the mean and 1.96 standard errors on both sides', () => {
  const summary = meanInterval([2, 4, 4, 4, 5, 5, 7, 9]);
  near(summary.mean, 5);
  near(summary.std, Math.sqrt(32 / 7));
  near(summary.interval[1] - 5, (1.959964 * Math.sqrt(32 / 7)) / Math.sqrt(8));
  near(summary.interval[0] + summary.interval[1], 10);
  assert.equal(summary.count, 8);
});

test('one value has no deviation, and none has no mean', () => {
  assert.deepEqual(meanInterval([3]), {mean: 3, std: NaN, interval: [NaN, NaN], count: 1});
  assert.ok(Number.isNaN(meanInterval([]).mean));
  assert.ok(Number.isNaN(centralRange([]).interval[0]));
});

test('a ratio of equal denominators is the mean of the ratios, with the same interval', () => {
  fc.assert(
    fc.property(values, fc.double({min: 0.5, max: 3, noNaN: true}), (a, b) => {
      const ratio = ratioInterval(
        a,
        a.map(() => b),
      );
      const mean = meanInterval(a.map((value) => value / b));
      near(ratio.mean, mean.mean);
      near(ratio.std, mean.std, 1e-6);
      near(ratio.interval[0], mean.interval[0], 1e-6);
    }),
  );
});

test('a ratio of sums is hardly moved by a pair with a tiny denominator', () => {
  const a = [1, 2, 3, 1];
  const b = [2, 4, 6, 1e-6];
  near(ratioInterval(a, b).mean, 7 / 12, 1e-6);
  assert.ok(meanInterval(a.map((value, n) => value / b[n])).mean > 1e5);
});

test('the interval of a ratio of sums covers the truth in about 95 of 100 draws', () => {
  let [covered, seed] = [0, 1];
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let draw = 0; draw < 400; draw++) {
    const b = Array.from({length: 40}, () => 1 + random());
    const [low, high] = ratioInterval(
      b.map((value) => 0.7 * value + random() - 0.5),
      b,
    ).interval;
    covered += Number(low <= 0.7 && 0.7 <= high);
  }
  assert.ok(covered > 365 && covered < 396, `${covered} of 400`);
});

test('a central range leaves out the outermost values', () => {
  const {interval, mean} = centralRange(Array.from({length: 41}, (_, n) => n));
  near(interval[0], 1);
  near(interval[1], 39);
  near(mean, 20);
});
