import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as fc from 'fast-check';
import {hardOwnership, RHOS, sourceOwners, sourceSets} from '../../src/split/sources';

const vector = fc.array(fc.double({min: -3, max: 3, noNaN: true}), {minLength: 6, maxLength: 6});

test('a source belongs to the first concept whose relevance, times ρ, exceeds every other', () => {
  fc.assert(
    fc.property(fc.array(vector, {minLength: 2, maxLength: 4}), fc.constantFrom(...RHOS), (arvs, rho) => {
      const owners = sourceOwners(arvs, rho);
      for (let i = 0; i < 6; i++) {
        const claims: number[] = [];
        for (let j = 0; j < arvs.length; j++) {
          let exceeds = true;
          for (let l = 0; l < arvs.length; l++) if (l !== j && !(rho * arvs[j][i] > arvs[l][i])) exceeds = false;
          if (exceeds) claims.push(j);
        }
        assert.equal(owners[i], claims.length > 0 ? claims[0] : -1);
      }
    }),
  );
});

test('a contested source, which two negative relevances both claim, goes to the first concept', () => {
  assert.deepEqual([...sourceOwners([[-1], [-1.1]], 0.5)], [0]);
  assert.deepEqual([...sourceOwners([[-1.1], [-1]], 0.5)], [0]);
});

test('ownership is one unless the source belongs to another, then zero', () => {
  const owners = Int8Array.of(0, -1, 2, 1);
  assert.deepEqual(
    hardOwnership(owners, 3).map((lambda) => [...lambda]),
    [
      [1, 1, 0, 0],
      [0, 1, 0, 1],
      [0, 1, 1, 0],
    ],
  );
  assert.deepEqual(sourceSets(owners, 3), [[0], [3], [2]]);
});

test('ρ runs from 0.05 to 1 in steps of 0.05', () => {
  assert.equal(RHOS.length, 20);
  assert.deepEqual([RHOS[0], RHOS[1], RHOS[2], RHOS[19]], [0.05, 0.1, 0.15, 1]);
});
