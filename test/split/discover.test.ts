import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {knownImages} from '../../src/known/images';
import {KNOWN_LAYER} from '../../src/known/network';
import {knownNetwork} from '../../src/known/networks';
import {CLASS_PARTS, CODES} from '../../src/known/parts';
import {adjustedRandIndex} from '../../src/numerics/agreement';
import {discoverConcepts} from '../../src/split/discover';
import {keepsTensorCount} from '../reference/engines';

const options = {layer: KNOWN_LAYER, progress: false as const};

test('the parts of a taught channel are found without labels', async () => {
  await ensureBackend();
  const model = await knownNetwork('picture-plain', 1);
  const images = knownImages('test', 6);
  const channel = CODES.findIndex((code) => code.length === 2);
  const found = await keepsTensorCount(async () => {
    const result = await discoverConcepts(model, images, channel, {...options, count: 2});
    model.dispose();
    return result;
  });
  const owners: number[] = [];
  const truth: number[] = [];
  found.concepts.forEach(({images: members}, j) => {
    for (const index of members) {
      const part = CLASS_PARTS[Math.floor(index / 6)].find((one) => CODES[channel].includes(one));
      if (part === undefined) continue;
      owners.push(j);
      truth.push(part);
    }
  });
  assert.ok(owners.length > 20);
  assert.ok(adjustedRandIndex(owners, truth) > 0.6, String(found));
  assert.ok(found.concepts.every(({exemplars}) => exemplars.every(({centre}) => centre.every((x) => x > 0 && x < 1))));
});

test('a channel that does not exist or fires in too few images is refused, and so is no cluster', async () => {
  const model = await knownNetwork('picture-plain', 1);
  const images = knownImages('test', 1);
  await assert.rejects(discoverConcepts(model, images, 16, options), /layer studied has channels 0 to 15/);
  await assert.rejects(discoverConcepts(model, images, 0, {...options, count: 0}), /invalid number of clusters: 0/);
  await assert.rejects(
    discoverConcepts(model, images, 0, {...options, count: 20}),
    /too few for 20 clusters; 80 are needed/,
  );
  model.dispose();
});
