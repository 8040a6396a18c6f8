import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {fitTo} from '../../src/images/geometry';
import {resizeAndCrop} from '../../src/images/resize';
import {plainResize} from '../reference/plainResize';

const side = fc.integer({min: 1, max: 24});

test('resizing agrees with the definition of its filter to the rounding of its two passes', () => {
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.infiniteStream(fc.integer({min: 0, max: 255})),
      fc.constantFrom('bilinear' as const, 'bicubic' as const),
      (width, height, newWidth, newHeight, levels, interpolation) => {
        const data = Uint8Array.from(levels.take(width * height * 3));
        const to = {width: newWidth, height: newHeight};
        const actual = resizeAndCrop({data, width, height}, to, {left: 0, top: 0, ...to}, interpolation);
        assert.equal(actual.length, newWidth * newHeight * 3);
        for (let c = 0; c < 3; c++) {
          const channel = data.filter((_, i) => i % 3 === c);
          // A cubic's second pass may amplify the first one's rounding, and clips what overshoots after the first.
          const allowed = interpolation === 'bilinear' ? 1.001 : 30;
          plainResize(channel, {width, height}, to, interpolation).forEach((expected, i) => {
            assert.ok(Math.abs(actual[3 * i + c] - expected) <= allowed, `${actual[3 * i + c]} is not ${expected}`);
          });
        }
      },
    ),
    {numRuns: 60},
  );
});

test('resizing and cropping at once is the crop of the resized image', () => {
  fc.assert(
    fc.property(
      fc.tuple(side, side, side, side).chain(([width, height, newWidth, newHeight]) =>
        fc.record({
          from: fc.constant({width, height}),
          to: fc.constant({width: newWidth, height: newHeight}),
          left: fc.integer({min: 0, max: newWidth - 1}),
          top: fc.integer({min: 0, max: newHeight - 1}),
        }),
      ),
      ({from, to, left, top}) => {
        const data = Uint8Array.from({length: from.width * from.height * 3}, (_, i) => (i * 7919) >> 3);
        const whole = resizeAndCrop({data, ...from}, to, {left: 0, top: 0, ...to});
        const crop = {left, top, width: to.width - left, height: to.height - top};
        const rows = Array.from({length: crop.height}, (_, y) => {
          const start = ((top + y) * to.width + left) * 3;
          return [...whole.subarray(start, start + crop.width * 3)];
        });
        assert.deepEqual([...resizeAndCrop({data, ...from}, to, crop)], rows.flat());
      },
    ),
  );
});

test('an image of the size that is wanted is not touched', () => {
  const data = Uint8Array.from({length: 4 * 6 * 3}, (_, i) => i);
  assert.equal(fitTo({data, height: 4, width: 6}, {height: 4, width: 6, shorterSide: 100}, 'a.png'), data);
});

test('another size without a shorter side is an error that names the file and both sizes', () => {
  const image = {data: new Uint8Array(4 * 6 * 3), height: 4, width: 6};
  assert.throws(() => fitTo(image, {height: 32, width: 32}, 'cat/1.png'), {
    name: 'InputError',
    message: /wrong image size: cat\/1\.png has 4 × 6 pixels .* the network takes 32 × 32/,
  });
});

test('a strip of one pixel by a million is cropped without resizing it all', () => {
  const image = {data: new Uint8Array(1_000_000 * 3).fill(7), height: 1_000_000, width: 1};
  const pixels = fitTo(image, {height: 224, width: 224, shorterSide: 256}, 'strip.png');
  assert.deepEqual([pixels.length, pixels.every((level) => level === 7)], [224 * 224 * 3, true]);
});
