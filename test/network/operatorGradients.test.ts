import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {operatorOf} from '../../src/network/operators';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {fitting, OPERATOR_CASES} from '../reference/operatorCases';
import {values} from '../reference/operatorParts';
import {SLOW, sizeOf, type Values} from '../reference/slowOperators';

const RUNS = 12;
const STEP = 1e-6;

const float64 = (shape: number[], data: ArrayLike<number>): Values => ({shape, data: Float64Array.from(data)});

for (const [name, cases] of Object.entries(OPERATOR_CASES)) {
  eachEngine(`the gradient of ${name} by its inputs agrees with differences of plain loops`, async () => {
    const property = fc.asyncProperty(fitting(cases), fc.nat(), async ({node, inputs, range}, seed) => {
      const data = inputs.map((shape, at) => values(sizeOf(shape), seed + at, range));
      const weights = Object.fromEntries(node.weights.map((w) => [w.name, float64(w.shape, w.data)]));
      const slow = (moved: (at: number, i: number) => number) =>
        SLOW[name]!(
          inputs.map((shape, at) =>
            float64(
              shape,
              Float64Array.from(data[at]!, (value, i) => value + moved(at, i)),
            ),
          ),
          node.args,
          weights,
        );
      const y = slow(() => 0);
      if (!y.data.every(Number.isFinite)) return;
      const v = values(y.data.length, seed + 9);
      const directions = inputs.map((shape, at) => values(sizeOf(shape), seed + 20 + at));
      const weighted = (sign: number) =>
        slow((at, i) => sign * STEP * directions[at]![i]!).data.reduce((sum, value, i) => sum + value * v[i]!, 0);
      const expected = (weighted(1) - weighted(-1)) / (2 * STEP);
      const [actual, size] = await keepsTensorCount(() =>
        tf.tidy(() => {
          const tensors = Object.fromEntries(node.weights.map((w) => [w.name, tf.tensor(w.data, w.shape)]));
          const weighting = tf.tensor(v, y.shape);
          const f = (...xs: tf.Tensor[]) =>
            tf.sum(tf.mul(operatorOf(name).run(node, xs, tensors), weighting)) as tf.Scalar;
          const gradients = tf.grads(f)(inputs.map((shape, at) => tf.tensor(data[at]!, shape)));
          let [slope, square] = [0, 0];
          gradients.forEach((gradient, at) => {
            assert.deepEqual(gradient.shape, inputs[at]);
            (gradient.dataSync() as Float32Array).forEach((one, i) => {
              slope += one * directions[at]![i]!;
              square += one * one;
            });
          });
          return [slope, Math.sqrt(square)];
        }),
      );
      assert.ok(
        Math.abs(actual! - expected) <= 1e-3 * Math.max(size!, 0.05),
        `${actual}, not ${expected} (length ${size})`,
      );
    });
    await fc.assert(property, {numRuns: RUNS});
  });
}
