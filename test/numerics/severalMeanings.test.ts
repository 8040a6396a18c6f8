import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {dipStatistic} from '../../src/numerics/dip';
import {severalMeanings} from '../../src/numerics/severalMeanings';
import {towardsGroups} from '../../src/numerics/shrink';
import {fitTwoComponents, likelihoodGain} from '../../src/numerics/twoComponents';
import {dipSlowly} from '../reference/dipSlowly';

const near = (a: number, b: number, by = 1e-9) => assert.ok(Math.abs(a - b) < by, `${a} is not ${b}`);

test('the dip is the distance to the nearest unimodal distribution, found by trying', () => {
  const values = fc.uniqueArray(fc.integer({min: 0, max: 60}), {minLength: 2, maxLength: 9});
  fc.assert(
    fc.property(values, (x) => near(dipStatistic(x), dipSlowly(x), 1e-6)),
    {numRuns: 60},
  );
});

test('two heaps dip more than one, and evenly spread values least', () => {
  const spread = Array.from({length: 40}, (_, n) => n);
  near(dipStatistic(spread), 1 / 80);
  const heaps = spread.map((n) => (n < 20 ? n : n + 200));
  assert.ok(dipStatistic(heaps) > 0.2);
  near(dipStatistic([3, 3, 3]), 1 / 6);
});

test('the mean gain of two components is what their densities say, value by value', () => {
  const fitted = [-5, -4.8, -5.2, -5.1, 4.9, 5, 5.1, 5.3];
  const owners = fitted.map((x) => Number(x > 0));
  const held = [-5.05, 4.95, 5.2];
  const {share, means, variances} = fitTwoComponents(fitted, owners);
  near(share, 0.5, 1e-6);
  const density = (x: number, m: number, v: number) => Math.exp(-((x - m) ** 2) / (2 * v)) / Math.sqrt(2 * Math.PI * v);
  const centre = fitted.reduce((a, b) => a + b) / 8;
  const spread = fitted.reduce((sum, x) => sum + (x - centre) ** 2, 0) / 8;
  const gains = held.map((x) => {
    const two = share * density(x, means[0], variances[0]) + (1 - share) * density(x, means[1], variances[1]);
    return Math.log(two) - Math.log(density(x, centre, spread));
  });
  near(likelihoodGain(fitted, owners, held), gains.reduce((a, b) => a + b) / 3, 1e-9);
  assert.ok(likelihoodGain(fitted, owners, held) > 1);
});

test('two bundles of directions speak for two groups by every measure, one bundle by none', () => {
  // A fixed, even scatter, so that nothing depends on a seed.
  const noise = (n: number, i: number) => Math.sin(12.9898 * (n + 1) * (i + 1)) * 0.3;
  const bundle = (two: boolean) =>
    Array.from({length: 64}, (_, n) =>
      Float64Array.from({length: 6}, (_unused, i) => Number(i === (two ? n % 2 : 0)) + noise(n, i)),
    );
  const [one, two] = [severalMeanings(bundle(false)), severalMeanings(bundle(true))];
  assert.ok(two.silhouette > one.silhouette + 0.2, `${two.silhouette} ${one.silhouette}`);
  assert.ok(two.dip > one.dip, `${two.dip} ${one.dip}`);
  assert.ok(two.likelihood > one.likelihood && two.likelihood > 0, `${two.likelihood} ${one.likelihood}`);
  assert.ok(two.stability > 0.9);
});

test('vectors are drawn towards their groups, and one alone stays as it is', () => {
  const [a, b, c] = towardsGroups(
    [
      [2, 0],
      [0, 3],
      [0, -1],
    ],
    [7, 7, 9],
  );
  assert.deepEqual([...a], [0.75, 0.25]);
  assert.deepEqual([...b], [0.25, 0.75]);
  assert.deepEqual([...c], [0, -1]);
});
