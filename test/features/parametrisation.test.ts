import assert from 'node:assert/strict';
import {once} from 'node:events';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {fourier, pixels, realWaves, waveGains, type Parametrisation} from '../../src/features/parametrisation';
import {seededRandom} from '../../src/common/random';
import {vignette} from '../../src/features';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {dot, finiteDifference, slowPower, slowSynthesis} from '../reference/features';
import {uniform} from '../reference/smallNetworks';

const logit = (p: number) => Math.log(p / (1 - p));

function started<T>(
  parametrisation: Parametrisation,
  shape: [number, number, number, number],
  seed: number,
  use: (images: Float32Array, parameters: Float32Array) => T,
): T {
  const parametrised = parametrisation.start(shape, seededRandom(seed));
  const images = parametrised.images();
  try {
    return use(images.dataSync() as Float32Array, parametrised.variables[0]!.dataSync() as Float32Array);
  } finally {
    images.dispose();
    parametrised.dispose();
  }
}

eachEngine('two matrix products make the sum of waves that plain loops make', async () => {
  for (const [height, width] of [
    [6, 6],
    [5, 8],
    [7, 4],
  ] as const) {
    await keepsTensorCount(() =>
      started(fourier({std: 0.3, decorrelate: false}), [2, height, width, 3], 1, (images, parameters) => {
        const gains = waveGains(height, width, 1, 0.35);
        const size = height * width;
        for (const [b, c] of [
          [0, 0],
          [0, 2],
          [1, 1],
        ] as const) {
          const own = parameters.subarray((b * 3 + c) * size, (b * 3 + c + 1) * size);
          const plane = slowSynthesis(
            own.map((p, i) => p * gains[i]!),
            height,
            width,
          );
          plane.forEach((value, i) => {
            const actual = logit(images[(b * size + i) * 3 + c]!);
            assert.ok(Math.abs(actual - value) < 1e-3, `${height}×${width} [${i}]: ${actual}, not ${value}`);
          });
        }
      }),
    );
  }
});

test('each parameter carries the energy of its own frequency, as a discrete Fourier transform finds it', () => {
  const [height, width] = [6, 5];
  const draw = uniform(2, -1, 1);
  const coefficients = Array.from({length: height * width}, draw);
  const power = slowPower(slowSynthesis(coefficients, height, width), height, width);
  const cycles = (k: number, n: number) => Math.min(k, n - k);
  for (let fy = 0; fy <= 3; fy++) {
    for (let fx = 0; fx <= 2; fx++) {
      let [found, given] = [0, 0];
      for (let i = 0; i < height * width; i++) {
        const [row, column] = [Math.floor(i / width), i % width];
        if (cycles(row, height) === fy && cycles(column, width) === fx) found += power[i]! / (height * width);
        if (Math.ceil(row / 2) === fy && Math.ceil(column / 2) === fx) given += coefficients[i]! ** 2;
      }
      assert.ok(Math.abs(found - given) < 1e-9, `frequency ${fy}, ${fx}: ${found}, not ${given}`);
    }
  }
});

test('waves are orthonormal, for even and odd lengths', () => {
  for (const n of [1, 2, 5, 8]) {
    const waves = realWaves(n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let x = 0; x < n; x++) dot += waves[i * n + x]! * waves[j * n + x]!;
        assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-6, `waves ${i} and ${j} of ${n}: ${dot}`);
      }
    }
  }
});

test('a wave is damped by its frequency to the power of the falloff, and beyond the cutoff by a Gaussian', () => {
  const at = (falloff: number, row: number, column: number, cutoff = Infinity) =>
    waveGains(16, 16, falloff, cutoff)[row * 16 + column]!;
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, ${expected}`);
  // Rows 1 and 2 are the cosine and the sine of frequency 1, rows 7 and 8 of frequency 4.
  near(at(1, 0, 7) / at(1, 0, 1), 1 / 4);
  near(at(2, 8, 0) / at(2, 2, 0), 1 / 16);
  near(at(1, 7, 7) / at(1, 0, 7), Math.SQRT1_2);
  assert.equal(at(1, 0, 0), at(1, 0, 1));
  near(at(1, 0, 7, 4 / 16) / at(1, 0, 7), Math.exp(-1));
  near(at(0, 7, 7, 4 / 16) / at(0, 0, 1, Infinity), Math.exp(-2));
});

eachEngine('gradients of the parameters agree with finite differences', async () => {
  const shape: [number, number, number, number] = [1, 6, 5, 3];
  for (const parametrisation of [fourier({std: 0.3}), pixels({std: 0.5, decorrelate: true})]) {
    await keepsTensorCount(() =>
      tf.tidy(() => {
        const parametrised = parametrisation.start(shape, seededRandom(3));
        const [variable] = parametrised.variables;
        const size = variable!.size;
        const [weights, direction] = [4, 5].map((seed) => Float32Array.from({length: size}, uniform(seed, -1, 1)));
        const value = () => tf.sum(tf.mul(parametrised.images(), tf.tensor4d(weights!, shape))) as tf.Scalar;
        const {grads} = tf.variableGrads(value, parametrised.variables);
        const gradient = Object.values(grads)[0]!.dataSync();
        const along = dot(gradient, direction!);
        const start = variable!.dataSync().slice();
        const f = (x: Float32Array) => {
          variable!.assign(tf.tensor4d(x, variable!.shape as [number, number, number, number]));
          return value().dataSync()[0]!;
        };
        const difference = finiteDifference(f, start, direction!, 0.01);
        assert.ok(
          Math.abs(along - difference) < 0.01 * Math.abs(difference) + 1e-3,
          `${parametrisation.name}: ${along}, ${difference}`,
        );
        parametrised.dispose();
      }),
    );
  }
});

eachEngine('the same seed starts the same images, near grey', async () => {
  for (const make of [fourier(), pixels(), fourier({decorrelate: false, falloff: 2})]) {
    const [first, again, other] = [5, 5, 6].map((seed) =>
      started(make, [2, 8, 8, 3], seed, (images) => images.slice()),
    );
    assert.deepEqual(first, again);
    assert.notDeepEqual(first, other);
    assert.notDeepEqual(first!.subarray(0, 192), first!.subarray(192), 'the images of a batch differ');
    assert.ok(first!.every((value) => Math.abs(value - 0.5) < 0.2));
  }
});

eachEngine('one channel is a grey image', async () => {
  await keepsTensorCount(() => started(fourier(), [1, 6, 6, 1], 1, (images) => assert.equal(images.length, 36)));
});

test('invalid parametrisations are refused with what would be valid', () => {
  assert.throws(() => fourier({cutoff: 0}), /invalid cutoff: 0; it is a number above 0/);
  assert.throws(() => fourier({std: -1}), /invalid std: -1/);
  assert.throws(() => fourier({falloff: NaN}), /invalid falloff: NaN/);
  assert.throws(() => pixels({std: NaN}), /invalid std: NaN/);
});

test('the old name of std is read, with a warning', async () => {
  const warned = once(process, 'warning');
  assert.equal(pixels({deviation: 0.5}).name, 'pixels');
  const [{message}] = (await warned) as [Error];
  assert.match(message, /features\.pixels: the option deviation is called std/);
  assert.throws(() => fourier({deviation: -1}), /invalid std: -1/);
});

eachEngine(
  'a vignette is grey outside its disc, quiet inside, and depends on the variables of what it frames',
  async () => {
    const shape = [2, 9, 12, 3] as const;
    const [radius, saturation] = [0.3, 0.25];
    await keepsTensorCount(async () => {
      const framed = vignette(pixels({std: 0.8}), {radius, saturation}).start(shape, seededRandom(4));
      const plain = pixels({std: 0.8}).start(shape, seededRandom(4));
      const [actual, inner] = [framed, plain].map((one) => {
        const images = one.images();
        const values = images.dataSync();
        images.dispose();
        return values;
      });
      for (let at = 0; at < actual.length; at += 3) {
        const [y, x] = [Math.floor(at / 3 / 12) % 9, (at / 3) % 12];
        const distance = Math.hypot((y + 0.5) / 9 - 0.5, (x + 0.5) / 12 - 0.5);
        const disc = 1 / (1 + Math.exp((distance - radius) / 0.04));
        const grey = (inner[at] + inner[at + 1] + inner[at + 2]) / 3;
        for (let c = 0; c < 3; c++) {
          const expected = 0.5 + disc * (grey + saturation * (inner[at + c] - grey) - 0.5);
          assert.ok(
            Math.abs(actual[at + c] - expected) < 1e-5,
            `[${y}, ${x}, ${c}]: ${actual[at + c]}, not ${expected}`,
          );
        }
      }
      framed.dispose();
      plain.dispose();
    });
    assert.throws(() => vignette(undefined, {radius: 0}), /invalid radius: 0; it is a number above 0/);
    assert.throws(() => vignette(undefined, {saturation: 2}), /invalid saturation: 2; it is a number from 0 to 1/);
  },
);
