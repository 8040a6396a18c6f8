import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {
  countText,
  fractionText,
  intervalText,
  numberText,
  percentText,
  signedText,
  spreadText,
} from '../../src/common/numbers';

for (const [value, text] of [
  [0.5, '0.5'],
  [1440, '1,440'],
  [-0.4, '−0.4'],
  [-0.40312, '−0.403'],
  [0.12, '0.12'],
  [0.12004, '0.120'],
  [0.1 + 0.2, '0.3'],
  [3.14159, '3.14'],
  [99.96, '100'],
  [1234.5, '1,235'],
  [2 / 64, '0.0313'],
  [0.0000125, '1.25e−5'],
  [-0, '0'],
  [NaN, '–'],
  [-Infinity, '−∞'],
] as const) {
  test(`${value} is written ${text}`, () => assert.equal(numberText(value), text));
}

test('every number is written with what three digits allow, its own sign and no hyphen', () => {
  fc.assert(
    fc.property(fc.double({noNaN: true, min: -1e9, max: 1e9}), (value) => {
      const text = numberText(value);
      assert.doesNotMatch(text, /-/);
      const read = Number(text.replace(/,/g, '').replace(/−/g, '-'));
      assert.ok(Math.abs(read - value) <= Math.max(0.0051 * Math.abs(value), Number.MIN_VALUE), `${value}: ${text}`);
    }),
  );
});

test('counts, shares, fractions and means have one format each', () => {
  assert.equal(countText(1234567), '1,234,567');
  assert.equal(percentText(0.974), '97 %');
  assert.equal(percentText(0.9746, 1), '97.5 %');
  assert.equal(percentText(NaN), '–');
  assert.equal(fractionText(-0.4), '−0.40');
  assert.equal(fractionText(-0.001), '0.00');
  assert.equal(signedText(0.25), '+0.25');
  assert.equal(intervalText({mean: 1.066, interval: [1.01, 1.131]}), '1.07 [1.01, 1.13]');
  assert.equal(spreadText({mean: 1.066, std: 0.321, interval: [1.01, 1.131]}), '1.07 ± 0.32 [1.01, 1.13]');
  assert.equal(spreadText({mean: NaN, std: NaN, interval: [NaN, NaN]}), '–');
});
