import assert from 'node:assert/strict';
import {test} from 'node:test';
import {countsAtLeast, shareIndex} from '../../src/numerics/shareIndex';
import {addBatch} from '../../src/relevance/accumulate';
import {statisticsFor} from '../reference/syntheticStatistics';

test('the index counts what a walk over all shares counts, at any τ, and grows with the statistics', () => {
  const {stats, batches} = statisticsFor({images: 300, batchSize: 100});
  for (const batch of batches) {
    addBatch(stats, batch);
    const {offsets, channels, values} = stats.shares;
    const some = [...values.subarray(0, 20)].map((value) => Number(value));
    for (const tau of [0.005, 0.1, 0.2, 1, ...some]) {
      const slow = new Int32Array(stats.layer.shape[3] * stats.classes);
      stats.images.labels.forEach((k, image) => {
        for (let at = offsets[image]; at < offsets[image + 1]; at++)
          if (values[at] >= Math.fround(tau)) slow[channels[at] * stats.classes + k] += 1;
      });
      assert.deepEqual(countsAtLeast(shareIndex(stats), tau), slow);
    }
  }
});
