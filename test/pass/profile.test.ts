import assert from 'node:assert/strict';
import {before, test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {passProfile, PHASES} from '../../src/pass/profile';
import {collectRelevance} from '../../src/relevance/collect';
import {smallImages, smallModel} from '../reference/smallNetworks';

before(() => ensureBackend());

test('a profile divides the time of a pass among its phases, and changes no result', async () => {
  const model = smallModel({kind: 'conv', size: 3, residual: true});
  const options = {layer: 'studied', batchSize: 4, progress: false as const};
  const plain = await collectRelevance(model, smallImages(10), options);
  const profile = passProfile();
  const start = performance.now();
  const stats = await collectRelevance(model, smallImages(10), {...options, profile});
  const spent = performance.now() - start;
  model.dispose();
  assert.deepEqual(stats.shares, plain.shares);
  assert.equal(profile.images, 10);
  const {times} = profile;
  const sum = Object.values(times).reduce((a, b) => a + b, 0);
  assert.ok(sum > 0 && sum <= spent + 50);
  for (const phase of ['decode', 'forward', 'backward', 'measure', 'add'] as const)
    assert.ok(times[phase] > 0, `${phase}: ${times[phase]}`);
  assert.match(String(profile), /time of 10 images, [\d.]+ ms each:/);
  for (const phase of ['forward', 'backward'] as const) assert.ok(String(profile).includes(PHASES[phase]));
});
