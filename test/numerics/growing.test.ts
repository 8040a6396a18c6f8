import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {appended} from '../../src/numerics/growing';

test('appending is concatenation, whichever of the arrays before is appended to', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.array(fc.nat(9), {maxLength: 40}))), (steps) => {
      const arrays: Int32Array[] = [new Int32Array(0)];
      const lists: number[][] = [[]];
      for (const [which, more] of steps) {
        const from = which % arrays.length;
        arrays.push(appended(arrays[from], more));
        lists.push([...lists[from], ...more]);
      }
      arrays.forEach((array, n) => assert.deepEqual([...array], lists[n]));
    }),
  );
});

test('a long list is built in linear time: the buffer changes a few dozen times, not at each append', () => {
  let list = new Float32Array(0);
  const buffers = new Set<ArrayBufferLike>();
  for (let n = 0; n < 20_000; n++) {
    list = appended(list, [n, n]);
    buffers.add(list.buffer);
  }
  assert.ok(buffers.size < 40, `${buffers.size} buffers`);
  assert.equal(list.length, 40_000);
  assert.equal(list[39_999], 19_999);
});
