import assert from 'node:assert/strict';
import {test} from 'node:test';
import {evaluateSplit, type Fractions, type SplitEvaluation} from '../../src/evaluate';
import {randomSplits} from '../../src/evaluate/randomSplit';
import {imageFolder, subset} from '../../src/images';
import type {LabelledImages} from '../../src/images/types';
import {loadModel} from '../../src/formats/load';
import {InputError, InterruptError} from '../../src/common/errors';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';
import {makeSplit} from '../../src/split/split';
import type {Split} from '../../src/split/types';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {meanOf, slowImages, sumOf} from '../reference/evaluateSlowly';
import {DEFINITIONS, slowAuroc, slowFractions} from '../reference/fractionsSlowly';
import {sharedData, sharedJson} from '../reference/sharedData';
import {smallImages, STUDIED_LAYERS} from '../reference/smallNetworks';
import {relevantChannel, SMALL_SPLITS, smallSplit} from '../reference/smallSplits';

const quiet = {progress: false as const};
const TAU = 0.05;

function close(actual: number, expected: number, tolerance: number, what: string): void {
  const same = Number.isNaN(expected) ? Number.isNaN(actual) : Math.abs(actual - expected) <= tolerance;
  assert.ok(same, `${what}: ${actual} instead of ${expected}`);
}

let turn = 0;
for (const [what, kind] of Object.entries(STUDIED_LAYERS)) {
  const about = SMALL_SPLITS[turn++ % SMALL_SPLITS.length];
  const concepts: number[][] = about.concepts.map((classes) => [...classes]);
  eachEngine(
    `every figure agrees with its definition: ${what}, ${concepts.length} concepts, ${about.ownership}`,
    async () => {
      const images = smallImages(24);
      const {network, channel} = await relevantChannel(kind, concepts, images, 2 * TAU);
      const split = smallSplit(network, {...about, concepts, channel});
      const {slow, dispose} = await slowImages(network, split, images);
      const options = {tau: TAU, batchSize: 5, randomSplits: 3, seed: 11, ...quiet};
      const evaluation = await keepsTensorCount(() => evaluateSplit(split, images, options));
      const random = randomSplits(split, {count: 3, seed: 11});
      const all = concepts.flat();
      concepts.forEach((classes, j) => {
        const found = evaluation.concepts[j];
        for (const [name, how] of Object.entries(DEFINITIONS)) {
          const fractions: Fractions = found[name as keyof typeof DEFINITIONS];
          const expected = slowFractions(slow, split, split, {classes, tau: TAU, how});
          const scale = 2e-4 * Math.max(1, ...expected.parts.map(Math.abs), Math.abs(expected.residue));
          assert.equal(fractions.images, expected.images, `${name}: images`);
          expected.parts.forEach((value, i) => close(fractions.parts[i], value, scale, `${name}: part ${i}`));
          close(fractions.residue, expected.residue, scale, `${name}: residue`);
          assert.deepEqual([fractions.d1, fractions.d2], fractions.parts.slice(0, 2));
          const controls = random.map((kernels) => slowFractions(slow, split, kernels, {classes, tau: TAU, how}));
          concepts.forEach((_, i) => {
            const values = controls.map(({parts}) => parts[i]);
            const room = 2e-4 * Math.max(1, ...values.map(Math.abs));
            close(fractions.random.parts[i].mean, meanOf(values), room, `${name}: random part ${i}`);
          });
        }
        close(found.auroc.original, slowAuroc(slow, split.original, classes, all), 1e-9, 'AUROC of the original');
        split.parts.forEach((part, i) =>
          close(found.auroc.parts[i], slowAuroc(slow, part, classes, all), 1e-9, `AUROC of part ${i}`),
        );
      });
      assert.equal(evaluation.top1.before, evaluation.top1.after);
      const hits = slow.filter(({label, logits, output}) => {
        const values = logits(output(split.original));
        return all.includes(label) && values.indexOf(Math.max(...values)) === label;
      });
      close(evaluation.top1.before, hits.length / evaluation.images, 1e-12, 'top-1');
      dispose();
    },
  );
}

eachEngine('published fractions minus the residue add up to 1', async () => {
  for (const about of SMALL_SPLITS) {
    const concepts = about.concepts.map((classes) => [...classes]);
    const images = smallImages(24);
    const {network, channel} = await relevantChannel({kind: 'conv', size: 3, bias: true}, concepts, images, 2 * TAU);
    const split = smallSplit(network, {...about, concepts, channel});
    const evaluation = await evaluateSplit(split, images, {tau: TAU, ...quiet});
    for (const {published} of evaluation.concepts) {
      const scale = Math.max(1, ...published.parts.map(Math.abs));
      const total = (parts: number[], residue: number) => sumOf(parts) - (concepts.length - 1) * residue;
      close(total(published.parts, published.residue), 1, 1e-4 * scale, 'the split');
      const {parts, residue} = published.random;
      close(
        total(
          parts.map(({mean}) => mean),
          residue.mean,
        ),
        1,
        1e-3 * scale,
        'random splits',
      );
    }
  }
});

/** A split of a channel that matters for images of every concept. */
async function soundSplit(concepts: number[][], images: LabelledImages): Promise<Split> {
  const {network, channel} = await relevantChannel({kind: 'conv'}, concepts, images, 2 * TAU);
  return smallSplit(network, {concepts, channel});
}

test('the result is plain data with the fields that a program reads, and a table for a reader', async () => {
  const images = smallImages(24);
  const split = await soundSplit([[0], [1], [2]], images);
  const evaluation = await evaluateSplit(split, images, {tau: TAU, randomSplits: 2, ...quiet});
  const written = JSON.parse(JSON.stringify(evaluation)) as SplitEvaluation;
  assert.equal(written.concepts.length, 3);
  for (const concept of written.concepts) {
    for (const {images, d1, d2, residue, parts} of [concept.published, concept.positive]) {
      assert.ok(images > 0);
      assert.deepEqual([d1, d2], parts.slice(0, 2));
      assert.equal(parts.length, 3);
      assert.equal(typeof residue, 'number');
    }
  }
  const text = String(evaluation);
  assert.match(text, /channel \d of layer studied, divided by rule random, on 18 images/);
  assert.match(text, /class 1\n +images +part 1 +part 2 \(own\) +part 3 +residue/);
  assert.match(text, /warning: only \d images of class 0 reach τ/);
});

test('τ is 2 / channels where a layer has so few that 0.03 says nothing, and the spread stands in the table', async () => {
  const images = smallImages(24);
  const outputs = (split: Split) => split.before.layers().find(({name}) => name === split.layer)?.kernel[3] ?? 0;
  const {network, channel} = await relevantChannel({kind: 'conv'}, [[0], [1]], images, 0.3);
  const split = smallSplit(network, {channel});
  const evaluation = await evaluateSplit(split, images, {randomSplits: 1, ...quiet});
  assert.equal(evaluation.tau, 2 / outputs(split));
  assert.ok(evaluation.tau > 0.03);
  assert.ok(evaluation.warnings.every((warning) => !warning.includes('channels')));
  const low = await evaluateSplit(split, images, {tau: 0.03, randomSplits: 0, ...quiet});
  assert.match(low.warnings[0], /tau 0\.03 is small for \d+ channels/);
  const {std: deviation} = evaluation.concepts[0].positive.summary.residue;
  assert.ok(String(evaluation).includes(` ± ${deviation.toFixed(2)} [`));
});

test('without random splits there is no control, and nothing else changes', async () => {
  const images = smallImages(16);
  const split = await soundSplit([[0], [1]], images);
  const control = await evaluateSplit(split, images, {tau: TAU, randomSplits: 3, ...quiet});
  const without = await evaluateSplit(split, images, {tau: TAU, randomSplits: 0, ...quiet});
  assert.deepEqual(
    without.concepts.map(({published, auroc}) => [published.summary, auroc.parts]),
    control.concepts.map(({published, auroc}) => [published.summary, auroc.parts]),
  );
  assert.match(String(control), /random splits/);
  assert.doesNotMatch(String(without), /random splits/);
});

test('a second split of a layer is evaluated in the network that the first one made', async () => {
  const images = smallImages(16);
  const second = await soundSplit([[0], [1]], images);
  const {seed} = (await relevantChannel({kind: 'conv'}, [[0], [1]], images, 2 * TAU)).network;
  const first = smallSplit({kind: 'conv', seed}, {channel: (second.channel + 1) % 6});
  const inTurn = makeSplit({...second, before: first.model});
  const [alone, after] = [
    await evaluateSplit(second, images, {tau: 1e-6, randomSplits: 1, ...quiet}),
    await evaluateSplit(inTurn, images, {tau: 1e-6, randomSplits: 1, ...quiet}),
  ];
  assert.deepEqual(after.top1, alone.top1);
  after.concepts.forEach(({auroc}, j) => assert.deepEqual(auroc, alone.concepts[j].auroc));
  after.concepts.forEach(({positive}, j) =>
    positive.parts.forEach((part, i) => close(part, alone.concepts[j].positive.parts[i], 1e-4, `part ${i}`)),
  );
  first.dispose();
});

test('what cannot be evaluated is refused with a reason', async () => {
  const images = smallImages(16);
  const split = await soundSplit([[0], [1]], images);
  const refuses = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error: Error) => error instanceof InputError && message.test(error.message));
  const without1 = subset(images, {classes: [0, 2, 3], classCount: 4});
  await refuses(evaluateSplit(split, without1, quiet), /have none of class 1; give images/);
  await refuses(
    evaluateSplit(split, images, {tau: 1, ...quiet}),
    /share of at least τ 1 in none of the 4 images of class 0; the highest share is 0\.\d+\./,
  );
  await refuses(evaluateSplit(split, images, {tau: 0, ...quiet}), /invalid tau: 0/);
  await refuses(evaluateSplit(split, images, {randomSplits: 1.5, ...quiet}), /invalid number of random splits: 1.5/);
  await refuses(evaluateSplit(split, images, {seed: NaN, ...quiet}), /invalid seed: NaN/);
  await refuses(evaluateSplit(split, images, {batchSize: 0, ...quiet}), /invalid batch size: 0/);
});

test('an evaluation stops at the next batch when it is told to', async () => {
  const controller = new AbortController();
  await keepsTensorCount(async () => {
    const split = smallSplit({kind: 'conv'});
    const work = evaluateSplit(split, smallImages(32), {
      batchSize: 2,
      signal: controller.signal,
      progress: ({done}) => done >= 4 && controller.abort(),
    });
    await assert.rejects(
      work,
      (error: Error) => error instanceof InterruptError && /: interrupted after \d+ of 16 images$/.test(error.message),
    );
  });
});

interface Reference {
  layer: string;
  tau: number;
  splits: {
    channel: number;
    classes: number[];
    rho: number;
    fractions: Record<'published' | 'positive', {images: number; d1: number; d2: number; residue: number}>[];
  }[];
}

eachEngine(
  'the published and positive fractions of a CIFAR network are those of the published procedure',
  async (t) => {
    const file = sharedData(t, 'models/resnet20-12fca82f.th');
    const reference = sharedJson<Reference>(t, 'reference/resnet20-layer3.2.conv2.json');
    if (!file || !reference) return;
    const [train, heldOut] = await Promise.all(
      ['train', 'test'].map((part) => imageFolder(sharedData(t, 'cifar10', part) as string)),
    );
    const model = await loadModel(file, {arch: 'resnet20', preset: 'cifar'});
    // The statistics of the classes concerned are the same without the others' images.
    const classes = [...new Set(reference.splits.flatMap((split) => split.classes))];
    const seen = subset(train, {classes, classCount: 10});
    const stats = await collectRelevance(model, seen, {layer: reference.layer, ...quiet});
    for (const {channel, classes: pair, rho, fractions} of reference.splits) {
      const split = await disentangle(model, stats, {channel, concepts: pair}, {rho, ...quiet});
      const evaluation = await keepsTensorCount(() =>
        evaluateSplit(split, heldOut, {tau: reference.tau, randomSplits: 0, ...quiet}),
      );
      fractions.forEach((expected, j) => {
        for (const definition of ['published', 'positive'] as const) {
          const found = evaluation.concepts[j][definition];
          assert.equal(found.images, expected[definition].images);
          for (const figure of ['d1', 'd2', 'residue'] as const) {
            const where = `channel ${channel}, class ${pair[j]}, ${definition} ${figure}`;
            close(found[figure], expected[definition][figure], 2e-3, where);
          }
        }
      });
    }
    model.dispose();
  },
);
