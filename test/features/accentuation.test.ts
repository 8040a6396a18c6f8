import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {demo, DEMO_EXAMPLE} from '../../src/demo';
import {InputError} from '../../src/common/errors';
import {accentuation, channel, imageAt, visualizeFeature, type AccentuationOptions} from '../../src/features';
import {layerDistance} from '../../src/features/nearness';
import type {RgbImage} from '../../src/images/resize';
import {compileGraph} from '../../src/network/run';
import {seededRandom} from '../../src/common/random';
import {eachEngine, keepsTensorCount} from '../reference/engines';

const quiet = {progress: false as const};
const logOdds = (byte: number) => {
  const value = Math.min(0.99, Math.max(0.01, byte / 255));
  return Math.log(value / (1 - value));
};

eachEngine('an accentuated picture begins as itself, and no pixel moves by more than the strength', async () => {
  const picture = {data: Uint8Array.from({length: 6 * 5 * 3}, (_, i) => (37 * i) % 256), width: 5, height: 6};
  await keepsTensorCount(async () => {
    const parametrised = accentuation(picture, {strength: 0.5}).start([2, 6, 5, 3], seededRandom(1));
    const odds = async () => {
      const images = parametrised.images();
      const values = await images.data();
      images.dispose();
      return Array.from(values, (value) => Math.log(value / (1 - value)));
    };
    const before = await odds();
    before.forEach((value, i) => assert.ok(Math.abs(value - logOdds(picture.data[i % picture.data.length])) < 1e-3));
    const [waves] = parametrised.variables;
    const far = tf.fill(waves.shape, 5);
    waves.assign(far);
    far.dispose();
    const after = await odds();
    const moved = after.map((value, i) => Math.abs(value - before[i]));
    assert.ok(Math.max(...moved) <= 0.5 + 1e-3 && Math.max(...moved) > 0.1, String(Math.max(...moved)));
    parametrised.dispose();
  });
});

test('accentuation raises the objective of a picture of the list, and refuses one of another size', async () => {
  const {model, test: images} = await demo({testPerClass: 1});
  const size = [model.inputShape[0], model.inputShape[1]] as const;
  const picture = await imageAt(images, 3, size);
  const objective = channel(DEMO_EXAMPLE.layer, DEMO_EXAMPLE.channel);
  const options = {parametrisation: accentuation(picture), steps: 8, previewEvery: 4, ...quiet};
  const {looks, image} = await visualizeFeature(model, objective, options);
  assert.equal(looks[0].step, 0);
  assert.ok(looks[looks.length - 1].value > looks[0].value);
  assert.equal(image.data.length, picture.data.length);
  await assert.rejects(imageAt(images, 9999, size), /no image 9999 in .*; it has images 0 to \d+/);
  await assert.rejects(
    visualizeFeature(model, objective, {...options, parametrisation: accentuation({...picture, width: 3})}),
    (error: Error) => error instanceof InputError && /the picture has 3 × 48 pixels/.test(error.message),
  );
  model.dispose();
});

test('the distance to the picture at a layer is the relative length of the difference there, and keeps the picture', async () => {
  const {model, test: images} = await demo({testPerClass: 1});
  const size = [model.inputShape[0], model.inputShape[1]] as const;
  const [picture, other] = [await imageAt(images, 14, size), await imageAt(images, 3, size)];
  const distance = layerDistance(model, 'relu2', size);
  const layer = compileGraph(model.graph, {outputs: ['relu2']});
  const input = ({data}: RgbImage) =>
    tf.tensor4d(
      Float32Array.from(data, (value) => value / 255 - 0.5),
      [1, 48, 48, 3],
    );
  const seen = (tensor: tf.Tensor4D) => tf.tidy(() => layer.run(tensor)['relu2'].dataSync());
  const [a, b] = [input(picture), input(other)];
  const [ha, hb] = [seen(a), seen(b)];
  const length = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));
  const expected = length(ha.map((value, i) => value - hb[i])) / length(hb);
  const [actual] = tf.tidy(() => distance.value(a, b).dataSync());
  assert.ok(Math.abs(actual - expected) < 1e-4 * expected, `${actual}, not ${expected}`);

  const objective = channel(DEMO_EXAMPLE.layer, DEMO_EXAMPLE.channel);
  const far = async (options: AccentuationOptions) => {
    const shown = {parametrisation: accentuation(picture, options), steps: 12, previewEvery: 12, ...quiet};
    const changed = input((await visualizeFeature(model, objective, shown)).image);
    const [value] = tf.tidy(() => distance.value(changed, a).dataSync());
    changed.dispose();
    return value;
  };
  const [free, kept] = [await far({}), await far({layer: 'relu2', weight: 2})];
  assert.ok(kept < 0.6 * free, `${kept} with the layer, ${free} without`);
  await assert.rejects(far({layer: 'nowhere'}), /no layer "nowhere"; layers with weights: conv1/);
  tf.dispose([a, b]);
  distance.dispose();
  layer.dispose();
  model.dispose();
});
