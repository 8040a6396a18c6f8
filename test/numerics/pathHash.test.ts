import assert from 'node:assert/strict';
import {test} from 'node:test';
import {halfOf, pathHash} from '../../src/numerics/pathHash';

test('the hash of a path is fixed for ever: saved statistics depend on it', () => {
  // FNV-1a of the first two is 811c9dc5 and e40c292c, as published with the algorithm, before the mixing.
  assert.deepEqual(
    ['', 'a', 'cat/ü.png', 'airplane/0001.png'].map(pathHash),
    [0xab3e7c0b, 0x1a80b1b3, 0x75baa923, 0x21c9ac05],
  );
  assert.deepEqual(['', 'a', 'cat/ü.png', 'airplane/0001.png'].map(halfOf), [1, 1, 1, 1]);
});

test('numbered paths fall into two even, unpatterned halves', () => {
  const halves = Array.from({length: 4000}, (_, i) => halfOf(`airplane/${String(i).padStart(4, '0')}.png`));
  const ones = halves.filter((half) => half === 1).length;
  assert.ok(Math.abs(ones - 2000) < 130, `${ones} of 4000`); // four standard deviations
  const changes = halves.slice(1).filter((half, i) => half !== halves[i]).length;
  assert.ok(Math.abs(changes - 2000) < 130, `${changes} changes`);
});
