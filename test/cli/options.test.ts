import assert from 'node:assert/strict';
import {test} from 'node:test';
import {asFlag, nameOptions, option} from '../../src/common/options';

test('an option is named as the surface in use writes it', (t) => {
  t.after(() => nameOptions((name) => name));
  assert.equal(option('force'), 'force');
  nameOptions(asFlag);
  assert.deepEqual(['force', 'allPairs', 'perClass'].map(option), ['--force', '--all-pairs', '--per-class']);
});
