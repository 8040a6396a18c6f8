import assert from 'node:assert/strict';
import {test} from 'node:test';
import {pearson} from '../../src/numerics/agreement';
import {runningCorrelation, runningVariance} from '../../src/split/rules/running';
import {uniform} from '../reference/smallNetworks';

test('moments of a stream are those of two passes, also where the mean is a thousand deviations', () => {
  for (const offset of [0, 1000, -1e6]) {
    const draw = uniform(11, -1, 1);
    const pairs = Array.from({length: 5000}, () => {
      const a = offset + draw();
      return [a, offset + (a - offset) / 2 + draw()];
    });
    const [first, second] = [0, 1].map((at) => pairs.map((pair) => pair[at]));
    const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
    const variance = first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (first.length - 1);
    const alone = runningVariance();
    const both = runningCorrelation();
    for (const [a, b] of pairs) {
      alone.add(a);
      both.add(a, b);
    }
    assert.ok(Math.abs(alone.variance() / variance - 1) < 1e-6, `${offset}: ${alone.variance()} ${variance}`);
    const expected = pearson(first, second);
    assert.ok(Math.abs(both.correlation() - expected) < 1e-6, `${offset}: ${both.correlation()} ${expected}`);
  }
});
