import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {InputError} from '../../src/common/errors';
import {imageBatches} from '../../src/images';
import {weightOf, nodeOf} from '../../src/network/graph';
import {asPositions, linearLayer} from '../../src/network/linearLayer';
import {firing} from '../../src/network/firing';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import type {Model} from '../../src/network/types';
import {gatesOf, loadGates, saveGates, type GatedSums} from '../../src/numerics/gatedSums';
import {halfOf} from '../../src/numerics/pathHash';
import {subset} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import {runPass} from '../../src/pass/runPass';
import {collectRelevance} from '../../src/relevance/collect';
import {gatesCollector, mergeGates} from '../../src/relevance/gates';
import {mergeStatistics} from '../../src/relevance/merge';
import {loadStatistics} from '../../src/relevance/store';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {slowGate, type SlowImage} from '../reference/gatesSlowly';
import {CLASSES, smallImages, smallModel, STUDIED_LAYERS} from '../reference/smallNetworks';

const quiet = {progress: false as const};

/** The sums of one pass with nothing else. */
async function collectGates(
  model: Model,
  images: LabelledImages,
  {floor, bytes, batchSize}: {floor: number; bytes?: number; batchSize: number},
): Promise<GatedSums> {
  const collector = gatesCollector({floor, bytes});
  const [[state]] = await runPass(model, images, {layers: ['studied'], batchSize, ...quiet}, [collector as never]);
  return (state as {gates: GatedSums}).gates;
}

/** What the layer reads of each image, and its channels' shares. */
async function slowImages(model: Model, images: ReturnType<typeof smallImages>): Promise<SlowImage[]> {
  const network = networkAtLayer(model, 'studied');
  const labels = images.labelsFor(CLASSES);
  const seen: SlowImage[] = [];
  for await (const batch of imageBatches(images, {inputShape: model.inputShape, batchSize: 1})) {
    const label = labels[batch.indices[0]];
    tf.tidy(() => {
      const {input, crossing} = network.trunk(tf.tensor4d(batch.pixels, batch.shape));
      const z = network.linear(input);
      const {gradient} = network.headGradient(z, crossing, Int32Array.of(label));
      const relevance = Array.from(tf.sum(tf.mul(z, gradient), [0, 1, 2]).dataSync());
      const positive = relevance.reduce((sum, value) => sum + Math.max(value, 0), 0);
      const x = asPositions(input);
      seen.push({
        input: x.dataSync().slice() as Float32Array,
        height: x.shape[1],
        width: x.shape[2],
        label,
        half: halfOf(images.paths[batch.indices[0]]),
        shares: relevance.map((value) => (positive > 0 ? value / positive : 0)),
      });
    });
  }
  network.dispose();
  return seen;
}

/** What the batch norm that reads Z makes of it, if one does, in units of Z; negative where the channel does not fire. */
function activityBehind(model: Model, channel: number): (z: number) => number {
  const norm = model.graph.nodes.find((node) => node.name === 'studied_bn');
  if (!norm?.inputs.includes('studied')) return (z) => z;
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(
    (name) => weightOf(norm, name)!.data[channel],
  );
  const epsilon = nodeOf(model.graph, 'studied_bn').args.epsilon as number;
  const scale = gamma / Math.sqrt(variance + epsilon);
  return (z) => (scale * (z - mean) + beta) / Math.abs(scale);
}

for (const [what, network] of Object.entries(STUDIED_LAYERS)) {
  for (const [floor, sorted] of [
    [0, false],
    [0, true],
    [0.1, false],
  ] as const) {
    eachEngine(
      `gated sums agree with their definition, floor ${floor}${sorted ? ', a class a batch' : ''}: ${what}`,
      async () => {
        const model = smallModel(network);
        const mixed = smallImages(sorted ? 32 : 10);
        const ofClass = (k: number) =>
          [...mixed.labelsFor(CLASSES).keys()].filter((n) => mixed.labelsFor(CLASSES)[n] === k);
        const images = sorted ? subset(mixed, {indices: [...ofClass(0), ...ofClass(3)]}) : mixed;
        // Without room for all pairs only those above the floor have sums of their own, and the rest is background.
        const layer = linearLayer(model.graph, 'studied');
        const [, , inputs, outputs] = layer.shape;
        const whole = floor === 0;
        const bytes = whole ? undefined : outputs * CLASSES * (16 * inputs + 200) - 1;
        const gates = await keepsTensorCount(() =>
          collectGates(model, images, {floor, batchSize: sorted ? 8 : 4, bytes}),
        );
        const seen = await slowImages(model, images);
        assert.equal(gates.floor, floor);
        assert.equal(gates.dropped, 0);
        for (let channel = 0; channel < outputs; channel++) {
          const activity = activityBehind(model, channel);
          for (let k = -1; k < CLASSES; k++) {
            const entry = k < 0 ? gates.background.get(channel) : gates.entries.get(channel * CLASSES + k);
            const above = ({shares}: SlowImage) => whole || shares[channel] >= floor;
            const counts = (image: SlowImage) => (k < 0 ? !above(image) : image.label === k && above(image));
            for (const half of [0, 1]) {
              const slow = slowGate(layer, seen, {channel, half, counts, activity});
              const own = entry?.activity[half] ?? 0;
              assert.ok(Math.abs(own - slow.activity) <= 1e-4 * Math.max(1, own), `activity of ${channel}, ${k}`);
              assert.equal(entry?.images[half] ?? 0, slow.images, `images of ${channel}, ${k}`);
              slow.sums.forEach((value, i) => {
                const own = entry?.sums[half * inputs + i] ?? 0;
                assert.ok(Math.abs(own - value) <= 1e-4 * Math.max(1, Math.abs(value)), `${own} instead of ${value}`);
              });
            }
          }
        }
        model.dispose();
      },
    );
  }
}

eachEngine('gated sums of shards add up to those of the whole, and arrays give them back', async () => {
  const model = smallModel({kind: 'conv', size: 3});
  const images = smallImages(12);
  const collect = (indices?: number[]) =>
    collectGates(model, indices ? subset(images, {indices}) : images, {floor: 0.05, batchSize: 5});
  const whole = await collect();
  const shards = [await collect([0, 1, 2, 3, 4]), await collect([5, 6, 7, 8, 9, 10, 11])];
  mergeGates(shards[0], shards[1]);
  const same = (a: GatedSums, b: GatedSums) => {
    assert.deepEqual([...a.entries.keys()].sort(), [...b.entries.keys()].sort());
    for (const [key, entry] of a.entries) {
      for (const half of [0, 1]) assert.ok(Math.abs(entry.activity[half] - b.entries.get(key)!.activity[half]) < 1e-4);
      entry.sums.forEach((value, i) => assert.ok(Math.abs(value - b.entries.get(key)!.sums[i]) < 1e-4));
    }
  };
  same(whole, shards[0]);
  const saved = saveGates(whole, 6);
  const about = {shape: [3, 3, 6, 6], classes: CLASSES};
  same(loadGates(saved, about), whole);
  saved.arrays.rows.data[0] = 77;
  assert.throws(() => loadGates(saved, about), InputError);
  assert.throws(() => mergeGates(whole, {...whole, floor: 0.5}), /cannot be merged/);
  model.dispose();
});

test('a channel behind a batch norm with a negative scale fires below its threshold', () => {
  const model = smallModel({kind: 'conv'});
  const {sign} = firing(model.graph, 'studied');
  const gamma = weightOf(nodeOf(model.graph, 'studied_bn'), 'gamma')!.data;
  assert.deepEqual(
    [...sign],
    [...gamma].map((value) => (value < 0 ? -1 : 1)),
  );
  assert.ok(sign.includes(-1) && sign.includes(1));
  model.dispose();
});

test('relevance is collected with gates, saved, loaded and merged with them, and without where that is asked', async (t) => {
  const model = smallModel({kind: 'conv', size: 3});
  const images = smallImages(12);
  const out = await mkdtemp(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rm(out, {recursive: true, force: true}));
  const options = {layer: 'studied', batchSize: 5, ...quiet};
  const stats = await collectRelevance(model, images, {...options, out});
  const loaded = gatesOf(await loadStatistics(out))!;
  assert.deepEqual([...loaded.entries.keys()].sort(), [...gatesOf(stats)!.entries.keys()].sort());
  const [a, b] = [
    await collectRelevance(model, subset(images, {indices: [0, 1, 2, 3, 4]}), options),
    await collectRelevance(model, subset(images, {indices: [5, 6, 7, 8, 9, 10, 11]}), options),
  ];
  for (const [key, entry] of gatesOf(mergeStatistics(a, b))!.entries)
    assert.deepEqual(entry.images, loaded.entries.get(key)!.images);
  const without = await collectRelevance(model, images, {...options, gates: false});
  assert.equal(gatesOf(without), undefined);
  model.dispose();
});
