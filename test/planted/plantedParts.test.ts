import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {ensureBackend} from '../../src/engine';
import {
  choosePlants,
  fractionOf,
  negativesFor,
  otherClasses,
  withThird,
  type ChannelRelevance,
} from '../../src/planted/choosePlants';
import {channelKernel} from '../../src/network/linearLayer';
import {contributionSizes, plantKernel} from '../../src/planted/plantKernels';
import {edgeAgreement, leakShare, measureRecovery} from '../../src/planted/recovery';
import {TIERS} from '../../src/planted/tiers';
import {pearson} from '../../src/numerics/agreement';
import {keepsTensorCount} from '../reference/engines';
import {plantedNetwork} from '../reference/plantedNetwork';
import {uniform} from '../reference/smallNetworks';
import {patchesOf, study, times} from '../reference/studied';

test('plants are relevant to their own class, rarely important for the other’s, and merge no pair twice', () => {
  fc.assert(
    fc.property(
      fc.integer({min: 1, max: 1e6}),
      fc.integer({min: 4, max: 12}),
      fc.integer({min: 4, max: 8}),
      (seed, channels, outputs) => {
        const draw = uniform(seed);
        const classes = Array.from({length: outputs}, (_, k) => k).filter((k) => k !== 1);
        const importance = Float64Array.from({length: channels * outputs}, () =>
          draw() < 0.3 ? 0.8 + 0.2 * draw() : 0.5 * draw(),
        );
        const relevance: ChannelRelevance = {importance, channels, outputs, classes, p: 0.75};
        const plants = choosePlants(relevance, 20, seed);
        assert.ok(plants.length <= 20);
        assert.equal(new Set(plants.map((plant) => [...plant.channels].sort().join())).size, plants.length);
        const check = (one: {channels: number[]; classes: number[]}) =>
          one.channels.forEach((c, j) =>
            one.classes.forEach((k, l) => {
              const fraction = fractionOf(relevance, c, k);
              assert.ok(j === l ? fraction >= 0.75 : fraction < 0.25, `${c} ${k}: ${fraction}`);
              assert.ok(classes.includes(k));
            }),
          );
        for (const plant of plants) {
          check(plant);
          const third = withThird(relevance, plants, plant);
          if (third) {
            check(third);
            assert.deepEqual(third.channels.slice(0, 2), plant.channels);
          }
          const {background, unseen, served} = otherClasses(relevance, plant, seed);
          const all = [...plant.classes, ...background, ...unseen, ...served];
          assert.equal(new Set(all).size, all.length, 'a class has one role');
          assert.deepEqual([...all].sort(), [...classes].sort(), 'every class has a role');
          for (const {kind, channels: others} of negativesFor(relevance, plant, seed)) {
            const serves = others.map((c) => plant.classes.map((k) => fractionOf(relevance, c, k) >= 0.75));
            if (kind === 'natural') assert.deepEqual(serves, [[true, true]]);
            if (kind === 'merge') assert.ok(serves[0].every(Boolean) && serves[1].some(Boolean));
            if (kind === 'unmerged') assert.ok(plant.channels.includes(others[0]));
          }
        }
      },
    ),
    {numRuns: 60, seed: 3},
  );
});

test('a tier’s sources add up to the plant, and its inputs are owned as the tier says', async () => {
  await ensureBackend();
  const model = plantedNetwork({size: 3});
  const studied = await study(model);
  const plant = {index: 0, channels: [0, 1, 2], classes: [0, 1, 2]};
  const sizes = await contributionSizes(studied, plant.channels, [studied.heldOut.get(0)!, studied.heldOut.get(1)!]);
  const inputs = studied.layer.shape[2];
  const rows = [0, 1].flatMap((k) => patchesOf(studied, studied.heldOut.get(k)!));
  sizes.forEach((size, j) => {
    const kernel = channelKernel(studied.layer, plant.channels[j]);
    size.forEach((value, i) => {
      const slow = rows.map((row) => row.reduce((sum, x, at) => (at % inputs === i ? sum + x * kernel[at] : sum), 0));
      const mean = slow.reduce((sum, c) => sum + Math.abs(c), 0) / slow.length;
      assert.ok(Math.abs(mean - value) <= 1e-5 * (1 + mean));
    });
  });
  for (const tier of TIERS) {
    const some = {...plant, channels: plant.channels.slice(0, tier.concepts)};
    const {kernel, sources, owner} = plantKernel(studied, some, tier, sizes.slice(0, tier.concepts), 0);
    const gains = some.channels.map((_, j) => (j === tier.concepts - 1 ? tier.gain : 1));
    let shared = 0;
    for (let i = 0; i < inputs; i++) {
      const kept = sources.map(
        (source, j) => source[i] === Math.fround(gains[j] * channelKernel(studied.layer, some.channels[j])[i]),
      );
      const absent = sources.map((source) => source[i] === 0);
      assert.ok(kept.every((keeps, j) => keeps || absent[j]));
      assert.ok(kept[owner[i]], 'the owner keeps its input');
      if (kept.every(Boolean)) shared += 1;
    }
    kernel.forEach((weight, at) => {
      const sum = sources.reduce((total, source) => total + source[at], 0);
      assert.ok(Math.abs(sum - weight) < 1e-6);
    });
    if (tier.inputs === 'disjoint') assert.equal(shared, 0, tier.name);
    if (tier.inputs === 'dense') assert.equal(shared, inputs, tier.name);
    if (tier.inputs === 0.75) assert.ok(shared > 0.4 * inputs && shared < inputs, tier.name);
  }
  studied.dispose();
  model.dispose();
});

test('recovery, strength and exactness follow their definitions on lists of patches', async () => {
  await ensureBackend();
  const model = plantedNetwork({size: 3});
  const studied = await study(model);
  const draw = uniform(8, -1, 1);
  const size = channelKernel(studied.layer, 0).length;
  const random = () => Float32Array.from({length: size}, draw);
  const sources = [random(), random()];
  const kernel = sources[0].map((weight, at) => weight + sources[1][at]);
  const rules = [
    {parts: [random(), random()], residue: random()},
    {parts: [new Float32Array(size), sources[1]], residue: new Float32Array(size)},
  ];
  const groups = [studied.heldOut.get(0)!, studied.heldOut.get(3)!];
  const measured = await keepsTensorCount(() => measureRecovery(studied.layer, groups, rules, sources, kernel));
  const rows = groups.map((group) => patchesOf(studied, group));
  const all = rows.flat();
  const truths = sources.map((source) => times(all, source));
  const close = (actual: number, expected: number, what: string) =>
    assert.ok(Math.abs(actual - expected) < 1e-5 * (1 + Math.abs(expected)), `${what}: ${actual}, not ${expected}`);
  const parts = rules[0].parts.map((part) => times(all, part));
  close(measured.rules[0].r, (pearson(parts[0], truths[0]) + pearson(parts[1], truths[1])) / 2, 'r');
  const r2 = parts.map((d, j) => {
    const centre = (values: number[]) =>
      values.map((value) => value - values.reduce((a, b) => a + b, 0) / values.length);
    const [dc, sc] = [centre(d), centre(truths[j])];
    return 1 - sc.reduce((sum, s, n) => sum + (dc[n] - s) ** 2, 0) / sc.reduce((sum, s) => sum + s ** 2, 0);
  });
  close(measured.rules[0].r2, (r2[0] + r2[1]) / 2, 'R²');
  close(measured.rules[1].r, 0.5, 'a silent part follows nothing');
  const meanRelu = (kernelOf: Float32Array, group: number) => {
    const values = times(rows[group], kernelOf);
    return values.reduce((sum, value) => sum + Math.max(value, 0), 0) / values.length;
  };
  measured.strength[0].forEach((byGroup, j) =>
    byGroup.forEach((value, group) => close(value, meanRelu(rules[0].parts[j], group), `strength ${j} ${group}`)),
  );
  const m = times(all, kernel);
  const residue = times(all, rules[0].residue);
  const error = Math.max(...m.map((value, n) => Math.abs(parts[0][n] + parts[1][n] - residue[n] - value)));
  close(measured.exactness[0], error / Math.max(...m.map(Math.abs)), 'exactness');
  const none = await measureRecovery(studied.layer, [], rules, sources, kernel);
  assert.ok(Number.isNaN(none.rules[0].r));
  studied.dispose();
  model.dispose();
});

test('leak share and edge agreement on hand-made parts', () => {
  assert.equal(
    leakShare([
      [1, 1],
      [1, 1],
    ]),
    0.5,
  );
  assert.equal(
    leakShare([
      [3, 1],
      [0, 2],
    ]),
    0.125,
  );
  assert.ok(
    Math.abs(
      leakShare([
        [4, 1, 1],
        [0, 1, 0],
        [0, 0, 1],
      ]) -
        0.2 / 3,
    ) < 1e-12,
  );
  const kernel = Float32Array.from([1, -2, 3, 4]);
  const owner = Int8Array.from([0, 0, 1, 1]);
  const own = (shares: number[]) => kernel.map((weight, i) => weight * shares[i]);
  const right = edgeAgreement([own([1, 0.6, 0.1, 0]), own([0, 0.4, 0.9, 1])], kernel, owner);
  assert.deepEqual(right, {accuracy: 1, adjustedRandIndex: 1});
  const tied = edgeAgreement([own([1, 1, 1, 1]), own([1, 1, 1, 1])], kernel, owner);
  assert.equal(tied.accuracy, 0.5);
  assert.equal(tied.adjustedRandIndex, 0);
});
