import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {ensureBackend} from '../../src/engine';
import {plantedImportance} from '../../src/planted/candidate';
import {detectionScores} from '../../src/planted/detection';
import {compareGated} from '../../src/planted/gatedDetection';
import {classVectors} from '../../src/concepts/relate';
import {collectRelevance} from '../../src/relevance/collect';
import {channelKernel} from '../../src/network/linearLayer';
import {plantKernel} from '../../src/planted/plantKernels';
import {leakShare} from '../../src/planted/recovery';
import {foldBatchNorm} from '../../src/network/fold';
import {makeModel} from '../../src/network/model';
import {cosine} from '../../src/numerics/vectors';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {keepsTensorCount} from '../reference/engines';
import {colourImages, plantedNetwork} from '../reference/plantedNetwork';
import {patchesOf, study, tierOf, times} from '../reference/studied';

for (const network of [{norm: true}, {norm: true, bias: true, size: 3 as const}, {norm: false}]) {
  test(`a plant’s importance is that in the network that really has it (${JSON.stringify(network)})`, async () => {
    await ensureBackend();
    const model = plantedNetwork(network);
    const studied = await study(model);
    const plant = {index: 0, channels: [2, 6], classes: [2, 0]};
    const {kernel} = plantKernel(studied, plant, tierOf('dense'), [new Float64Array(14), new Float64Array(14)], 0);
    await plantedImportance(studied, plant, kernel, 0.1); // The weights are uploaded at their first use, and stay.
    const found = await keepsTensorCount(() => plantedImportance(studied, plant, kernel, 0.1));
    // The folded network with both channels' kernels replaced by the plant's.
    const folded = foldBatchNorm(model.graph);
    const outputs = studied.layer.shape[3];
    const graph = {
      ...folded,
      nodes: folded.nodes.map((node) =>
        node.name !== 'studied'
          ? node
          : {
              ...node,
              weights: node.weights.map((weight) =>
                weight.name === 'kernel'
                  ? {
                      ...weight,
                      data: weight.data.map((value, at) =>
                        plant.channels.includes(at % outputs) ? kernel[Math.floor(at / outputs)] : value,
                      ),
                    }
                  : weight,
              ),
            },
      ),
    };
    const modified = networkAtLayer(makeModel(graph, {name: 'modified'}), 'studied');
    for (const [j, k] of plant.classes.entries()) {
      const {input, shape, count} = studied.discovery.get(k)!;
      const relevance = tf.tidy(() => {
        const x = tf.tensor(input, [count, ...shape]);
        const z = modified.linear(x);
        const {gradient} = modified.headGradient(z, [], new Int32Array(count).fill(k));
        const plain = tf.add(
          tf.sub(z, tf.tensor1d(Array.from(studied.shift))),
          tf.tensor1d(Array.from(studied.ownBias)),
        );
        return tf.sum(tf.mul(plain, gradient), [1, 2]).arraySync() as number[][]; // [B, Cout]
      });
      const important = relevance.filter((row) => {
        const own = plant.channels.reduce((sum, c) => sum + row[c], 0);
        const others = row.reduce((sum, value, c) => (plant.channels.includes(c) ? sum : sum + Math.max(value, 0)), 0);
        return own >= 0.1 * (others + Math.max(own, 0));
      });
      assert.equal(found[j], important.length / count);
    }
    modified.dispose();
    studied.dispose();
    model.dispose();
  });
}

test('detection scores are the cosine of the mean contributions and the leak of the signed split', async () => {
  await ensureBackend();
  const model = plantedNetwork({size: 3});
  const studied = await study(model);
  const kernel = channelKernel(studied.layer, 0).map((weight, at) => weight + channelKernel(studied.layer, 1)[at]);
  const pair = [studied.discovery.get(0)!, studied.discovery.get(1)!] as const;
  const scores = await detectionScores(studied.layer, kernel, pair);
  const inputs = studied.layer.shape[2];
  const arvs = pair.map((images) => {
    const rows = patchesOf(studied, images);
    return Array.from(
      {length: inputs},
      (_, i) =>
        rows.reduce(
          (sum, row) => sum + row.reduce((part, x, at) => (at % inputs === i ? part + x * kernel[at] : part), 0),
          0,
        ) / images.count,
    );
  });
  assert.ok(
    Math.abs(scores.negativeCosine + cosine(arvs[0], arvs[1])) < 1e-5,
    `${scores.negativeCosine}, not −${cosine(arvs[0], arvs[1])}`,
  );
  const evidence = arvs.map((own, j) =>
    own.map((value, i) => Math.max(value, 0) ** 2 + Math.max(-arvs[1 - j][i], 0) ** 2),
  );
  // What no image excites belongs to both.
  const half = (own: number, other: number) => (own + other > 0 ? own / (own + other) : 0.5);
  const parts = evidence.map((e, j) =>
    kernel.map((weight, at) => weight * half(e[at % inputs], evidence[1 - j][at % inputs])),
  );
  const strength = parts.map((part) =>
    pair.map((images) => {
      const values = times(patchesOf(studied, images), part);
      return values.reduce((sum, value) => sum + Math.max(value, 0), 0) / values.length;
    }),
  );
  assert.ok(
    Math.abs(scores.negativeLeak + leakShare(strength)) < 1e-5,
    `${scores.negativeLeak}, not −${leakShare(strength)}`,
  );
  const shuffledLabels = await detectionScores(studied.layer, kernel, pair, 5);
  assert.ok(
    shuffledLabels.negativeCosine < scores.negativeCosine,
    `shuffled ${shuffledLabels.negativeCosine}, not below ${scores.negativeCosine}`,
  );
  studied.dispose();
  model.dispose();
});

test('gated vectors of a channel of the layer are those that a pass collects, and dealt labels leave classes undecided', async () => {
  await ensureBackend();
  for (const network of [{norm: true}, {norm: false, bias: true, size: 3 as const}]) {
    const model = plantedNetwork(network);
    const studied = await study(model);
    const stats = await collectRelevance(model, colourImages(10), {layer: 'studied', progress: false});
    const channels = Array.from({length: 6}, (_, c) => ({
      kernel: channelKernel(studied.layer, c),
      shift: studied.shift[c],
      classes: [c, (c + 1) % 6] as [number, number],
    }));
    await keepsTensorCount(async () => {
      const {own, permuted} = await compareGated(studied, channels, 1);
      own.forEach(({cosine: found}, c) => {
        const expected = classVectors(stats, c, 'gated').cosine(...channels[c].classes);
        assert.ok(
          Math.abs(found - expected) < 1e-4 || (Number.isNaN(found) && Number.isNaN(expected)),
          `channel ${c}: ${found}, not ${expected}`,
        );
      });
      assert.ok(own.some(({decided}) => decided));
      const decidedOf = (all: typeof own) => all.filter(({decided}) => decided).length;
      assert.ok(decidedOf(permuted) < decidedOf(own));
    });
    studied.dispose();
    model.dispose();
  }
});
