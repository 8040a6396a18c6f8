import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  channel,
  DivergedError,
  diversity,
  jitter,
  logit,
  neuron,
  plus,
  visualizeFeature,
  type Objective,
  type VisualizeOptions,
} from '../../src/features';
import {ensureBackend} from '../../src/engine';
import {makeModel} from '../../src/network/model';
import type {Model} from '../../src/network/types';
import {InputError} from '../../src/common/errors';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {smallModel, type SmallNetwork} from '../reference/smallNetworks';

const QUICK = {steps: 20, progress: false, previewEvery: 5} as const;
const small = (options: Partial<SmallNetwork> = {}) => smallModel({kind: 'conv', size: 3, ...options});

test('invalid options are refused before anything runs', async () => {
  await ensureBackend();
  const model = small();
  const dense = small({kind: 'dense'});
  const bare = makeModel(model.graph, {name: 'bare'});
  const cases: [Model, VisualizeOptions, RegExp][] = [
    [model, {steps: 0}, /invalid steps: 0; it is a whole number from 1/],
    [model, {batch: 1.5}, /invalid batch: 1.5/],
    [model, {views: NaN}, /invalid views: NaN/],
    [model, {previewEvery: 0}, /invalid previewEvery: 0/],
    [model, {learningRate: 0}, /invalid learningRate: 0; it is a number above 0/],
    [model, {seed: 0.5}, /invalid seed: 0.5/],
    [model, {size: 0}, /invalid size: 0; it is a whole number of pixels/],
    [model, {size: [9, 9, 9] as never}, /invalid size: \[9,9,9\]/],
    [model, {transforms: [jitter(99)]}, /invalid transform jitter: 99/],
    [model, {preset: 'none'}, /no preset "none"/],
    [bare, {}, /no preprocessing is known for model bare; give a preset/],
    [dense, {size: 12}, /size 12 × 12 does not fit model small: .* leave size out for 9 × 9/],
  ];
  await keepsTensorCount(async () => {
    for (const [network, options, message] of cases) {
      await assert.rejects(
        visualizeFeature(network, logit(0), {...QUICK, ...options}),
        (error) => error instanceof InputError && message.test(error.message),
        String(message),
      );
    }
    const unreal: [Objective, VisualizeOptions, RegExp][] = [
      [undefined as never, {}, /unknown objective undefined; objectives are made by channel, /],
      ['logit' as never, {}, /unknown objective "logit"; objectives are made by channel, /],
      [plus(logit(0), diversity('studied')), {}, /diversity compares the images of a batch, and there is 1; .* batch/],
    ];
    for (const [objective, options, message] of unreal) {
      await assert.rejects(
        visualizeFeature(model, objective, {...QUICK, ...options}),
        (error) => error instanceof InputError && message.test(error.message),
        String(message),
      );
    }
    assert.throws(() => plus(logit(0), undefined as never), /unknown objective undefined; .* a number serves too/);
    await assert.rejects(visualizeFeature(model, channel('conv9', 0), QUICK), /no layer "conv9"/);
    await assert.rejects(visualizeFeature(model, channel('studied', 77), QUICK), /layer studied has channels 0 to 5/);
    for (const one of [model, dense, bare]) one.dispose();
  });
});

eachEngine('a size at which a map would be empty is refused, whatever the objective looks at', async () => {
  const model = small({padding: 'valid'});
  await keepsTensorCount(async () => {
    for (const objective of [logit(0), channel('studied', 0), neuron('studied_bn', 0), diversity('studied')]) {
      for (const size of [1, 2, [9, 2]] as const) {
        await assert.rejects(visualizeFeature(model, objective, {...QUICK, batch: 2, size}), (error: Error) => {
          assert.ok(error instanceof InputError && !(error instanceof DivergedError), String(error));
          assert.match(
            error.message,
            /^size \d × \d is too small for model small: the output of layer studied would be empty; .* for 9 × 9$/,
          );
          return true;
        });
      }
    }
    const {value} = await visualizeFeature(model, channel('studied', 0), {...QUICK, size: 3});
    assert.ok(Number.isFinite(value));
    model.dispose();
  });
});

eachEngine('an objective that fails on the images leaves no tensor', async () => {
  const model = small();
  await keepsTensorCount(async () => {
    await assert.rejects(
      visualizeFeature(model, neuron('studied', 0, [99, 0]), QUICK),
      (error) => error instanceof InputError && /invalid row: 99/.test(error.message),
    );
    model.dispose();
  });
});
