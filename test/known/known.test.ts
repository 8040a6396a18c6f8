import assert from 'node:assert/strict';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {InputError, InterruptError} from '../../src/common/errors';
import type {ProgressState} from '../../src/common/progress';
import {suggestThresholds} from '../../src/concepts/thresholds';
import {ensureBackend} from '../../src/engine';
import {sha256} from '../../src/files/checksum';
import {classActivations} from '../../src/known/activations';
import {relabelled} from '../../src/known/detection';
import {knownImages} from '../../src/known/images';
import {confirms, doubtedParts, measuredMeanings} from '../../src/known/meanings';
import {KNOWN_LAYER, weightShapes} from '../../src/known/network';
import {knownNetwork, type KnownKind} from '../../src/known/networks';
import {runKnownBenchmark} from '../../src/known/run';
import {loadKnownWeights, saveKnownWeights} from '../../src/known/weights';
import {gatesOf} from '../../src/numerics/gatedSums';
import {sphericalClusters, silhouette} from '../../src/numerics/kmeans';
import {collectRelevance} from '../../src/relevance/collect';
import {cosine} from '../../src/numerics/vectors';
import {uniform} from '../reference/smallNetworks';

test('gated vectors tell the parts of a taught channel apart, which the published ones do not', async () => {
  const result = await runKnownBenchmark({kinds: ['position-plain'], seeds: [1], perClass: 10, progress: false});
  const [row] = result.rows;
  const [published, gated] = row.detection;
  assert.ok(gated.auroc > 0.97 && gated.auroc > published.auroc + 0.15, `${gated.auroc}, ${published.auroc}`);
  assert.ok(gated.usual.found > 0.9 && published.usual.found < 0.05);
  assert.ok(gated.usual.permuted < 0.15, String(gated.usual.permuted));
  const own = (rule: string) => {
    const scores = row.splitting.filter((score) => score.rule === rule).map((score) => score.ownVersusOther);
    return scores.reduce((sum, value) => sum + value, 0) / scores.length;
  };
  assert.ok(Math.abs(own('none') - 0.5) < 0.01 && Math.abs(own('random') - 0.5) < 0.15);
  assert.ok(own('freeRidge') > own('published') && own('published') > 0.75);
  assert.match(String(result), /Without labels/);
});

test('a benchmark goes on from the networks that its folder holds, and refuses those of other parameters', async (t) => {
  const out = await mkdtemp(path.join(os.tmpdir(), 'unweave-known-'));
  t.after(() => rm(out, {recursive: true, force: true}));
  const options = {kinds: ['picture-plain'] as const, perClass: 4, rules: [], out, progress: false as const};
  const first = await runKnownBenchmark({...options, seeds: [1]});
  const file = path.join(out, 'rows.jsonl');
  const [line, ...others] = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  assert.deepEqual(others, []);
  // A result that says where it is from: whoever measures again would not find it.
  const {sha256: checksum, ...row} = JSON.parse(line) as Record<string, unknown>;
  assert.equal(checksum, sha256(JSON.stringify(row)));
  const changed = {...row, topOne: 0.125};
  await writeFile(file, `${JSON.stringify({...changed, sha256: sha256(JSON.stringify(changed))})}\n`);
  const again = await runKnownBenchmark({...options, seeds: [1]});
  assert.equal(again.rows[0].topOne, 0.125);
  assert.deepEqual(again.rows[0].splitting, first.rows[0].splitting);
  await assert.rejects(runKnownBenchmark({...options, perClass: 5}), /of another run: perClass is 4 there and 5 here/);
  await writeFile(file, '{"kind":"picture-plain"}\n');
  await assert.rejects(runKnownBenchmark({...options, seeds: [1]}), /rows\.jsonl" is damaged: \w+ is not valid/);
});

test('a benchmark that is stopped says after how many networks, and that it was stopped', async () => {
  const states: ProgressState[] = [];
  const stopped = {signal: AbortSignal.abort(), progress: (state: ProgressState) => void states.push(state)};
  await assert.rejects(runKnownBenchmark({kinds: ['position-plain'], seeds: [1], perClass: 4, ...stopped}), (error) => {
    return error instanceof InterruptError && error.message.includes('interrupted after 0 of 1 networks');
  });
  assert.equal(states.at(-1)!.outcome, 'interrupted');
});

test('a part is meant where the channel answers to it alone, and something goes with it; hardly ever firing channels mean nothing', () => {
  const row = (values: Record<number, number>) => Float64Array.from({length: 12}, (_, part) => values[part] ?? 0);
  const answers = {
    alone: [row({2: 1, 5: 0.7, 7: 0.5}), row({1: 1}), row({3: 1, 4: 0.9})],
    removed: [row({2: 1, 5: 0.4}), row({1: 1}), row({3: 1, 4: 0.1})],
    fires: [row({2: 1, 5: 1}), row({1: 0.2}), row({3: 1})],
  };
  const {parts, unclear} = measuredMeanings(answers);
  assert.deepEqual(parts, [[2, 5], undefined, [3]]);
  assert.deepEqual(unclear[0], [7]);
  assert.deepEqual(unclear[2], [4]);
  assert.deepEqual(doubtedParts(answers, 0, [2, 9]), [5, 7, 9]);
  assert.equal(confirms(answers, 0, [2, 5]), true);
  assert.equal(confirms(answers, 0, [2]), false);
});

test('gated sums counted position by position are those of the pass', async () => {
  await ensureBackend();
  const model = await knownNetwork('picture-plain', 1);
  const stats = await collectRelevance(model, knownImages('train', 4), {layer: KNOWN_LAYER, progress: false});
  const activations = classActivations(model, 'train', 4);
  const slow = gatesOf(relabelled(stats, activations, activations.labels))!;
  const fast = gatesOf(stats)!;
  assert.deepEqual([...slow.entries.keys()].sort(), [...fast.entries.keys()].sort());
  for (const [key, entry] of slow.entries) {
    const other = fast.entries.get(key)!;
    const [own, also] = [entry, other].map(({activity}) => activity[0] + activity[1]);
    assert.ok(Math.abs(own - also) <= 1e-3 * own);
    const inputs = stats.layer.shape[2];
    for (let i = 0; i < inputs; i++) {
      const [a, b] = [entry, other].map(({sums}) => sums[i] + sums[inputs + i]);
      assert.ok(Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a)));
    }
  }
  const suggested = suggestThresholds(stats);
  assert.ok(suggested.gamma >= 0.1 && suggested.gamma <= 0.7 && suggested.tau === 2 / 16);
  assert.match(String(suggested), /twice an equal share of 16 channels/);
  model.dispose();
});

test('weights are kept as bytes with a scale, to half a step', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  const draw = uniform(3, -1, 1);
  const weights = weightShapes().map((shape) => ({
    shape,
    kernel: Float32Array.from({length: shape.reduce((product, size) => product * size, 1)}, draw),
    bias: Float32Array.from({length: shape[shape.length - 1]}, draw),
  }));
  const file = path.join(folder, 'network.safetensors');
  await saveKnownWeights(file, weights, {kind: 'test'});
  const loaded = await loadKnownWeights(file);
  assert.equal(loaded.metadata.kind, 'test');
  weights.forEach(({kernel, bias}, at) => {
    assert.deepEqual(loaded.weights[at].bias, bias);
    kernel.forEach((w, i) => assert.ok(Math.abs(w - loaded.weights[at].kernel[i]) <= 0.5 / 127 + 1e-6));
  });
  await assert.rejects(knownNetwork('none' as KnownKind, 0), InputError);
  await assert.rejects(runKnownBenchmark({perClass: 1}), /invalid number of pictures per class/);
});

test('clusters of directions are found whatever their length, and a silhouette says how clear they are', () => {
  const draw = uniform(5, -0.1, 0.1);
  const vectors = Array.from({length: 60}, (_, n) => {
    const length = 1 + (n % 7);
    return [n % 3 === 0 ? 1 : 0, n % 3 === 1 ? 1 : 0, n % 3 === 2 ? 1 : 0].map((x) => length * (x + draw()));
  });
  const {owners, sizes} = sphericalClusters(vectors, 3);
  assert.deepEqual(sizes, [20, 20, 20]);
  vectors.forEach((_, n) => assert.equal(owners[n], owners[n % 3]));
  assert.ok(silhouette(vectors, owners) > 0.9);
  const wrong = Array.from(owners, (_, n) => n % 2);
  assert.ok(silhouette(vectors, wrong) < 0.1);
  for (const own of [owners, wrong])
    assert.ok(Math.abs(silhouette(vectors, own) - slowSilhouette(vectors, own)) < 1e-12);
});

/** Rousseeuw's definition, pair by pair. */
function slowSilhouette(vectors: readonly number[][], owners: ArrayLike<number>): number {
  const all = vectors.map((a, n) => {
    const distance = (j: number) => {
      const others = vectors.filter((_, other) => other !== n && owners[other] === j);
      return others.reduce((sum, b) => sum + 1 - cosine(a, b), 0) / others.length;
    };
    const own = distance(owners[n]);
    const rest = [...new Set(Array.from(owners))].filter((j) => j !== owners[n]).map(distance);
    return (Math.min(...rest) - own) / Math.max(own, Math.min(...rest));
  });
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}
