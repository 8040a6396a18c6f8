import assert from 'node:assert/strict';
import {test} from 'node:test';
import {falseCalls} from '../../src/concepts/falseCalls';
import {findPolysemantic} from '../../src/concepts/find';
import {mostAgreed} from '../../src/concepts/agreedCut';
import {suggestThresholds} from '../../src/concepts/thresholds';
import {gatedVectors} from '../../src/numerics/gated';
import {cosine} from '../../src/numerics/vectors';
import {uniform} from '../reference/smallNetworks';
import {syntheticGates} from '../reference/syntheticGates';

const thresholds = {tau: 0.05, p: 0.5, allPairs: true};

test('where there is nothing to find little is called different, and what noise does is seen', () => {
  const {stats} = syntheticGates({seed: 3, noise: 0.2});
  const {candidates} = findPolysemantic(stats, thresholds);
  const calm = falseCalls(stats, candidates, {gamma: 0.3, arv: 'gated'});
  assert.equal(calm.halves, 0);
  // Vectors of these classes lie along one line, so that chance often makes two halves agree.
  assert.ok(calm.permuted <= 0.4, `${calm.permuted}`);
  // Three merges alone, of vectors that nearly cancel out.
  assert.ok(!(calm.merges > 0.5), `${calm.merges}`);
  assert.deepEqual(falseCalls(stats, candidates, {gamma: 0.3, arv: 'gated'}), calm);
  const all = falseCalls(stats, candidates, {gamma: 1, arv: 'published'});
  assert.equal(all.halves, 1);
  assert.ok(all.permuted > 0.95, `${all.permuted}`);
});

test('the share of classes that differ from themselves is counted class by class', () => {
  const {stats} = syntheticGates({seed: 5, noise: 0.6});
  const {candidates} = findPolysemantic(stats, thresholds);
  const gamma = 0.9;
  const agreements = candidates.flatMap(({channel, classes}) => {
    const {vector} = gatedVectors(stats, channel);
    return classes.map((k) => cosine(vector(k, 0)!, vector(k, 1)!)).filter((value) => value > 0.5);
  });
  const {halves} = falseCalls(stats, candidates, {gamma, arv: 'gated'});
  assert.ok(Math.abs(halves - agreements.filter((value) => value < gamma).length / agreements.length) < 1e-9);
});

test('suggested thresholds carry each call with its halves, and what is called where there is nothing', () => {
  const {stats} = syntheticGates({seed: 6});
  const found = suggestThresholds(stats, {tau: 0.05, p: 0.5});
  const alike = found.calls.filter(({halves: [a, b]}) => a < found.gamma === b < found.gamma).length;
  assert.ok(Math.abs(found.stability - alike / found.calls.length) < 1e-12);
  assert.equal(found.falseCalls.halves, found.selfCalled);
  assert.match(String(found), /where there is nothing to find/);
});

test('the cut is the one on which the halves agree best beyond chance, of all between 0.1 and 0.7 with pairs on either side', () => {
  const draw = uniform(9, -1, 1);
  const pairs = Array.from({length: 40}, (_, n) => {
    const cosine = n < 33 ? -0.1 + 0.3 * draw() : 0.35 + 0.05 * draw();
    return {cosine, halves: [cosine + 0.06 * draw(), cosine + 0.06 * draw()] as [number, number]};
  });
  const sorted = pairs.map(({cosine}) => cosine).sort((a, b) => a - b);
  const cuts = sorted.slice(1).map((value, n) => (value + sorted[n]) / 2);
  const kappa = (gamma: number) => {
    const table = [0, 0, 0, 0];
    for (const {halves} of pairs) table[2 * Number(halves[0] < gamma) + Number(halves[1] < gamma)] += 1;
    const [neither, second, first, both] = table.map((count) => count / pairs.length);
    const chance = (both + first) * (both + second) + (neither + first) * (neither + second);
    return (both + neither - chance) / (1 - chance);
  };
  const allowed = cuts.filter((gamma, n) => gamma >= 0.1 && gamma <= 0.7 && n + 1 >= 2 && pairs.length - n - 1 >= 2);
  const best = Math.max(...allowed.map(kappa));
  const found = mostAgreed(pairs)!;
  assert.ok(Math.abs(found.kappa - best) < 1e-12);
  assert.ok(found.gamma > 0.2 && found.gamma < 0.3, String(found.gamma));
  assert.equal(mostAgreed(pairs.map(({cosine}) => ({cosine, halves: [draw(), draw()]}))), undefined);
});

test('a γ at which chance alone calls more than one in twenty is lowered, or its reason says that no other is better', () => {
  for (const [about, wanted] of [
    [{seed: 3, noise: 0.6}, /^the largest that would call at most 5 % .* 0\.5 would call [\d.]+ %$/],
    [{seed: 6, noise: 0}, /; but it would call [\d.]+ % of classes .* give more images of each class$/],
    [{seed: 7, noise: 0.4}, /^the usual one; \d+ decided pairs are too few to say more$/],
  ] as const) {
    const {gamma, reasons, falseCalls: called} = suggestThresholds(syntheticGates(about).stats, {tau: 0.05, p: 0.5});
    assert.match(reasons.gamma, wanted);
    assert.equal(called.permuted <= 0.05, !reasons.gamma.includes('but it'));
    assert.equal(gamma < 0.5, reasons.gamma.startsWith('the largest'));
  }
});
