import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {suggestThresholds} from '../../src/concepts/thresholds';
import {ensureBackend} from '../../src/engine';
import {classActivations} from '../../src/known/activations';
import {relabelled} from '../../src/known/detection';
import {knownImages} from '../../src/known/images';
import {KNOWN_LAYER, weightShapes} from '../../src/known/network';
import {knownNetwork, type KnownKind} from '../../src/known/networks';
import {runKnownBenchmark} from '../../src/known/run';
import {loadKnownWeights, saveKnownWeights} from '../../src/known/weights';
import {gatesOf} from '../../src/numerics/gatedSums';
import {sphericalClusters, silhouette} from '../../src/numerics/kmeans';
import {collectRelevance} from '../../src/relevance/collect';
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
  assert.ok(own('scaledRidge') > own('published') && own('published') > 0.75);
  assert.match(String(result), /Without labels/);
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
  assert.ok(
    silhouette(
      vectors,
      Array.from(owners, (_, n) => n % 2),
    ) < 0.1,
  );
});
