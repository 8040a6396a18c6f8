import assert from 'node:assert/strict';
import {test} from 'node:test';
import {backend} from '../../src/engine';
import {ablate, type SplitAblation} from '../../src/evaluate';
import {withoutPart} from '../../src/evaluate/ablate';
import {randomSplits} from '../../src/evaluate/randomSplit';
import {subset} from '../../src/images';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {meanOf, slowImages, sumOf, type SlowImage} from '../reference/evaluateSlowly';
import {CLASSES, smallImages, STUDIED_LAYERS} from '../reference/smallNetworks';
import {SMALL_SPLITS, smallSplit} from '../reference/smallSplits';

const quiet = {progress: false as const};

function close(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} instead of ${expected}`);
}

/** Change of the own logit, and of being on top, where the channel has this output instead. */
function slowChange({label, logits, output}: SlowImage, original: Float32Array, instead: Float64Array) {
  const [before, after] = [output(original), instead].map(logits);
  const onTop = (values: number[]) => Number(values.indexOf(Math.max(...values)) === label);
  return {logit: after[label] - before[label], accuracy: onTop(after) - onTop(before)};
}

let turn = 0;
for (const [what, network] of Object.entries(STUDIED_LAYERS)) {
  const about = SMALL_SPLITS[turn++ % SMALL_SPLITS.length];
  const concepts: number[][] = about.concepts.map((classes) => [...classes]);
  const k = concepts.length;
  eachEngine(`removing a concept changes what running the network without it changes: ${what}, k = ${k}`, async () => {
    const split = smallSplit(network, {...about, concepts});
    const images = smallImages(12);
    const {slow, dispose} = await slowImages(network, split, images);
    const options = {randomSplits: 2, seed: 5, batchSize: 5, ...quiet};
    const ablation = await keepsTensorCount(() => ablate(split, images, options));
    const silent = (image: SlowImage) => image.output(split.original).fill(split.bias);
    const without =
      ({parts, residue}: {parts: Float32Array[]; residue: Float32Array}, j: number) =>
      (image: SlowImage) => {
        // Z_c without what part j alone has: the other parts, and what all share once.
        const others = parts.filter((_, l) => l !== j).map((part) => image.output(part));
        const shared = image.output(residue);
        return shared.map((value, at) => sumOf(others.map((other) => other[at])) - (k - 2) * value);
      };
    const random = randomSplits(split, {count: 2, seed: 5});
    const changes = (of: SlowImage[], instead: (image: SlowImage) => Float64Array) =>
      of.map((image) => slowChange(image, split.original, instead(image)));
    assert.deepEqual(
      ablation.classes.map((row) => row.class),
      [0, 1, 2, 3],
    );
    for (const row of ablation.classes) {
      const own = slow.filter(({label}) => label === row.class);
      const expect = (found: {logit: number; accuracy: number}, all: {logit: number; accuracy: number}[]) => {
        close(found.logit, meanOf(all.map(({logit}) => logit)), 1e-4, `${row.className}: logit`);
        close(found.accuracy, meanOf(all.map(({accuracy}) => accuracy)), 1e-6, `${row.className}: accuracy`);
      };
      assert.equal(row.images, 3);
      assert.equal(
        row.concept,
        concepts.findIndex((classes) => classes.includes(row.class)),
      );
      expect(row.zeroed, changes(own, silent));
      row.removed.forEach((found, j) => expect(found, changes(own, without(split, j))));
      row.random.forEach((found, j) =>
        expect(
          found,
          random.flatMap((kernels) => changes(own, without(kernels, j))),
        ),
      );
    }
    const rest = [0, 1, 2, 3].filter((label) => !concepts.flat().includes(label));
    ablation.concepts.forEach((concept, j) => {
      const moved = (instead: (image: SlowImage) => Float64Array) =>
        meanOf(
          rest.map((label) => {
            const own = slow.filter((image) => image.label === label);
            return Math.abs(meanOf(changes(own, instead).map(({logit}) => logit)));
          }),
        );
      if (rest.length > 0) {
        const controls = random.map((kernels) => moved(without(kernels, j)));
        close(concept.rest.removed, moved(without(split, j)), 1e-4, `rest of concept ${j}`);
        close(concept.rest.zeroed, moved(silent), 1e-4, 'rest without the channel');
        close(concept.random.rest.mean, meanOf(controls), 1e-4, `control of the rest of concept ${j}`);
        close(concept.random.rest.interval[1], Math.max(...controls), 0.05 * Math.max(...controls), 'its range');
      } else assert.ok(Number.isNaN(concept.rest.removed) && Number.isNaN(concept.random.rest.mean));
      const inConcept = (l: number) => slow.filter(({label}) => concepts[l].includes(label));
      const total = (of: SlowImage[], instead: (image: SlowImage) => Float64Array) =>
        sumOf(changes(of, instead).map(({logit}) => logit));
      const others = concepts.flatMap((_, l) => (l === j ? [] : inConcept(l)));
      for (const [found, control, of] of [
        [concept.own, concept.random.own, inConcept(j)],
        [concept.other, concept.random.other, others],
      ] as const) {
        const whole = total(of, silent);
        const room = 1e-3 / Math.min(1, Math.abs(whole));
        close(found.mean, total(of, without(split, j)) / whole, room, `concept ${j}`);
        const controls = random.map((kernels) => total(of, without(kernels, j)) / whole);
        close(control.mean, meanOf(controls), room, `control of concept ${j}`);
      }
    });
    dispose();
  });
}

test('for two concepts, what remains without one is the other part', async () => {
  await backend();
  for (const ownership of ['hard', 'soft', 'free'] as const) {
    const split = smallSplit({kind: 'conv', size: 3}, {ownership});
    [0, 1].forEach((j) =>
      withoutPart(split.original, split, j).forEach((weight, at) =>
        assert.ok(Math.abs(weight - split.parts[1 - j][at]) < 1e-6),
      ),
    );
  }
});

test('the result reads as tables and is plain data', async () => {
  const split = smallSplit({kind: 'conv'});
  const ablation = await ablate(split, smallImages(16), {randomSplits: 2, ...quiet});
  const text = String(ablation);
  assert.match(text, /channel 2 of layer studied on 16 images of 4 classes/);
  assert.match(text, /concept removed +own classes +other concepts +random: own +random: other/);
  assert.match(text, /no channel +no class 0 +no class 1/);
  assert.match(
    text,
    /classes of no concept: their logits move by [\d.]+ without class 0 \(random splits: .+\).+ without the channel/,
  );
  const alone = String(await ablate(split, smallImages(16), {randomSplits: 0, ...quiet}));
  assert.match(alone, /classes of no concept: their logits move by [\d.]+ without class 0, .+ without the channel/);
  assert.doesNotMatch(alone, /random/);
  const written = JSON.parse(JSON.stringify(ablation)) as SplitAblation;
  assert.equal(written.classes[3].concept, -1);
  split.before.dispose();
});

test('a concept without images and a foolish number of controls are refused', async () => {
  const split = smallSplit({kind: 'conv'});
  const some = subset(smallImages(8), {classes: [1, 2], classCount: CLASSES});
  await assert.rejects(
    ablate(split, some, quiet),
    (error: Error) => error instanceof InputError && /have none of class 0/.test(error.message),
  );
  await assert.rejects(
    ablate(split, smallImages(8), {randomSplits: -1, ...quiet}),
    (error: Error) => error instanceof InputError && /invalid number of random splits: -1/.test(error.message),
  );
});
