import assert from 'node:assert/strict';
import {test, type TestContext} from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import {backend, type EngineName} from '../../src/engine';

/** Why an engine cannot be tested here, or undefined where it can. */
async function whyNot(engine: EngineName): Promise<string | undefined> {
  const forced = process.env['UNWEAVE_BACKEND'];
  if (forced && forced !== 'auto' && forced !== engine) return `UNWEAVE_BACKEND is ${forced}`;
  const choice = await backend({prefer: engine});
  return choice.name === engine ? undefined : `native TensorFlow is not available: ${choice.reason}`;
}

/**
 * Defines one test an engine; `run` finds the engine current. An engine that is not here is skipped with its reason.
 * Tests of one file run in order, so the engines do not mix.
 */
export function eachEngine(sentence: string, run: (t: TestContext, engine: EngineName) => Promise<void> | void): void {
  for (const engine of ['native', 'wasm'] as const) {
    test(`${sentence} (${engine})`, async (t) => {
      const reason = await whyNot(engine);
      if (reason) return t.skip(reason);
      await run(t, engine);
    });
  }
}

/** Runs `work` and asserts that it left as many tensors as it found. */
export async function keepsTensorCount<T>(work: () => Promise<T> | T): Promise<T> {
  const before = tf.memory().numTensors;
  const result = await work();
  assert.equal(tf.memory().numTensors, before, 'the number of tensors changed');
  return result;
}
