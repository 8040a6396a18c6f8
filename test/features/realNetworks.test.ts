import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import {channel, logit, visualizeFeature} from '../../src/features';
import {objectiveOn} from '../../src/features/objectiveOn';
import {loadModel} from '../../src/formats/load';
import {networkAtLayer} from '../../src/network/networkAtLayer';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {dot, finiteDifference} from '../reference/features';
import {between} from '../reference/seededWeights';
import {sharedData} from '../reference/sharedData';

const NETWORKS = [
  {file: 'resnet20-12fca82f.th', options: {arch: 'resnet20'}, layer: 'layer3.2.conv2', size: 32},
  {file: 'mobilenet_v1_0.75_224', options: {}, layer: 'conv_pw_13', size: 224},
];

for (const {file, options, layer, size} of NETWORKS) {
  eachEngine(`objectives and their gradients in ${file} are what the model computes`, async (t) => {
    const source = sharedData(t, 'models', file);
    if (source === undefined) return;
    const model = await loadModel(source, options);
    const shape: [number, number, number, number] = [1, size, size, 3];
    const image = between('image', size * size * 3, -1, 1);
    await keepsTensorCount(() => {
      const ofClass = objectiveOn(model, logit(7));
      const ofChannel = objectiveOn(model, channel(layer, 3));
      const network = networkAtLayer(model, layer);
      tf.tidy(() => {
        const x = tf.tensor4d(image, shape);
        const expected = model.logits(x).dataSync()[7]!;
        const near = (value: number, other: number) =>
          assert.ok(Math.abs(value - other) <= 1e-3 * Math.max(1, Math.abs(other)), `${value}, not ${other}`);
        near(ofClass.value(x).dataSync()[0]!, expected);
        const z = network.linear(network.trunk(x).input); // [1, H', W', Cout]
        near(ofChannel.value(x).dataSync()[0]!, tf.mean(tf.slice(z, [0, 0, 0, 3], [-1, -1, -1, 1])).dataSync()[0]!);

        const total = (images: tf.Tensor) => tf.sum(ofClass.value(images as tf.Tensor4D));
        const gradient = tf.grad(total)(x).dataSync();
        // Uphill, where float32 tells the difference from its own rounding.
        const length = Math.sqrt(dot(gradient, gradient));
        const uphill = Float32Array.from(gradient, (value) => value / length);
        const f = (moved: Float32Array) => tf.tidy(() => total(tf.tensor4d(moved, shape)).dataSync()[0]!);
        const difference = finiteDifference(f, image, uphill, 0.01);
        assert.ok(Math.abs(difference - length) < 0.1 * length, `${length}, but the logit rises by ${difference}`);
      });
      for (const built of [ofClass, ofChannel, network]) built.dispose();
      model.dispose();
    });
    const shown = await keepsTensorCount(() =>
      visualizeFeature(model, channel(layer, 3), {size: 32, steps: 24, previewEvery: 8, progress: false}),
    );
    assert.ok(shown.value > shown.looks[0]!.value);
  });
}
