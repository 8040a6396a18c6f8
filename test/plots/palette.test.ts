import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {conceptColours, DARK, sequential} from '../../src/plots/palette';
import {symmetricLog} from '../../src/plots/symmetricLog';
import {legendColumns} from '../../src/plots/labels';
import {renderVegaSvg} from '../../src/report/display';
import {snapshotFigures} from './snapshotFigures';

test('a class has one colour in every list of concepts, in any order', () => {
  const [a, b] = conceptColours([{classes: [3]}, {classes: [17, 8]}]);
  assert.deepEqual(conceptColours([{classes: [8, 17]}, {classes: [3]}]), [b, a]);
  assert.deepEqual(conceptColours([{classes: [3]}, {classes: [5]}])[0], a);
  const clash = conceptColours([{classes: [12]}, {classes: [3]}]);
  assert.equal(clash[1], a);
  assert.notEqual(clash[0], a);
});

test('up to nine concepts have colours that differ', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2000), {minLength: 1, maxLength: 9}), (classes) => {
      assert.equal(new Set(conceptColours(classes.map((k) => ({classes: [k]})))).size, classes.length);
    }),
  );
});

test('a map runs from light to dark', () => {
  const light = (share: number) => sequential(share).reduce((sum, value) => sum + value, 0);
  for (let step = 0; step < 20; step++) assert.ok(light(step / 20) > light((step + 1) / 20));
});

test('a legend has no last row of a single item', () => {
  for (let count = 2; count < 12; count++) {
    const columns = legendColumns(Array.from({length: count}, (_, i) => `class ${i}`));
    assert.ok(columns === 1 || count % columns !== 1, `${count} in ${columns}`);
  }
});

test('a symmetric log scale keeps order and sign, undoes itself, and its ticks have room', () => {
  fc.assert(
    fc.property(fc.array(fc.double({min: -1e3, max: 1e3, noNaN: true}), {minLength: 2, maxLength: 20}), (values) => {
      const {at, between, ticks, domain} = symmetricLog(values);
      const sorted = [...values].sort((a, b) => a - b);
      for (let n = 1; n < sorted.length; n++) assert.ok(at(sorted[n]) >= at(sorted[n - 1]));
      assert.ok(Math.abs(at(between(0.3)) - 0.3) < 1e-9);
      const places = ticks(300).map((tick) => 300 * at(tick));
      assert.ok(ticks(300).includes(0));
      for (let n = 1; n < places.length; n++) assert.ok(places[n] - places[n - 1] >= 26 - 1e-6);
      assert.ok(domain[0] <= sorted[0] && domain[1] >= sorted[sorted.length - 1]);
    }),
    // A value far below a largest one that is itself tiny.
    {examples: [[[-4.3449285610545145e-33, 1.0000000000000003e-30, 0, 0]]]},
  );
});

test('no light ink or ground is left in a figure for a dark page', () => {
  for (const [name, figure] of Object.entries(snapshotFigures())) {
    const svg = renderVegaSvg(figure, 'dark');
    for (const light of Object.keys(DARK)) assert.ok(!svg.includes(`"${light}"`), `${name} has ${light}`);
  }
});
