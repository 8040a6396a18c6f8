import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import {eachEngine, keepsTensorCount} from '../reference/engines';

eachEngine("tfjs's fused convolution gives what its parts give, with every activation", async () => {
  await keepsTensorCount(() =>
    tf.tidy(() => {
      const x = tf.randomUniform([2, 7, 6, 4], -1, 1, 'float32', 1) as tf.Tensor4D;
      const filter = tf.randomUniform([3, 3, 4, 5], -1, 1, 'float32', 2) as tf.Tensor4D;
      const bias = tf.randomUniform([5], -1, 1, 'float32', 3);
      const sides = [
        [0, 0],
        [2, 0],
        [0, 1],
        [0, 0],
      ] as unknown as 'valid';
      for (const activation of ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const) {
        for (const pad of ['same', 'valid', sides] as ('same' | 'valid')[]) {
          const preluActivationWeights = activation === 'prelu' ? tf.fill([5], 0.3) : undefined;
          const shared = {x, filter, bias, strides: 2, pad, dataFormat: 'NHWC' as const};
          const fused = tf.fused.conv2d({...shared, activation, leakyreluAlpha: 0.2, preluActivationWeights});
          const z = tf.add(tf.conv2d(x, filter, 2, pad), bias);
          const parts = {
            linear: () => z,
            relu: () => tf.relu(z),
            relu6: () => tf.relu6(z),
            elu: () => tf.elu(z),
            sigmoid: () => tf.sigmoid(z),
            leakyrelu: () => tf.leakyRelu(z, 0.2),
            prelu: () => tf.prelu(z, tf.fill([5], 0.3)),
          }[activation]();
          assert.deepEqual(fused.shape, parts.shape);
          const apart = tf.max(tf.abs(tf.sub(fused, parts))).dataSync()[0]!;
          assert.ok(apart < 1e-5, `${activation}, ${pad}: ${apart}`);
        }
      }
      return [];
    }),
  );
});
