import assert from 'node:assert/strict';
import {test} from 'node:test';
import {everyPairBelow} from '../../src/concepts/everyPairBelow';

test('where every pair is below γ, the cosines are said and how to choose another', () => {
  const cosines = [0.36, -0.42, ...Array.from({length: 9}, (_, at) => at / 100)];
  const [warning, ...others] = everyPairBelow(cosines, 0.5);
  assert.deepEqual(others, []);
  assert.match(warning, /^all 11 decided pairs are below gamma 0\.5 \(cosines −0\.42 to 0\.36\)/);
  assert.match(warning, /suggestThresholds/);
  assert.deepEqual(everyPairBelow(cosines, 0.36), [], 'one pair is not below it');
  assert.deepEqual(everyPairBelow(cosines.slice(0, 9), 0.5), [], 'few pairs may all be different');
  assert.deepEqual(everyPairBelow(cosines, 1), [], 'whoever asks for all pairs gets them');
});
