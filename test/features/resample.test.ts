import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {seededRandom} from '../../src/common/random';
import {IDENTITY, resample, type View} from '../../src/features/resample';
import {checkTransforms, drawView, jitter, pad, rotate, scale, type Transform} from '../../src/features/transforms';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {dot, finiteDifference, slowResample} from '../reference/features';
import {uniform} from '../reference/smallNetworks';

const SHAPE = [7, 9, 3] as const;
const OUTSIDE = [
  [0.2, 0.9, 0.4],
  [0.6, 0.1, 0.7],
];
const SIZE = SHAPE[0] * SHAPE[1] * SHAPE[2];

function twoImages(seed: number): Float32Array {
  return Float32Array.from({length: 2 * SIZE}, uniform(seed, -1, 1));
}

const views = (transforms: Transform[], seed: number): View[] => {
  const random = seededRandom(seed);
  return [0, 1].map(() => drawView(transforms, random, [SHAPE[0], SHAPE[1]]));
};

const EVERYTHING = [pad(1), jitter(2), scale(0.7, 1.4), rotate(30), jitter(1)];

function closest(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `[${i}]: ${actual[i]}, not ${expected[i]}`);
  }
}

eachEngine('views are interpolated as plain loops do it, each image through its own', async () => {
  for (const seed of [1, 2, 3]) {
    const images = twoImages(seed);
    const drawn = views(EVERYTHING, seed);
    const seen = await keepsTensorCount(() =>
      tf.tidy(() => resample(tf.tensor4d(images, [2, ...SHAPE]), drawn, OUTSIDE).dataSync()),
    );
    const expected = drawn.flatMap((view, i) =>
      slowResample(images.subarray(i * SIZE, (i + 1) * SIZE), SHAPE, view, OUTSIDE[i]!),
    );
    closest(seen, expected, 1e-5);
  }
});

eachEngine('the gradient of a view agrees with finite differences, and hands the border nothing back', async () => {
  const images = twoImages(4);
  const weights = twoImages(5);
  const direction = twoImages(6);
  const drawn = views(EVERYTHING, 7);
  const weighted = (x: tf.Tensor) =>
    tf.sum(tf.mul(resample(x as tf.Tensor4D, drawn, OUTSIDE), tf.tensor4d(weights, [2, ...SHAPE])));
  await keepsTensorCount(() =>
    tf.tidy(() => {
      const gradient = tf
        .grad(weighted)(tf.tensor4d(images, [2, ...SHAPE]))
        .dataSync();
      const along = dot(gradient, direction);
      // The map is affine, so a wide step is exact but for rounding.
      const f = (x: Float32Array) => tf.tidy(() => weighted(tf.tensor4d(x, [2, ...SHAPE])).dataSync()[0]!);
      assert.ok(Math.abs(along - finiteDifference(f, images, direction, 1)) < 1e-3);
      assert.ok(Math.abs(along) > 0.5, 'the comparison is about something');
    }),
  );
});

eachEngine('the identity and whole pixels leave the values as they are', async () => {
  const images = twoImages(8);
  const moved = {...IDENTITY, e: 2, f: -1};
  const seen = await keepsTensorCount(() =>
    tf.tidy(() => resample(tf.tensor4d(images, [2, ...SHAPE]), [IDENTITY, moved], OUTSIDE).dataSync<'float32'>()),
  );
  assert.deepEqual(seen.subarray(0, SIZE), images.subarray(0, SIZE));
  const at = (data: ArrayLike<number>, row: number, column: number) => data[SIZE + (row * SHAPE[1] + column) * 3]!;
  assert.equal(at(seen, 1, 4), at(images, 3, 3));
  assert.equal(at(seen, 6, 4), Math.fround(OUTSIDE[1]![0]!), 'beyond the border');
});

test('each transform does to the image what its name says', () => {
  const size = [40, 60] as const;
  const random = seededRandom(1);
  const draws = (transform: Transform) => Array.from({length: 200}, () => drawView([transform], random, size));
  const determinant = ({a, b, c, d}: View) => a * d - b * c;

  const moves = draws(jitter(3));
  assert.deepEqual([...new Set(moves.map(({e}) => e + 0))].sort(), [-1, -2, -3, 0, 1, 2, 3]);
  assert.ok(moves.some(({e, f}) => e !== f) && moves.every((view) => determinant(view) === 1));

  // A view of an image that is twice as large steps half a pixel.
  const factors = draws(scale(0.5, 2)).map((view) => 1 / view.a);
  assert.ok(Math.min(...factors) >= 0.5 && Math.min(...factors) < 0.55);
  assert.ok(Math.max(...factors) <= 2 && Math.max(...factors) > 1.8);

  const turns = draws(rotate(20));
  const angles = turns.map(({a, b}) => (Math.atan2(b, a) * 180) / Math.PI);
  assert.ok(Math.max(...angles) <= 20 && Math.max(...angles) > 18 && Math.min(...angles) < -18);
  assert.ok(turns.every((view) => Math.abs(determinant(view) - 1) < 1e-12));

  // A border of 5 pixels around 40 shows 50 rows in 40.
  assert.equal(drawView([pad(5)], random, size).a, 50 / 40);
});

test('transforms are applied to the image in their order', () => {
  const half = scale(0.5, 0.5);
  const by = (transforms: Transform[]) => drawView(transforms, seededRandom(3), [20, 20]);
  const shift = by([jitter(4)]);
  assert.ok(shift.e !== 0);
  // Moved, then made half as large: the move is halved as it is seen, so the view still starts at the same pixel.
  assert.deepEqual([by([jitter(4), half]).e, by([jitter(4), half]).a], [shift.e, 2]);
  // Made half as large, then moved: the move counts double in the image's pixels.
  const late = drawView([half, jitter(4)], {...seededRandom(3), uniform: fixed()}, [20, 20]);
  assert.deepEqual([late.e, late.f], [2 * 4, 2 * 4]);
});

/** Always the upper end. */
const fixed = () => (_low: number, high: number) => high;

test('the same seed draws the same views', () => {
  assert.deepEqual(views(EVERYTHING, 11), views(EVERYTHING, 11));
  assert.notDeepEqual(views(EVERYTHING, 11), views(EVERYTHING, 12));
});

test('invalid transforms are refused with what would be valid', () => {
  const check = (transform: unknown) => () => checkTransforms([transform as Transform], [40, 60]);
  assert.throws(check(jitter(50)), /invalid transform jitter: 50; it is 0 to 40 pixels/);
  assert.throws(check(pad(-1)), /invalid transform pad: -1/);
  assert.throws(check(scale(2, 1)), /invalid transform scale: 2 to 1; two factors from 0.1 to 10/);
  assert.throws(check(scale(0, 1)), /invalid transform scale/);
  assert.throws(check(rotate(NaN)), /invalid transform rotate: NaN; it is 0 to 180 degrees/);
  assert.throws(check({kind: 'blur'}), /transforms are pad, jitter, scale and rotate/);
});
