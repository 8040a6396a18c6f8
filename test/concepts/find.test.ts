import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as fc from 'fast-check';
import {polysemanticityByDepth} from '../../src/concepts/depth';
import {findPolysemantic, importance, relevantClasses} from '../../src/concepts/find';
import {InputError} from '../../src/common/errors';
import {averagedRelevanceVector, type RelevanceStatistics} from '../../src/numerics/statistics';
import {cosine} from '../../src/numerics/vectors';
import {syntheticStatistics} from '../reference/syntheticStatistics';

/** Relevant classes as they are defined, image by image. */
function slowRelevantClasses(stats: RelevanceStatistics, tau: number, p: number): number[][] {
  const {offsets, channels, values} = stats.shares;
  return Array.from({length: stats.layer.shape[3]}, (_, c) =>
    Array.from({length: stats.classes}, (_unused, k) => k).filter((k) => {
      const images = [...stats.images.labels.keys()].filter((image) => stats.images.labels[image] === k);
      if (images.length === 0) return false;
      const important = images.filter((image) => {
        for (let at = offsets[image]; at < offsets[image + 1]; at++)
          if (channels[at] === c) return values[at] >= Math.fround(tau);
        return false;
      });
      return important.length / images.length >= p;
    }),
  );
}

test('relevant classes agree with their definition, image by image', () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(0.01, 0.1, 0.3), fc.constantFrom(0.25, 0.5, 0.75, 1), (seed, tau, p) => {
      const stats = syntheticStatistics({seed});
      assert.deepEqual(relevantClasses(stats, {tau, p}), slowRelevantClasses(stats, tau, p));
    }),
    {numRuns: 40},
  );
});

test('a channel is polysemantic exactly if two of its relevant classes have a cosine below γ', () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({min: -0.9, max: 0.95, noNaN: true}), (seed, gamma) => {
      const stats = syntheticStatistics({seed});
      const found = findPolysemantic(stats, {tau: 0.05, p: 0.5, gamma});
      const expected: string[] = [];
      relevantClasses(stats, {tau: 0.05, p: 0.5}).forEach((classes, channel) => {
        for (const a of classes) {
          for (const b of classes) {
            if (a >= b) continue;
            const value = cosine(
              averagedRelevanceVector(stats, channel, [a]),
              averagedRelevanceVector(stats, channel, [b]),
            );
            if (value < gamma) expected.push(`${channel}:${a},${b}`);
          }
        }
      });
      assert.deepEqual(found.pairs.map(({channel, classes}) => `${channel}:${classes.join()}`).sort(), expected.sort());
      assert.ok(
        found.pairs.every((pair, at) => at === 0 || found.pairs[at - 1].cosine <= pair.cosine),
        'ascending',
      );
      for (const {concepts, channel} of found) {
        for (const {classes} of concepts) {
          for (const a of classes) {
            for (const b of classes) {
              const value = cosine(
                averagedRelevanceVector(stats, channel, [a]),
                averagedRelevanceVector(stats, channel, [b]),
              );
              assert.ok(value >= gamma - 1e-9, `classes ${a} and ${b} share a concept with cosine ${value} < ${gamma}`);
            }
          }
        }
        assert.ok(concepts.length >= 2);
      }
    }),
    {numRuns: 40},
  );
});

test('allPairs reports every pair of relevant classes and still groups them', () => {
  const stats = syntheticStatistics({seed: 3});
  const all = findPolysemantic(stats, {tau: 0.05, p: 0.5, gamma: -1, allPairs: true});
  assert.equal(all.pairs.length, all.cosines.length);
  assert.equal(all.length, all.candidates.filter(({lowestCosine}) => !Number.isNaN(lowestCosine)).length);
  assert.ok(all.length > 0 && all.every(({concepts}) => concepts.length >= 2));
});

test('thresholds out of range get one sentence', () => {
  const stats = syntheticStatistics({seed: 1});
  const refused = (options: object, pattern: RegExp) =>
    assert.throws(
      () => findPolysemantic(stats, options),
      (error) => error instanceof InputError && pattern.test(error.message),
    );
  refused({tau: 0.001}, /tau 0.001 is below the smallest share that the statistics keep \(0.005\)/);
  refused({tau: NaN}, /invalid tau: NaN/);
  refused({p: 0}, /invalid p: 0/);
  refused({gamma: 2}, /invalid gamma: 2/);
});

test('a τ made for wide layers warns on a narrow one, and an empty result says which γ would do', () => {
  const found = findPolysemantic(syntheticStatistics({seed: 3}), {tau: 0.03, p: 0.5, gamma: -1});
  assert.match(found.warnings.join(), /tau 0.03 is small for 8 channels: many will count as relevant/);
  assert.match(String(found), /no pair is below γ\. γ depends on the network/);
});

test('importance is a fraction of all images of the class', () => {
  const stats = syntheticStatistics({seed: 2});
  assert.ok(importance(stats, 0.05).every((fraction) => fraction >= 0 && fraction <= 1));
  const {offsets, channels, values} = stats.shares;
  for (const tau of [0.01, 0.05, 0.3, values[3], values[7]]) {
    const slow = new Float64Array(stats.layer.shape[3] * stats.classes);
    stats.images.labels.forEach((k, image) => {
      const of = stats.images.labels.filter((label) => label === k).length;
      for (let at = offsets[image]; at < offsets[image + 1]; at++)
        if (values[at] >= tau) slow[channels[at] * stats.classes + k] += 1 / of;
    });
    importance(stats, tau).forEach((fraction, at) => assert.ok(Math.abs(fraction - slow[at]) < 1e-12));
  }
});

test('an ARV of zeros has no direction: it makes no pair', () => {
  const stats = syntheticStatistics({seed: 3});
  const [taps, inputs] = [1, stats.layer.shape[2]];
  const k = findPolysemantic(stats, {tau: 0.05, p: 0.5, allPairs: true}).pairs[0].classes[0];
  const inputSums = stats.inputSums.slice();
  for (const half of [0, 1])
    inputSums.fill(0, (half * stats.classes + k) * taps * inputs, (half * stats.classes + k + 1) * taps * inputs);
  const {pairs} = findPolysemantic({...stats, inputSums}, {tau: 0.05, p: 0.5, allPairs: true});
  assert.ok(pairs.every(({classes, cosine: value}) => !classes.includes(k) && !Number.isNaN(value)));
});

test('polysemanticity by depth counts what findPolysemantic finds in each layer, with a τ of its own', () => {
  const layers = [8, 20].map((outputs, n) => {
    const stats = syntheticStatistics({seed: 3 + n, outputs, images: 60});
    return {...stats, layer: {...stats.layer, name: `layer${n}`}};
  });
  const depth = polysemanticityByDepth(layers, {p: 0.5, gamma: 0.7});
  depth.layers.forEach(({layer, channels, tau, relevant, polysemantic, undecided, medianCosine}, n) => {
    const found = findPolysemantic(layers[n], {tau: 2 / channels, p: 0.5, gamma: 0.7});
    assert.deepEqual(
      [layer, tau, relevant, polysemantic, undecided],
      [`layer${n}`, 2 / channels, found.candidates.length, found.length, 0],
    );
    assert.ok(relevant > 0 && polysemantic > 0 && found.cosines.includes(medianCosine));
  });
  assert.match(
    String(depth),
    /layer1 {2}\d+ polysemantic, 0 undecided of \d+ relevant to several classes, of 20 channels/,
  );
  assert.equal(polysemanticityByDepth(layers, {tau: 0.05}).layers[1].tau, 0.05);
  assert.throws(() => polysemanticityByDepth([]), /no statistics; give those of the layers/);
  const other = {...layers[1], model: {name: 'other', hash: 'other'}};
  assert.throws(() => polysemanticityByDepth([layers[0], other]), /of two networks \(synthetic and other/);
});
