import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {demoImages} from '../../src/demo';
import {ensureBackend} from '../../src/engine';
import {DEMO_SPECTRUM, imageSpectrum, maco} from '../../src/features';
import {fromColours, inColours} from '../../src/features/colours';
import {waveStrengths} from '../../src/features/maco';
import {seededRandom} from '../../src/common/random';
import {magnitudeAt} from '../../src/features/spectrum';
import {subset} from '../../src/images';
import {eachEngine, keepsTensorCount} from '../reference/engines';

for (const [height, width] of [
  [6, 6],
  [5, 8],
] as const) {
  eachEngine(`an image is the sum of its waves, ${height} × ${width}`, async () => {
    await keepsTensorCount(async () => {
      const channels = 1;
      const parametrised = maco().start([2, height, width, channels], seededRandom(3));
      const [phases, mean] = parametrised.variables.map((variable) => variable.dataSync());
      const half = Math.floor(width / 2) + 1;
      const strengths = waveStrengths(DEMO_SPECTRUM, [height, width], channels);
      const images = parametrised.images();
      const found = await images.data();
      for (let b = 0; b < 2; b++) {
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            let sum = mean[b];
            for (let u = 0; u < height; u++) {
              for (let v = 0; v < half; v++) {
                const phase = phases[(b * height + u) * half + v];
                sum += strengths[u * half + v] * Math.cos(2 * Math.PI * ((u * y) / height + (v * x) / width) + phase);
              }
            }
            const expected = 1 / (1 + Math.exp(-sum));
            assert.ok(Math.abs(found[(b * height + y) * width + x] - expected) < 1e-5);
          }
        }
      }
      images.dispose();
      parametrised.dispose();
    });
  });
}

test('each wave but the constant has its strength once', () => {
  for (const [height, width] of [
    [6, 6],
    [5, 7],
  ] as const) {
    const strengths = waveStrengths(DEMO_SPECTRUM, [height, width], 1);
    const waves = strengths.filter((one) => one > 0).length;
    // A real picture of n pixels has n numbers: the constant, waves alone, and pairs of cosine and sine.
    const alone = [height, width].every((side) => side % 2 === 0) ? 3 : 0;
    assert.equal(1 + alone + 2 * (waves - alone), height * width);
  }
});

test('colours are turned into uncorrelated directions and back', async () => {
  await ensureBackend();
  const colour = [0.3, -1.2, 0.8] as const;
  const back = tf.tidy(() => inColours(tf.tensor4d(fromColours(colour), [1, 1, 1, 3])).dataSync());
  back.forEach((value, c) => assert.ok(Math.abs(value - colour[c]) < 1e-5));
});

test('the spectrum of pictures is that of their waves, and the shipped one is of the demo', async () => {
  await ensureBackend();
  const side = 16;
  // One wave of frequency 4/16 along x, before the sigmoid.
  const pixels = Uint8Array.from({length: side * side * 3}, (_, at) => {
    const wave = Math.cos((2 * Math.PI * 4 * (Math.floor(at / 3) % side)) / side);
    return Math.round(255 / (1 + Math.exp(-wave)));
  });
  const images = {...subset(demoImages('train', 1), {indices: [0]}), pixels: () => Promise.resolve(pixels)};
  const {frequencies, magnitudes} = await imageSpectrum(images, {side, count: 1});
  const strongest = magnitudes[0].indexOf(Math.max(...magnitudes[0]));
  assert.ok(Math.abs(frequencies[strongest] - 0.25) < 0.02, String(frequencies[strongest]));
  const measured = await imageSpectrum(demoImages('train', 1));
  DEMO_SPECTRUM.magnitudes.forEach((row, c) =>
    row.slice(0, 12).forEach((value, bin) => {
      const own = magnitudeAt(measured, c, DEMO_SPECTRUM.frequencies[bin], 48);
      assert.ok(own / value > 0.4 && own / value < 2.5, `${c} ${bin}: ${own} and ${value}`);
    }),
  );
  await assert.rejects(imageSpectrum(images, {side: 2}), /invalid side: 2; it is a whole number from 4/);
});

test('what cannot be a spectrum or a contrast is refused', () => {
  assert.throws(() => maco({contrast: 0}), /invalid contrast: 0; it is a number above 0/);
  assert.throws(() => maco({spectrum: {} as never}), /write await features\.imageSpectrum\(images\)/);
});
