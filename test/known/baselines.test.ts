import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {POSITIONS, type KnownActivations} from '../../src/known/activations';
import {CLASS_PARTS, CODES, PARTS} from '../../src/known/parts';
import {autoencoded, clustered, divided, factorized, scored} from '../bench/dictionaries';
import {uniform} from '../reference/smallNetworks';

const CHANNEL = 5;
const CODE = CODES[CHANNEL];

/** Pictures in which one of the code's parts is at one position, where it feeds sources of its own and nothing else is; one channel is read. */
function madeUp(seed: number, perClass = 4): KnownActivations {
  const draw = uniform(seed, 0.5, 1);
  const classes = [...CLASS_PARTS.keys()].filter(
    (k) => CLASS_PARTS[k].filter((part) => CODE.includes(part)).length === 1,
  );
  const count = classes.length * perClass;
  const channels = {inputs: 6, outputs: PARTS.length + 4};
  const all: KnownActivations = {
    labels: Int32Array.from({length: count}, (_, n) => classes[Math.floor(n / perClass)]),
    predicted: new Int32Array(count),
    inputs: new Float32Array(count * POSITIONS * channels.inputs),
    outputs: new Float32Array(count * POSITIONS * channels.outputs),
    maps: new Uint8Array(count * PARTS.length * POSITIONS),
    channels,
    kernel: new Float32Array(channels.inputs * channels.outputs),
    bias: new Float32Array(channels.outputs),
  };
  for (let i = 0; i < channels.inputs; i++) all.kernel[i * channels.outputs + CHANNEL] = 1;
  all.labels.forEach((k, n) => {
    const part = CLASS_PARTS[k].find((one) => CODE.includes(one))!;
    const at = n * POSITIONS + ((7 * n) % POSITIONS);
    all.maps[(n * PARTS.length + part) * POSITIONS + (at % POSITIONS)] = 1;
    for (const i of [0, 1, 2]) {
      const value = draw();
      all.inputs[at * channels.inputs + 3 * CODE.indexOf(part) + i] = value;
      all.outputs[at * channels.outputs + CHANNEL] += value;
    }
  });
  return all;
}

test('k-means of contributions and sources that go to the part they feed find parts with sources of their own', () => {
  const [fit, held] = [madeUp(1), madeUp(2)];
  const size = fit.channels.inputs;
  const identity = Float32Array.from({length: size * size}, (_, i) => Number(Math.floor(i / size) === i % size));
  const sources = divided({fit: fit.inputs, held: held.inputs, atoms: identity, count: size}, fit, CHANNEL, CODE);
  for (const parts of [clustered(fit, held, CHANNEL, CODE.length), sources]) {
    const {own, r} = scored(parts, CHANNEL, CODE, held);
    assert.ok(own === 1 && r > 0.999, `${own}, ${r}`);
  }
  // Clusters know no names: the assignment that fits best counts.
  assert.equal(scored([sources[1], sources[0]], CHANNEL, CODE, held).own, 1);
});

test('both dictionaries rebuild sums of few directions, with codes that are not negative', async () => {
  await ensureBackend();
  const [size, rows] = [8, 600];
  const draw = uniform(4, 0, 1);
  const directions = Array.from({length: 4}, () => Float64Array.from({length: size}, () => Math.max(0, draw() - 0.4)));
  const data = new Float32Array(rows * size);
  for (let n = 0; n < rows; n++)
    for (const direction of directions)
      if (draw() < 0.4) direction.forEach((value, i) => (data[n * size + i] += value * (0.5 + draw())));
  const [fit, held] = [data.slice(0, 400 * size), data.slice(400 * size)];
  const dictionaries = {
    factorized: factorized(fit, held, size, {atoms: 6, steps: 200}),
    autoencoded: autoencoded(fit, held, size, {atoms: 16, steps: 600, batch: 128, rate: 1e-2, sparsity: 1e-3}),
  };
  for (const [name, {held: codes, atoms, count}] of Object.entries(dictionaries)) {
    assert.ok(codes.every((value) => value >= 0));
    const back = held.map((_, at) => {
      const [n, i] = [Math.floor(at / size), at % size];
      return Array.from({length: count}, (_one, a) => codes[n * count + a] * atoms[a * size + i]).reduce(
        (x, y) => x + y,
      );
    });
    const means = Float64Array.from(
      {length: size},
      (_, i) => held.filter((_one, at) => at % size === i).reduce((x, y) => x + y) / 200,
    );
    // The autoencoder rebuilds what is above its offset, so that deviations from the mean are compared.
    const offset = means.map(
      (value, i) => value - back.filter((_one, at) => at % size === i).reduce((x, y) => x + y) / 200,
    );
    const error = held.reduce((sum, value, at) => sum + (value - back[at] - offset[at % size]) ** 2, 0);
    const spread = held.reduce((sum, value, at) => sum + (value - means[at % size]) ** 2, 0);
    assert.ok(error < 0.1 * spread, `${name}: ${error / spread}`);
  }
});
