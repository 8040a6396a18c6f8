import assert from 'node:assert/strict';
import {test} from 'node:test';
import {InputError} from '../../src/common/errors';
import {printable, printableName} from '../../src/common/printable';

test('what a terminal would obey is shown, and everything else is left', () => {
  assert.equal(printable('\x1b[2Jlayer1.é.가'), '\\u{1b}[2Jlayer1.é.가');
  assert.equal(printable('a\u202eb\u2066c\u0007'), 'a\\u{202e}b\\u{2066}c\\u{7}');
  assert.equal(printable('half \ud83d, whole \u{1f600}'), 'half \\u{d83d}, whole \u{1f600}');
});

test('a name is cut, and what is no text is named by its kind', () => {
  assert.equal(printableName('x'.repeat(100), 10), 'xxxxxxxxxx…');
  assert.equal(printableName([[]]), '(object)');
  assert.equal(printableName(null), '(nothing)');
});

test('an error of wrong input cannot steer a terminal, whatever it quotes', () => {
  assert.equal(
    new InputError('no layer "\x1b]0;x\x07"\nsecond line').message,
    'no layer "\\u{1b}]0;x\\u{7}"\nsecond line',
  );
});
