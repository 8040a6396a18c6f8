import assert from 'node:assert/strict';
import {appendFile, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {bestRule, detectionRates, pairedGain, runPlantedBenchmark, TIERS} from '../../src/planted';
import type {PlantedBenchmark, PlantedOptions} from '../../src/planted';
import {InputError, InterruptError} from '../../src/common/errors';
import {lockFolder} from '../../src/files/folderLock';
import {SPLIT_RULES} from '../../src/split/rules';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {colourImages, plantedNetwork} from '../reference/plantedNetwork';

const images = {discovery: colourImages(10), heldOut: colourImages(8, {seed: 2, name: 'held-out colours'})};
const quick: PlantedOptions = {layer: 'studied', tau: 0.1, plants: 3, progress: false};

/** A benchmark without what may differ between two equal runs. */
function timeless(benchmark: PlantedBenchmark): unknown {
  return JSON.parse(JSON.stringify(benchmark, (key, value: unknown) => (key === 'seconds' ? undefined : value)));
}

async function temporaryFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'unweave-planted-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

eachEngine('the true owners recover a disjoint plant exactly, and no rule changes the channel', async () => {
  const model = plantedNetwork({size: 3});
  await keepsTensorCount(async () => {
    const benchmark = await runPlantedBenchmark(model, images, {...quick, plants: 2});
    assert.equal(benchmark.tiers.length, TIERS.length);
    for (const {tier, rules, plants} of benchmark.tiers) {
      assert.equal(plants, 2, tier);
      for (const {rule, exactness, seconds} of rules) {
        assert.ok(exactness < 1e-5, `${rule}, ${tier}: ${exactness}`);
        assert.ok(seconds.mean >= 0);
      }
      const truth = rules.find(({rule}) => rule === 'trueOwners')!;
      assert.equal(truth.edgeAccuracy.mean, 1);
      assert.equal(truth.adjustedRandIndex.mean, 1);
      if (!tier.includes('disjoint')) continue;
      for (const set of ['two', 'pool', 'unseen'] as const) {
        assert.ok(truth.r[set].mean > 1 - 1e-6, `${tier}, ${set}: r ${truth.r[set].mean}`);
        assert.ok(truth.r2[set].mean > 1 - 1e-5, `${tier}, ${set}: R² ${truth.r2[set].mean}`);
      }
    }
    assert.match(String(benchmark), /planted benchmark of colours, layer studied/);
  });
  model.dispose();
});

test('a rule of one’s own is measured beside the controls, and the rules beat no split on separable colours', async () => {
  await ensureBackend();
  const model = plantedNetwork();
  const mine = {...SPLIT_RULES.gatedWiener, name: 'mine'};
  const benchmark = await runPlantedBenchmark(model, images, {
    ...quick,
    plants: 6,
    tiers: ['dense'],
    rules: ['gatedRidge', mine, SPLIT_RULES.gatedWiener],
  });
  const [dense] = benchmark.tiers;
  assert.deepEqual(
    dense.rules.map(({rule}) => rule),
    [
      'noSplit',
      'evenShares',
      'random',
      'byWeight',
      'kMeans',
      'published',
      'gatedRidge',
      'mine',
      'gatedWiener',
      'trueOwners',
    ],
  );
  const r = (rule: string) => dense.rules.find((one) => one.rule === rule)!.r.two.mean;
  assert.equal(r('mine'), r('gatedWiener'));
  for (const rule of ['gatedRidge', 'gatedWiener']) assert.ok(r(rule) > r('noSplit'), `${rule}: ${r(rule)}`);
  const gain = pairedGain(benchmark, 'gatedRidge', 'noSplit', {tier: 'dense'});
  assert.ok(Math.abs(gain.mean - (r('gatedRidge') - r('noSplit'))) < 1e-12);
  const best = bestRule(benchmark);
  assert.ok(['published', 'gatedRidge', 'mine', 'gatedWiener'].every((rule) => r(rule) <= r(best.rule)));
  assert.equal(best.gains.length, 4);
  assert.ok(best.gains.every(({gain}) => gain.mean >= 0));
  assert.match(String(best), /recovers the sources best \(r 0\.\d+\)\n {2}over .*: \+0\.\d+ \[/);
  // Straight from the definition: each half's best rule, on the other half.
  const rows = benchmark.rows.map(({rules}) => rules);
  const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const half = (odd: number) => rows.filter((_, n) => n % 2 === odd);
  const winner = (odd: number) =>
    ['published', 'gatedRidge', 'mine', 'gatedWiener']
      .map((rule) => ({rule, r: average(half(odd).map((scores) => scores[rule].r.two))}))
      .sort((a, b) => b.r - a.r)[0].rule;
  const expected = average([0, 1].flatMap((odd) => half(odd).map((scores) => scores[winner(1 - odd)].r.two)));
  assert.deepEqual(best.crossFitted?.rules, [winner(0), winner(1)]);
  assert.ok(Math.abs(best.crossFitted.r.mean - expected) < 1e-12);
  assert.equal(bestRule({...benchmark, rows: benchmark.rows.slice(0, 1)}).crossFitted, undefined);
  assert.throws(() => bestRule(benchmark, {tier: 'disjoint'}), /no tier "disjoint"/);
  assert.throws(() => pairedGain(benchmark, 'ridge', 'noSplit', {tier: 'dense'}), /no rule "ridge"; rules: noSplit/);
  model.dispose();
});

test('the same seed gives the same benchmark, and another seed other plants', async () => {
  await ensureBackend();
  const model = plantedNetwork();
  const options = {...quick, tiers: ['dense', 'three-dense'] as const};
  const [one, again, other] = [
    await runPlantedBenchmark(model, images, options),
    await runPlantedBenchmark(model, images, options),
    await runPlantedBenchmark(model, images, {...options, seed: 1}),
  ];
  assert.deepEqual(timeless(again), timeless(one));
  const channels = (benchmark: PlantedBenchmark) => benchmark.rows.map((row) => row.channels.join());
  assert.notDeepEqual(channels(other), channels(one));
  model.dispose();
});

test('a run that was interrupted goes on, and ends as one that was not', async () => {
  await ensureBackend();
  const model = plantedNetwork();
  const options: PlantedOptions = {...quick, plants: 2, tiers: ['disjoint', 'dense', 'three-disjoint']};
  const whole = await runPlantedBenchmark(model, images, options);
  await temporaryFolder(async (folder) => {
    const out = path.join(folder, 'results');
    const controller = new AbortController();
    const stopped = runPlantedBenchmark(model, images, {
      ...options,
      out,
      signal: controller.signal,
      progress: ({label, done}) => {
        if (label.startsWith('planting') && done === 2) controller.abort();
      },
    });
    await assert.rejects(stopped, (error) => error instanceof InterruptError && /2 of 6 plants/.test(error.message));
    const lines = (await readFile(path.join(out, 'rows.jsonl'), 'utf8')).trim().split('\n');
    assert.equal(lines.filter((line) => line.startsWith('{"row"')).length, 2);
    // A line that a crash cut short.
    await appendFile(path.join(out, 'rows.jsonl'), '{"row":{"tier":"den');
    const first: number[] = [];
    const resumed = await runPlantedBenchmark(model, images, {
      ...options,
      out,
      progress: ({label, done}) => {
        if (label.startsWith('planting')) first.push(done);
      },
    });
    assert.equal(first[0], 2);
    assert.deepEqual(timeless(resumed), timeless(whole));
    await assert.rejects(
      () => runPlantedBenchmark(model, images, {...options, out, seed: 4}),
      (error) => error instanceof InputError && /of another run: seed is 0 there and 4 here/.test(error.message),
    );
    const release = await lockFolder(out);
    await assert.rejects(() => runPlantedBenchmark(model, images, {...options, out}), /is being written to by/);
    await release();
    await writeFile(path.join(folder, 'letter.txt'), 'mine');
    await assert.rejects(() => runPlantedBenchmark(model, images, {...options, out: folder}), /holds something else/);
  });
  model.dispose();
});

test('plants that were skipped are not measured, and fewer than asked for are announced', async () => {
  await ensureBackend();
  const model = plantedNetwork();
  const options = {...quick, tiers: ['dense'] as const};
  const all = await runPlantedBenchmark(model, images, {...options, plants: 4});
  const last = await runPlantedBenchmark(model, images, {...options, plants: 2, skipPlants: 2});
  assert.deepEqual(
    last.rows.map(({plant, channels}) => [plant, channels]),
    all.rows.slice(2).map(({plant, channels}) => [plant, channels]),
  );
  const many = await runPlantedBenchmark(model, images, {...options, rules: [], plants: 1000, skipPlants: 8});
  assert.match(many.notes.join(), /plants instead of 1000: the network offers no more pairs/);
  await assert.rejects(
    () => runPlantedBenchmark(model, images, {...options, skipPlants: 500}),
    /the network offers \d+ plants, and 500 are to be left out/,
  );
  model.dispose();
});

test('bad input is refused with what would be valid', async () => {
  await ensureBackend();
  const model = plantedNetwork();
  const refuses = (options: Partial<PlantedOptions>, message: RegExp, given = images) =>
    assert.rejects(
      () => runPlantedBenchmark(model, given, {...quick, ...options}),
      (error) => error instanceof InputError && message.test(error.message),
    );
  const three = {discovery: colourImages(10, {classes: 3}), heldOut: colourImages(8, {classes: 3})};
  await refuses({tiers: ['dense']}, /tier "dense" needs 4 classes .* have 3 such classes \(0, 1, 2\)/, three);
  const four = {discovery: colourImages(10, {classes: 4}), heldOut: colourImages(8, {classes: 4})};
  await refuses({tiers: ['dense', 'three-dense']}, /tier "three-dense" needs 5 classes/, four);
  const few = {discovery: colourImages(7), heldOut: colourImages(8)};
  await refuses({}, /at least 8 discovery and 4 held-out images each; .* have 0 such classes/, few);
  await refuses({layer: 'conv9'}, /no layer "conv9"/);
  await refuses({tiers: ['dens' as 'dense']}, /unknown tier "dens"; tiers: disjoint, overlap-0.25/);
  await refuses({tiers: []}, /no tier is named/);
  await refuses({rules: ['wiener']}, /unknown rule "wiener"; rules: published, /);
  await refuses({tau: 1}, /no two channels of layer studied can be planted: \d of 9 channels/);
  await refuses({tau: 0}, /invalid tau: 0/);
  await refuses({p: 2}, /invalid p: 2/);
  await refuses({plants: 0}, /invalid number of plants: 0/);
  await refuses({seed: 0.5}, /invalid seed: 0.5/);
  await refuses({discoveryPerClass: 3}, /invalid number of discovery images per class: 3; give a whole number from 8/);
  model.dispose();
});

test('detection rates hold plants against what is none, at γ 0.5 and at γ that find given shares of the plants', async () => {
  const scores = (cosine: number) => ({negativeCosine: -cosine, negativeLeak: 0});
  const row = (plant: number, cosine: number) => ({
    tier: 'dense' as const,
    plant,
    channels: [plant, 9],
    classes: [0, 1],
    importance: [1, 1],
    candidate: true,
    trueLeakShare: 0.3,
    rules: {},
    detection: {...scores(cosine), permuted: scores(0.99)},
  });
  const rates = detectionRates(
    {
      layer: 'studied',
      rows: [row(0, 0.3), row(1, 0.6), row(2, 0.7), row(3, 0.9)],
      negatives: [
        {kind: 'natural', classes: [0, 1], channels: [4], ...scores(0.65)},
        {kind: 'natural', classes: [1, 0], channels: [4], ...scores(0.65)},
        {kind: 'natural', classes: [0, 2], channels: [5], ...scores(0.95)},
        {kind: 'unmerged', classes: [0, 1], channels: [1], ...scores(0.4)},
      ],
    },
    {gammas: [0.62]},
  );
  const of = (name: RegExp) => rates.rows.find((one) => name.test(one.of))!;
  assert.deepEqual(
    rates.thresholds.map(({gamma}) => Math.round(1000 * gamma) / 1000),
    [0.5, 0.62, 0.6, 0.9, 0.9],
  );
  assert.deepEqual(of(/^plants$/).rates, [0.25, 0.5, 0.5, 1, 1]);
  assert.deepEqual(of(/^natural/).rates, [0, 0, 0, 0.5, 0.5]);
  assert.equal(of(/^natural/).count, 2);
  assert.deepEqual(of(/^unmerged/).rates, [1, 1, 1, 1, 1]);
  assert.deepEqual(of(/shuffled/).rates, [0, 0, 0, 0, 0]);
  assert.match(String(rates), /γ = 0\.5/);
  assert.throws(() => detectionRates({layer: 'studied', rows: [], negatives: []}), /no plants of two concepts/);
});
