import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {InputError} from '../../src/common/errors';
import {channelConcepts, findPolysemantic, relevantClasses} from '../../src/concepts/find';
import {gatedContribution, gatedVectors} from '../../src/numerics/gated';
import {gatesOf} from '../../src/numerics/gatedSums';
import {cosine} from '../../src/numerics/vectors';
import {slowGatedVector, syntheticGates, withGates} from '../reference/syntheticGates';
import {syntheticStatistics} from '../reference/syntheticStatistics';

const thresholds = {tau: 0.05, p: 0.5, gamma: 0.3};

test('gated vectors agree with their definition, position by position, for all images and for each half', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const {stats, list} = syntheticGates({seed});
      for (let channel = 0; channel < 3; channel++) {
        const vectors = gatedVectors(stats, channel);
        for (let k = 0; k < stats.classes; k++) {
          for (const half of [undefined, 0, 1] as const) {
            const slow = slowGatedVector(list, channel, k, half);
            vectors.vector(k, half)!.forEach((value, i) => assert.ok(Math.abs(value - slow[i]) < 1e-9));
          }
          const agreement = cosine(slowGatedVector(list, channel, k, 0), slowGatedVector(list, channel, k, 1));
          assert.ok(Math.abs(vectors.agreement(k) - agreement) < 1e-9);
        }
      }
    }),
    {numRuns: 20},
  );
});

test('a class that the sums leave to the background counts in the average with the mean of the background', () => {
  const {stats: whole, list} = syntheticGates({seed: 4});
  const gates = gatesOf(whole)!;
  const inputs = whole.layer.shape[2];
  const [gone, kept] = [4, [0, 1, 2, 3]];
  const taken = gates.entries.get(gone)!;
  gates.entries.delete(gone);
  gates.background.set(0, {...taken, channel: 0});
  const stats = withGates(whole, gates);
  const slow = slowGatedVector(list, 0, 2);
  gatedVectors(stats, 0)
    .vector(2)!
    .forEach((value, i) => assert.ok(Math.abs(value - slow[i]) < 1e-9));
  const mean = gatedContribution(stats, 0, kept)!;
  const own = list.filter((one) => one.channel === 0 && kept.includes(one.class));
  for (let i = 0; i < inputs; i++) {
    const total = own.reduce((sum, {activity}) => sum + activity, 0);
    const average = own.reduce((sum, {activity, contribution}) => sum + activity * contribution[i], 0) / total;
    assert.ok(Math.abs(mean[i] - average) < 1e-9);
  }
});

test('pairs of classes with a direction of their own are different, those that share one are the same, noise is undecided', () => {
  const {stats} = syntheticGates({seed: 2, noise: 0.2});
  const found = findPolysemantic(stats, {...thresholds, allPairs: true});
  assert.equal(found.thresholds.arv, 'gated');
  assert.ok(found.pairs.length > 5);
  for (const {classes, decision} of found.pairs) {
    assert.equal(decision, classes[0] % 2 === classes[1] % 2 ? 'same' : 'different');
  }
  for (const {concepts} of findPolysemantic(stats, thresholds)) {
    for (const {classes, confidence} of concepts) {
      assert.equal(new Set(classes.map((k) => k % 2)).size, 1);
      assert.equal(confidence, 1);
    }
  }
  const noisy = findPolysemantic(syntheticGates({seed: 2, noise: 30}).stats, {...thresholds, allPairs: true});
  assert.ok(noisy.undecided.length > noisy.cosines.length, 'noise that looks different is not called so');
  assert.match(String(noisy), /undecided/);
});

test('a given number of concepts is what one gets, and more than there are classes is refused', () => {
  const {stats} = syntheticGates({seed: 3});
  const channel = relevantClasses(stats, thresholds).findIndex((classes) => classes.length >= 3);
  const classes = relevantClasses(stats, thresholds)[channel];
  assert.equal(channelConcepts(stats, channel, {...thresholds, count: 3}).length, 3);
  assert.throws(
    () => channelConcepts(stats, channel, {...thresholds, count: classes.length + 1}),
    new RegExp(`invalid number of concepts: ${classes.length + 1}; the channel has ${classes.length} classes`),
  );
});

test('statistics without gates say how to collect them, and the published vectors still work', () => {
  const stats = syntheticStatistics({seed: 1});
  assert.throws(
    () => findPolysemantic(stats, {...thresholds, arv: 'gated'}),
    (error) => error instanceof InputError && /collect them again with gates: true/.test(error.message),
  );
  assert.equal(findPolysemantic(stats, thresholds).thresholds.arv, 'published');
});

test('channels are found by the name of a class, and a name that no class has is refused', () => {
  const {stats} = syntheticGates({seed: 2});
  const named = {...stats, classNames: ['clock', 'mug', 'target', 'fir', 'Mug cup']};
  const found = findPolysemantic(named, thresholds);
  const channels = found.byName('CLOCK');
  assert.ok(channels.length > 0);
  assert.ok(channels.every(({concepts}) => concepts.some(({classNames}) => classNames.includes('clock'))));
  assert.throws(() => found.byName('cup'), /no class is called "cup"; classes with it in their names: "Mug cup"/);
});
