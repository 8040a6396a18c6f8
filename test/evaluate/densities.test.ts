import assert from 'node:assert/strict';
import {test} from 'node:test';
import fc from 'fast-check';
import {densities} from '../../src/evaluate';
import {referenceBandwidth, scottBandwidth} from '../../src/evaluate/kernelDensity';
import {subset} from '../../src/images';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {slowArea, slowBandwidth, slowDensity, slowScott, slowSignedDensity} from '../reference/densitySlowly';
import {meanOf, positiveSum, slowImages, sumOf} from '../reference/evaluateSlowly';
import {smallImages, STUDIED_LAYERS} from '../reference/smallNetworks';
import {SMALL_SPLITS, smallSplit, withParts} from '../reference/smallSplits';

const quiet = {progress: false as const};

for (const [what, about] of [
  ['a 1×1 convolution', SMALL_SPLITS[0]],
  ['a dilated 3×3 convolution', SMALL_SPLITS[2]],
  ['a dense layer with bias', SMALL_SPLITS[3]],
] as const) {
  const concepts: number[][] = about.concepts.map((classes) => [...classes]);
  eachEngine(`a density is a mean of Gaussians, reflected at zero: ${what}, k = ${concepts.length}`, async () => {
    const network = STUDIED_LAYERS[what];
    const split = smallSplit(network, {...about, concepts});
    const images = smallImages(20);
    const {slow, dispose} = await slowImages(network, split, images);
    dispose();
    const found = await keepsTensorCount(() => densities(split, images, {points: 40, batchSize: 6, ...quiet}));
    const names = ['original', ...concepts.map((_, j) => `d${j + 1}`)];
    assert.equal(found.rows.length, 40 * names.length * concepts.length);
    let ruled = 0; // curves whose bandwidth is the rule's, not the step
    concepts.forEach((classes) => {
      const concept = classes.map((label) => `class ${label}`).join(' + ');
      [split.original, ...split.parts].forEach((kernel, n) => {
        const sums = slow.filter(({label}) => classes.includes(label)).map(({output}) => positiveSum(output(kernel)));
        const curve = found.curves.find((one) => one.concept === concept && one.channel === names[n])!;
        const ascending = (values: number[]) => [...values].sort((a, b) => a - b);
        ascending(curve.activations).forEach((value, at) =>
          assert.ok(Math.abs(value - ascending(sums)[at]) < 1e-3 * Math.max(1, value)),
        );
        assert.ok(Math.abs(curve.mean - meanOf(sums)) < 1e-3 * Math.max(1, curve.mean));
        assert.equal(curve.zeroShare, meanOf(sums.map((value) => Number(Math.abs(value) < 1e-6))));
        const rows = found.rows.filter((row) => row.concept === concept && row.channel === names[n]);
        assert.equal(rows[0].activation, 0);
        const step = rows[1].activation;
        const bandwidth = slowBandwidth(curve.activations);
        if (bandwidth > step) assert.ok(Math.abs(curve.bandwidth - bandwidth) < 1e-9 * bandwidth);
        else assert.ok(curve.bandwidth <= step && curve.bandwidth > 0.8 * step, `${curve.bandwidth}, step ${step}`);
        ruled += Number(bandwidth > step);
        const last = rows[rows.length - 1].activation;
        assert.ok(last >= Math.max(...curve.activations) + 2.999 * curve.bandwidth, 'the curve is there to its end');
        const area = slowArea(rows);
        assert.ok(Math.abs(area - 1) < 0.005, `${concept}, ${names[n]}: area ${area}`);
        for (const {activation, density} of rows) {
          const expected = slowDensity(curve.activations, curve.bandwidth, activation);
          assert.ok(Math.abs(density - expected) < 1e-6 * Math.max(1, expected), `${density} instead of ${expected}`);
        }
      });
    });
    assert.ok(ruled >= names.length, `${ruled} curves`);
  });
}

eachEngine(
  'each signed density is one call of kdeplot, as in the published code: area 1, three bandwidths beyond its own values',
  async () => {
    const about = SMALL_SPLITS[2];
    const network = STUDIED_LAYERS['a dilated 3×3 convolution'];
    const split = smallSplit(network, {...about, concepts: about.concepts.map((classes) => [...classes])});
    const images = smallImages(20);
    const {slow, dispose} = await slowImages(network, split, images);
    dispose();
    const options = {sums: 'signed', by: 'concept', points: 400, ...quiet} as const;
    const found = await keepsTensorCount(() => densities(split, images, options));
    const kernels = [split.original, ...split.parts];
    for (const {classes, classNames} of split.concepts) {
      const concept = classNames.join(' + ');
      const panel = found.rows.filter((row) => row.concept === concept);
      const channels = ['original', ...split.parts.map((_, j) => `d${j + 1}`)];
      const areas = channels.map((channel) => slowArea(panel.filter((row) => row.channel === channel)));
      areas.forEach((area) => assert.ok(Math.abs(area - 1) < 0.005, `areas ${areas.join(', ')}`));
      found.curves
        .filter((curve) => curve.concept === concept)
        .forEach(({channel, activations, bandwidth}, n) => {
          const own = slow
            .filter(({label}) => classes.includes(label))
            .map(({output}) => sumOf([...output(kernels[n])]));
          assert.ok(Math.abs(meanOf(activations) - meanOf(own)) < 1e-3 * Math.max(1, Math.abs(meanOf(own))), channel);
          const rows = panel.filter((row) => row.channel === channel);
          const reach = 3 * bandwidth;
          assert.ok(Math.abs(rows[0].activation - (Math.min(...activations) - reach)) < 1e-6 * Math.max(1, reach));
          assert.ok(
            Math.abs(rows[rows.length - 1].activation - (Math.max(...activations) + reach)) < 1e-6 * Math.max(1, reach),
          );
          for (const {activation, density} of rows) {
            assert.ok(Math.abs(density - slowSignedDensity(activations, activation)) < 1e-6, `${density}`);
          }
        });
    }
    assert.ok(found.curves.some(({activations}) => activations.some((value) => value < 0)));
  },
);

test("Scott's rule is the deviation over the fifth root of the number", () => {
  fc.assert(
    fc.property(fc.array(fc.double({min: -100, max: 100, noNaN: true}), {minLength: 2, maxLength: 40}), (values) => {
      const expected = slowScott(values);
      assert.ok(Math.abs(scottBandwidth(values) - expected) <= 1e-9 * Math.max(1, expected));
    }),
  );
});

test('the bandwidth is the reference rule, whatever the number and the shape of the values', () => {
  const positive = fc.array(fc.double({min: 0, max: 100, noNaN: true}), {minLength: 2, maxLength: 40});
  const withZeros = fc
    .tuple(positive, fc.nat(40))
    .map(([values, zeros]) => [...values, ...Array<number>(zeros).fill(0)]);
  fc.assert(
    fc.property(withZeros, (values) => {
      const [found, expected] = [referenceBandwidth(values), slowBandwidth(values)];
      assert.ok(Math.abs(found - expected) <= 1e-9 * Math.max(1, expected), `${found} instead of ${expected}`);
    }),
  );
  assert.equal(referenceBandwidth([3]), 0);
});

test('a part that no image excites has all of its density near zero', async () => {
  const split = smallSplit({kind: 'conv'});
  const silent = withParts(split, [split.parts[0].map(() => 0), split.original]);
  const found = await densities(silent, smallImages(16), {points: 64, ...quiet});
  const curve = found.curves.find(({channel}) => channel === 'd1')!;
  assert.equal(curve.zeroShare, 1);
  const rows = found.rows.filter(({channel, concept}) => channel === 'd1' && concept === curve.concept);
  assert.ok(rows.every(({density}) => Number.isFinite(density)));
  const area = slowArea(rows);
  assert.ok(Math.abs(area - 1) < 0.01, `area ${area}`);
  assert.ok(rows[6].density < 1e-6 * rows[0].density);
  assert.match(String(found), /d1, class 0 +4 +0\.00 +100\.0 %/);
});

test('too few points and a concept without images are refused', async () => {
  const split = smallSplit({kind: 'conv'});
  const refuses = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error: Error) => error instanceof InputError && message.test(error.message));
  await refuses(densities(split, smallImages(8), {points: 1, ...quiet}), /invalid number of points: 1/);
  const sums = 'all' as 'relu';
  await refuses(densities(split, smallImages(8), {sums, ...quiet}), /invalid sums: all; give relu or signed/);
  const some = subset(smallImages(8), {classes: [0, 3], classCount: 4});
  await refuses(densities(split, some, quiet), /have none of class 1/);
});
