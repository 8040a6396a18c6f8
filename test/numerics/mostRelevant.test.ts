import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {mostRelevantImages} from '../../src/numerics/mostRelevant';
import {syntheticStatistics} from '../reference/syntheticStatistics';

test('the images of each class come by the share that the channel has in them, and only of images that have one', () => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 1000}), fc.integer({min: 1, max: 6}), (seed, each) => {
      const stats = syntheticStatistics({seed, classes: 3, outputs: 6});
      const wanted = [
        {channel: 4, classes: [2, 0]},
        {channel: 1, classes: [1]},
      ];
      const found = mostRelevantImages(stats, wanted, each);
      wanted.forEach(({channel, classes}, row) =>
        classes.forEach((k, position) => {
          const {offsets, channels, values} = stats.shares;
          const slow = [...stats.images.labels.keys()]
            .filter((image) => stats.images.labels[image] === k)
            .flatMap((image) =>
              [...channels.slice(offsets[image], offsets[image + 1])].flatMap((c, n) =>
                c === channel ? [{image, share: values[offsets[image] + n]}] : [],
              ),
            )
            .sort((a, b) => b.share - a.share || a.image - b.image)
            .slice(0, each);
          assert.deepEqual(found[row][position], slow);
        }),
      );
    }),
  );
});
