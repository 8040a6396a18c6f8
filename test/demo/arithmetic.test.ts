import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {angle, cosine, exponential, sine} from '../../src/demo/arithmetic';

/** Tells apart no two of a picture's 256 levels. */
const CLOSE = 1e-7;

const number = (low: number, high: number) => fc.double({min: low, max: high, noNaN: true});

test('sine and cosine agree with the engine’s own far beyond a turn', () => {
  fc.assert(
    fc.property(number(-100, 100), (x) => {
      assert.ok(Math.abs(sine(x) - Math.sin(x)) < CLOSE, `sin ${x}`);
      assert.ok(Math.abs(cosine(x) - Math.cos(x)) < CLOSE, `cos ${x}`);
    }),
  );
});

test('a point’s angle agrees with the engine’s own in every quadrant and on the axes', () => {
  for (const [y, x] of [
    [0, 1],
    [1, 0],
    [0, -1],
    [-1, 0],
    [1, 1],
    [-1, -1],
    [0, 0],
  ]) {
    assert.ok(Math.abs(angle(y, x) - Math.atan2(y, x)) < CLOSE, `angle of (${x}, ${y})`);
  }
  fc.assert(
    fc.property(number(-3, 3), number(-3, 3), (y, x) => {
      assert.ok(Math.abs(angle(y, x) - Math.atan2(y, x)) < CLOSE || Math.abs(y) === 0, `angle of (${x}, ${y})`);
    }),
  );
});

test('the exponential agrees with the engine’s own on its narrow range', () => {
  fc.assert(fc.property(number(-0.25, 0.25), (x) => assert.ok(Math.abs(exponential(x) - Math.exp(x)) < CLOSE)));
});
