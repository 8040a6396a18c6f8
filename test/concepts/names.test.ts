import assert from 'node:assert/strict';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {classesIn} from '../../src/concepts/names';

const stats = {
  classNames: ['tench, Tinca tinca', 'goldfish', 'great white shark, white shark, man-eater', 'shark', '9'],
};

test('a list of classes is read as indices and names, with the commas that names have', () => {
  assert.deepEqual(classesIn(stats, '0,3'), [0, 3]);
  assert.deepEqual(classesIn(stats, 'goldfish, shark'), [1, 3]);
  assert.deepEqual(classesIn(stats, 'tench, Tinca tinca,2'), [0, 2]);
  assert.deepEqual(classesIn(stats, 'GOLDFISH,great white shark,white shark,man-eater,tench,Tinca tinca'), [1, 2, 0]);
  assert.deepEqual(classesIn(stats, '4'), [4], 'a number is an index');
});

test('a word that is neither is named, with names that come near', () => {
  assert.throws(
    () => classesIn(stats, 'goldfish,white'),
    (error) =>
      error instanceof InputError &&
      /no class is called "white"; classes with it in their names: "great white shark, white shark, man-eater"$/.test(
        error.message,
      ),
  );
  assert.throws(() => classesIn(stats, '1,'), /no class is called ""/);
});
