import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import {
  channel,
  DivergedError,
  diversity,
  fourier,
  logit,
  pixels,
  plus,
  rotate,
  times,
  visualizeFeature,
  visualizeSplit,
  type FeaturePreview,
  type Parametrisation,
  type VisualizeOptions,
} from '../../src/features';
import {numberText} from '../../src/common/numbers';
import {objectiveOn} from '../../src/features/objectiveOn';
import type {Model} from '../../src/network/types';
import {InputError} from '../../src/common/errors';
import type {ProgressState} from '../../src/common/progress';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {SIDE, smallModel, type SmallNetwork} from '../reference/smallNetworks';
import {smallSplit} from '../reference/smallSplits';

const QUICK = {steps: 20, progress: false, previewEvery: 5} as const;
const small = (options: Partial<SmallNetwork> = {}) => smallModel({kind: 'conv', size: 3, ...options});

/** The objective on finished pixels. */
function valueOn(model: Model, objective: Parameters<typeof objectiveOn>[1], data: Uint8Array): number {
  const network = objectiveOn(model, objective);
  try {
    return tf.tidy(() => {
      const x = tf.tensor4d(
        Float32Array.from(data, (v) => (v / 255 - 0.5) / 0.5),
        [1, SIDE, SIDE, 3],
      );
      return network.value(x).dataSync()[0]!;
    });
  } finally {
    network.dispose();
  }
}

eachEngine('an image is found that the network answers to, the same for the same seed', async () => {
  const model = small();
  await keepsTensorCount(async () => {
    const first = await visualizeFeature(model, logit(0), QUICK);
    assert.equal(first.steps, 20);
    assert.equal(first.history.length, 20);
    assert.deepEqual(
      first.looks.map(({step}) => step),
      [0, 5, 10, 15, 20],
    );
    const best = Math.max(...first.looks.map(({value}) => value));
    assert.equal(first.value, best);
    assert.ok(first.value > first.looks[0]!.value + 0.1, `from ${first.looks[0]!.value} to ${first.value}`);
    assert.deepEqual([first.image.width, first.image.height, first.image.data.length], [SIDE, SIDE, SIDE * SIDE * 3]);
    const measured = valueOn(model, logit(0), first.image.data);
    assert.ok(Math.abs(measured - first.value) < 0.01, `the picture has it: ${measured}, ${first.value}`);

    const again = await visualizeFeature(model, logit(0), QUICK);
    assert.deepEqual([again.image.data, again.history], [first.image.data, first.history]);
    const other = await visualizeFeature(model, logit(0), {...QUICK, seed: 1});
    assert.notDeepEqual(other.image.data, first.image.data);
    model.dispose();
  });
});

eachEngine('batches, views, pixels, other sizes and grey networks work', async () => {
  const model = small();
  const cases: [VisualizeOptions, number, number][] = [
    [{batch: 3, views: 2}, 3, SIDE * SIDE],
    [{parametrisation: pixels(), transforms: []}, 1, SIDE * SIDE],
    [{size: 12}, 1, 144],
    [{size: [7, 12], transforms: [rotate(10)]}, 1, 84],
    [{parametrisation: fourier({falloff: 2, decorrelate: false}), learningRate: 0.01}, 1, SIDE * SIDE],
  ];
  await keepsTensorCount(async () => {
    for (const [options, count, size] of cases) {
      const {images, value, looks} = await visualizeFeature(model, channel('studied', 0), {...QUICK, ...options});
      assert.deepEqual(
        images.map(({data}) => data.length),
        Array<number>(count).fill(3 * size),
      );
      assert.ok(value > looks[0]!.value, JSON.stringify(options));
    }
    model.dispose();
  });
});

eachEngine('a diversity term makes the images of a batch less alike', async () => {
  const model = small();
  await keepsTensorCount(async () => {
    const options = {...QUICK, batch: 3, transforms: [], steps: 40};
    const alike = await visualizeFeature(model, channel('studied', 0), options);
    const unlike = await visualizeFeature(model, plus(channel('studied', 0), times(20, diversity('studied'))), options);
    const difference = ({images}: typeof alike) =>
      images[0]!.data.reduce((sum, v, i) => sum + Math.abs(v - images[1]!.data[i]!), 0);
    assert.ok(difference(unlike) > difference(alike));
    model.dispose();
  });
});

eachEngine('progress and pictures are reported on the way', async () => {
  const model = small();
  const states: ProgressState[] = [];
  const previews: FeaturePreview[] = [];
  const shown = await keepsTensorCount(() =>
    visualizeFeature(model, logit(0), {
      ...QUICK,
      progress: (state) => states.push(state),
      onStep: (preview) => previews.push(preview),
    }),
  );
  assert.deepEqual(
    previews.map(({step}) => step),
    [0, 5, 10, 15, 20],
  );
  assert.ok(
    previews.every(({steps, text, images}) => steps === 20 && text === 'logit of class 0' && images.length === 1),
  );
  assert.deepEqual(
    previews.find(({value}) => value === shown.value)!.images[0],
    shown.image,
    'the best picture that was shown is the one returned',
  );
  assert.equal(states[0]!.label, 'visualising logit of class 0');
  assert.match(states[5]!.note!, /^objective [−-]?[\d.e-]+$/);
  assert.deepEqual([states[states.length - 1]!.outcome, states[states.length - 1]!.done], ['done', 20]);
  assert.equal(states[states.length - 1]!.note, `best ${numberText(shown.value)}`);
  assert.match(String(shown), /^logit of class 0 in small: [−\d.]+, 9 × 9 pixels, seed 0, 20 steps in [\d.]+ s$/);
  assert.deepEqual(structuredClone({...shown}), {...shown}, 'plain data');
  model.dispose();
});

eachEngine('an interrupted optimisation returns the best image so far', async () => {
  const model = small();
  const controller = new AbortController();
  const states: ProgressState[] = [];
  const stopAtSeven = (state: ProgressState) => {
    states.push(state);
    if (state.done === 7) controller.abort();
  };
  const shown = await keepsTensorCount(() =>
    visualizeFeature(model, logit(0), {...QUICK, progress: stopAtSeven, signal: controller.signal}),
  );
  assert.equal(shown.interrupted, true);
  assert.equal(shown.steps, 7);
  assert.deepEqual(
    shown.looks.map(({step}) => step),
    [0, 5, 7],
  );
  assert.equal(shown.value, Math.max(...shown.looks.map(({value}) => value)));
  assert.ok(shown.value > shown.looks[0]!.value);
  assert.equal(states[states.length - 1]!.outcome, 'interrupted');
  assert.match(String(shown), /, interrupted$/);

  const before = await keepsTensorCount(() =>
    visualizeFeature(model, logit(0), {...QUICK, signal: AbortSignal.abort()}),
  );
  assert.deepEqual([before.steps, before.interrupted, before.images.length], [0, true, 1]);
  model.dispose();
});

/** Images that are no numbers from a certain look on. */
function breaking(after: number): Parametrisation {
  const whole = fourier();
  return {
    name: 'breaking',
    start(shape, random) {
      const parametrised = whole.start(shape, random);
      let calls = 0;
      return {...parametrised, images: () => tf.tidy(() => tf.mul(parametrised.images(), calls++ < after ? 1 : NaN))};
    },
  };
}

eachEngine('an objective that is no number ends the call, which names the step and keeps the best image', async () => {
  const model = small();
  const states: ProgressState[] = [];
  await keepsTensorCount(async () => {
    const options = {...QUICK, parametrisation: breaking(9), progress: (state: ProgressState) => states.push(state)};
    await assert.rejects(visualizeFeature(model, logit(0), options), (error) => {
      assert.ok(error instanceof DivergedError && error instanceof InputError);
      // Looks at 0 and 5 and seven steps are nine images.
      assert.match(
        error.message,
        /the objective "logit of class 0" is not a finite number at step 8; lower learningRate \(0.05\)/,
      );
      assert.equal(error.step, 8);
      assert.deepEqual([error.best!.steps, error.best!.looks.length, error.best!.images.length], [7, 2, 1]);
      return true;
    });
    assert.equal(states[states.length - 1]!.outcome, 'failed');
    const endless = times(1e38, plus(logit(0), 1e38));
    await assert.rejects(visualizeFeature(model, endless, QUICK), (error) => {
      assert.ok(error instanceof DivergedError && error.best === undefined);
      assert.match(error.message, /not a finite number at step 1; it is so on the first image already/);
      return true;
    });
    model.dispose();
  });
});

eachEngine('a split is visualised whole, part by part, and as far as an interrupt let it', async () => {
  const split = smallSplit({kind: 'conv', size: 3}, {concepts: [[0], [1], [2]]});
  await keepsTensorCount(async () => {
    const states: ProgressState[] = [];
    const shown = await visualizeSplit(split, {...QUICK, residue: true, progress: (state) => states.push(state)});
    assert.equal(states.filter(({done}) => done === 0).length, 1, 'one task over all parts');
    assert.deepEqual(
      states
        .filter(({outcome}) => outcome !== 'running')
        .map(({done, total, note}) => [done, total, note?.split(', ').length]),
      [[100, 100, 5]],
    );
    assert.equal(shown.original.text, 'channel 2 of studied');
    assert.deepEqual(
      shown.parts.map(({text}) => text),
      [0, 1, 2].map((j) => `part ${j + 1} of channel 2 of studied (class ${j})`),
    );
    assert.equal(shown.residue!.text, 'residue of channel 2 of studied');
    assert.equal(shown.interrupted, false);
    assert.equal(String(shown).split('\n').length, 5);
    const alone = await visualizeFeature(split.before, channel('studied', 2), QUICK);
    assert.deepEqual(shown.original.image.data, alone.image.data);

    const controller = new AbortController();
    const stop = ({text, step}: FeaturePreview) => {
      if (text.startsWith('part 2') && step === 10) controller.abort();
    };
    const stopped = await visualizeSplit(split, {...QUICK, onStep: stop, signal: controller.signal});
    assert.deepEqual([stopped.interrupted, stopped.parts.length, stopped.residue], [true, 2, undefined]);
    assert.deepEqual([stopped.parts[0]!.interrupted, stopped.parts[1]!.steps], [false, 10]);
    split.before.dispose();
  });
});
