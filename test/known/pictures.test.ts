import assert from 'node:assert/strict';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {classPicture, knownImages, singlePicture} from '../../src/known/images';
import {CLASS_PARTS, CODES, knownPairs, PARTS, sharedParts} from '../../src/known/parts';
import {knownPicture, MAP_SIZE} from '../../src/known/pictures';

const CELLS = MAP_SIZE * MAP_SIZE;

test('a picture is the same for the same key, and another for another', () => {
  assert.deepEqual(classPicture('test', 3, 5), classPicture('test', 3, 5));
  assert.notDeepEqual(classPicture('test', 3, 5).pixels, classPicture('test', 3, 6).pixels);
  assert.notDeepEqual(classPicture('test', 3, 5).pixels, classPicture('train', 3, 5).pixels);
});

test('parts lie apart, each where its map says, and leaving one out changes nothing far from it', () => {
  for (let index = 0; index < 20; index++) {
    const [a] = CLASS_PARTS[index];
    const {pixels, maps} = classPicture('test', index, index);
    for (let cell = 0; cell < CELLS; cell++) assert.ok(maps[cell] + maps[CELLS + cell] < 2, 'two parts in one cell');
    assert.ok(maps.subarray(0, CELLS).some(Boolean) && maps.subarray(CELLS).some(Boolean));
    const without = classPicture('test', index, index, a);
    assert.ok(without.maps.subarray(0, CELLS).every((value) => value === 0));
    let [near, far] = [0, 0];
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) {
        const changed = [0, 1, 2].some((i) => pixels[(y * 64 + x) * 3 + i] !== without.pixels[(y * 64 + x) * 3 + i]);
        const cell = (y >> 3) * MAP_SIZE + (x >> 3);
        if (changed && maps[cell]) near += 1;
        // The other part's cells are far from this one.
        if (changed && maps[CELLS + cell]) far += 1;
      }
    }
    assert.ok(near > 20, 'the part was painted where its map says');
    assert.ok(far <= near / 4, 'the other part stays');
  }
});

test('a picture holds three parts or one, and what is no part is refused', () => {
  assert.equal(knownPicture([0, 4, 8], [1, 2, 3]).maps.length, 3 * CELLS);
  assert.equal(singlePicture(7, 0).maps.length, CELLS);
  assert.throws(() => knownPicture([12], [1, 2, 3]), InputError);
  assert.throws(() => knownPicture([0, 1, 2, 3, 4], [1, 2, 3]), /a picture has room for 4/);
  assert.throws(() => knownImages('test', 0), InputError);
});

test('every part is in four classes, no class holds two parts of a code, and truth follows from shared parts', () => {
  PARTS.forEach((_, part) => assert.equal(CLASS_PARTS.filter((parts) => parts.includes(part)).length, 4));
  for (const code of CODES) CLASS_PARTS.forEach((_, k) => assert.ok(sharedParts(code, k).length <= 1));
  const pairs = knownPairs(CODES);
  assert.equal(pairs.filter(({truth}) => truth === 'different').length, 304);
  assert.equal(pairs.filter(({truth}) => truth === 'same').length, 186);
  for (const {channel, classes, truth} of pairs) {
    const shared = CODES[channel].filter((part) => classes.every((k) => CLASS_PARTS[k].includes(part)));
    assert.equal(truth === 'same', shared.length === 1);
  }
  assert.equal(
    knownPairs([[0, 6], undefined], [[1], []]).some(({classes}) => classes.includes(0)),
    false,
  );
});
