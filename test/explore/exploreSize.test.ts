import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import * as fc from 'fast-check';
import {relevantClasses} from '../../src/concepts/find';
import {classVectors, relatedPairs} from '../../src/concepts/relate';
import {bundleSize} from '../../src/report/display';
import {exploreBundle} from '../../src/explore';
import {pack, select} from '../../src/explore/pack';
import {analyse, complete} from '../../src/explore/page/analysis';
import {shuffledBytes, unshuffledFloats} from '../../src/explore/page/floats';
import {unpack} from '../../src/explore/page/packed';
import {divideSources} from '../../src/explore/page/sources';
import {wideStatistics} from '../reference/wideStatistics';
import {assertNear, assertSameFindings, travelled} from './exploreFindings';
import {bundleExplore, kernelFinds, settingsAt} from './exploreSetting';

before(() => bundleExplore());

test('1000 classes by 2048 channels by 512 inputs become a few megabytes that say what was rounded', async () => {
  const stats = wideStatistics();
  const {data} = await exploreBundle(stats);
  assert.ok(bundleSize({data}) < 5e6, String(bundleSize({data})));
  const explored = await unpack({data: /"data":"([\w+/=]+)"/.exec(String(data['text/html']))![1]});
  assert.match(explored.about.reduced.join(), /rounded to \d+ binary digits: cosines differ .* less than 0.001/);
  const relevant = relevantClasses(stats, explored.start);
  const {candidates} = complete(analyse(explored).overview(explored.start));
  assert.ok(candidates.length > 500);
  assert.equal(candidates.length, relevant.filter((classes) => classes.length >= 2).length);
  for (const {channel, classes, lowestCosine} of candidates.filter((_, i) => i % 20 === 0)) {
    assert.deepEqual(classes, relevant[channel]);
    assertNear(
      lowestCosine,
      relatedPairs(classVectors(stats, channel, 'published'), channel, classes, 0.5)[0].cosine,
      1e-3,
    );
  }
});

test('where little space is given, the channels whose classes differ most stay, with numbers like the kernel’s', async () => {
  for (const side of [1, 3]) {
    const stats = wideStatistics({seed: side, classes: 60, outputs: 80, inputs: 32, side, perClass: 6, own: 10});
    const options = {tau: 0.03, p: 0.5};
    const explored = await travelled(stats, options, 8_000);
    assert.match(explored.about.reduced.join(), /only the \d+ of \d+ candidate channels .* with the lowest cosines/);
    const found = kernelFinds(stats, explored.start);
    const kept = new Set(explored.channels.map(({channel}) => channel));
    assert.ok(kept.size > 1 && kept.size < found.candidates.length);
    const worstKept = Math.max(
      ...found.candidates.filter(({channel}) => kept.has(channel)).map((one) => one.lowestCosine),
    );
    const bestLeft = Math.min(
      ...found.candidates.filter(({channel}) => !kept.has(channel)).map((one) => one.lowestCosine),
    );
    assert.ok(worstKept <= bestLeft, `${worstKept} is kept, ${bestLeft} is not`);
    const {candidates} = complete(analyse(explored).overview(explored.start));
    assert.equal(candidates.length, kept.size);
    for (const {channel, lowestCosine, classes} of candidates) {
      const kernel = found.candidates.find((one) => one.channel === channel)!;
      assert.deepEqual(classes, kernel.classes);
      assertNear(lowestCosine, kernel.lowestCosine, 1e-3);
    }
  }
});

test('vectors that travel one by one are those of the kernel', async () => {
  const stats = wideStatistics({seed: 4, classes: 40, outputs: 300, inputs: 16, side: 5, perClass: 4, own: 3});
  const selection = select(stats, {tau: 0.02, p: 0.5}, 4e6);
  assert.equal(selection.encoding, 'vectors');
  const explored = await unpack({data: pack(stats, selection)});
  for (const shares of [
    [0.1, 0.1, 0.4, 0.5],
    [0.5, 0.5, 0.6, 0.9],
  ]) {
    assertSameFindings(stats, explored, settingsAt(explored.grid, shares), {analyse, complete, divideSources}, 1e-6);
  }
});

test('numbers travel unchanged, or rounded to the digits that are kept', () => {
  fc.assert(
    fc.property(fc.float32Array(), (values) => {
      assert.deepEqual(unshuffledFloats(shuffledBytes(values, 23)), values);
      const rounded = unshuffledFloats(shuffledBytes(values, 9));
      values.forEach((value, i) => {
        if (Number.isNaN(value)) assert.ok(Number.isNaN(rounded[i]));
        else if (Math.abs(value) < 1e-30 || Math.abs(value) > 1e38) assert.ok(Math.sign(value) * rounded[i] >= 0);
        else assert.ok(Math.abs(rounded[i] - value) <= Math.abs(value) * 2 ** -10);
      });
    }),
  );
});
