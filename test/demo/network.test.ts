import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError, InterruptError} from '../../src/common/errors';
import type {ProgressState} from '../../src/common/progress';
import {demo, DEMO_EXAMPLE, DEMO_PRESET, trainDemo, type Demo} from '../../src/demo';
import {imageBatches} from '../../src/images';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {measure} from './measure';

const folder = path.join(__dirname, '../../data/demo');
const TRAINED = /kernel|gamma|beta|bias/;

/** Fraction of the images whose highest logit is their class. */
async function accuracy({model, test: images}: Demo): Promise<number> {
  const labels = images.labelsFor(model.classes);
  let hits = 0;
  for await (const {pixels, shape, indices} of imageBatches(images, {
    inputShape: model.inputShape,
    batchSize: 240,
  })) {
    const best = tf.tidy(() => tf.argMax(model.logits(tf.tensor4d(pixels, shape)), 1).dataSync()); // [B]
    indices.forEach((image, i) => (hits += best[i] === labels[image] ? 1 : 0));
  }
  return hits / labels.length;
}

test('the files of data/demo are those whose checksums it notes', () => {
  const lines = readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n');
  assert.equal(lines.length, 4);
  for (const line of lines) {
    const [expected, file] = line.split('  ');
    assert.equal(
      createHash('sha256')
        .update(readFileSync(path.join(folder, file)))
        .digest('hex'),
      expected,
      file,
    );
  }
});

eachEngine('both networks know at least 97 % of pictures that they were not trained on', async () => {
  for (const seed of [0, 1]) {
    const shipped = await demo({seed, testPerClass: 20});
    const reached = await keepsTensorCount(async () => {
      const fraction = await accuracy(shipped);
      shipped.model.dispose();
      return fraction;
    });
    assert.ok(reached >= 0.97, `seed ${seed}: ${reached}`);
  }
});

test('the network has 81,928 trained numbers, conv5 has 16 channels, and both read from any working directory', async () => {
  const before = process.cwd();
  process.chdir(tmpdir());
  try {
    const {model} = await demo();
    const trained = model.graph.nodes.flatMap((node) => node.weights).filter(({name}) => TRAINED.test(name));
    assert.equal(
      trained.reduce((sum, {data}) => sum + data.length, 0),
      81_928,
    );
    assert.deepEqual(model.layers().find(({name}) => name === 'conv5')?.kernel, [1, 1, 96, 16]);
    assert.deepEqual(model.preset, DEMO_PRESET);
    assert.equal(model.classNames?.[23], 'hourglass');
    assert.equal(model.name, 'demo');
  } finally {
    process.chdir(before);
  }
});

test('seed 0 keeps what the demo promises: many channels stand for several things and come apart', async () => {
  const {model} = await demo();
  const {splits, ...figures} = measure(model, {draws: 10});
  model.dispose();
  assert.ok(figures.accuracy >= 0.97, `accuracy ${figures.accuracy}`);
  assert.ok(figures.polysemantic >= 10, `${figures.polysemantic} polysemantic channels`);
  assert.ok(figures.triple >= 3, `${figures.triple} channels for three classes`);
  const pairs = splits.filter(({classes}) => classes.length === 2);
  const mean = (of: (split: (typeof pairs)[number]) => number) =>
    pairs.reduce((sum, split) => sum + of(split), 0) / pairs.length;
  const [own, other, random] = [mean((s) => s.own), mean((s) => s.other), mean((s) => s.random.own)];
  assert.ok(own >= 0.9 && own <= 1.2, `own part ${own}`);
  assert.ok(other <= 0.15, `other part ${other}`);
  assert.ok(random >= 0.4 && random <= 0.65, `random control ${random}`);
  const example = splits.find(
    (s) => s.channel === DEMO_EXAMPLE.channel && s.classes.length === DEMO_EXAMPLE.classes.length,
  );
  assert.deepEqual(example?.classes, DEMO_EXAMPLE.classes);
  for (const [j, name] of DEMO_EXAMPLE.classes.entries()) {
    const inPart = Number(example?.top.parts[j].match(new RegExp(`(\\d+) ${name}`))?.[1] ?? 0);
    const before = Number(example?.top.original.match(new RegExp(`(\\d+) ${name}`))?.[1] ?? 0);
    assert.ok(inPart >= 18, `the part of ${name} shows ${example?.top.parts[j]}`);
    assert.ok(before >= 2 && before <= 12, `the original shows ${example?.top.original}`);
  }
});

test('a seed without a network and a number of pictures that is none are refused', async () => {
  await assert.rejects(
    demo({seed: 7}),
    (e) => e instanceof InputError && /no demo network of seed 7; seeds: 0, 1/.test(e.message),
  );
  await assert.rejects(
    demo({trainPerClass: 1.5}),
    (e) => e instanceof InputError && /train images per class: 1.5/.test(e.message),
  );
});

eachEngine(
  'training is seeded, reports its progress and frees its tensors, or says that it needs the native engine',
  async (_, engine) => {
    const short = {imagesPerClass: 8, epochs: 1};
    if (engine === 'wasm') {
      await assert.rejects(
        trainDemo(short),
        (e) => e instanceof InputError && /needs native TensorFlow/.test(e.message),
      );
      return;
    }
    const states: ProgressState[] = [];
    const train = async (seed: number) => {
      const model = await trainDemo({...short, seed, progress: (state) => void states.push(state)});
      return model.hash;
    };
    const [first, again, other] = await keepsTensorCount(async () => [await train(4), await train(4), await train(5)]);
    assert.equal(first, again);
    assert.notEqual(first, other);
    assert.deepEqual([states.at(-1)?.done, states.at(-1)?.total, states.at(-1)?.outcome], [3, 3, 'done']);
    await keepsTensorCount(() =>
      assert.rejects(trainDemo({...short, signal: AbortSignal.abort(), progress: false}), InterruptError),
    );
  },
);
