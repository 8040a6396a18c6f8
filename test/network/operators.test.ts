import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {OPERATORS, operatorOf} from '../../src/network/operators';
import {eachEngine, keepsTensorCount} from '../reference/engines';
import {fitting, OPERATOR_CASES} from '../reference/operatorCases';
import {values} from '../reference/operatorParts';
import {SLOW, sizeOf, type Values} from '../reference/slowOperators';

const RUNS = 40;

const float64 = (shape: number[], data: ArrayLike<number>): Values => ({shape, data: Float64Array.from(data)});

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: size`);
  let scale = 1;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= 2e-5 * scale, `${what}[${i}]: ${actual[i]}, not ${expected[i]}`);
  }
}

test('every operator has cases and a slow twin', () => {
  const computed = [...OPERATORS.keys()].filter((name) => name !== 'InputLayer' && name !== 'Constant');
  assert.deepEqual(Object.keys(OPERATOR_CASES).sort(), computed.sort());
  assert.deepEqual(Object.keys(SLOW).sort(), computed);
});

for (const [name, cases] of Object.entries(OPERATOR_CASES)) {
  eachEngine(`${name} and its output shape agree with plain loops`, async () => {
    const property = fc.asyncProperty(fitting(cases), fc.nat(), async ({node, inputs, range}, seed) => {
      const data = inputs.map((shape, at) => values(sizeOf(shape), seed + at, range));
      const weights = Object.fromEntries(node.weights.map((w) => [w.name, float64(w.shape, w.data)]));
      const expected = SLOW[name]!(
        inputs.map((shape, at) => float64(shape, data[at]!)),
        node.args,
        weights,
      );
      const {shape, run} = operatorOf(name);
      const predicted = shape(
        node,
        inputs.map(([, ...rest]) => rest),
      );
      assert.deepEqual(predicted, expected.shape.slice(1), 'the shape that is predicted');
      const actual = await keepsTensorCount(() =>
        tf.tidy(() => {
          const tensors = Object.fromEntries(node.weights.map((w) => [w.name, tf.tensor(w.data, w.shape)]));
          const output = run(
            node,
            inputs.map((own, at) => tf.tensor(data[at]!, own)),
            tensors,
          );
          assert.deepEqual(output.shape.slice(1), predicted, 'the shape that is computed');
          return output.dataSync();
        }),
      );
      assertClose(actual, expected.data, name);
    });
    await fc.assert(property, {numRuns: RUNS});
  });
}
