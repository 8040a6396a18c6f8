import {setImmediate as nextTurn} from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import {InputError, InterruptError} from '../common/errors';
import {numberText} from '../common/numbers';
import {startTask, type LongCallOptions} from '../common/progress';
import {shuffle, type Random} from '../common/random';
import {ensureBackend} from './choose';

const WARM_UP_STEPS = 100;

export interface TrainingOptions extends LongCallOptions {
  /** Names the bar. */
  label: string;
  /** Images to train on; each epoch sees them in an order of its own, without the last ones that do not fill a batch. */
  count: number;
  batch: number;
  epochs: number;
  /** The highest learning rate: it is warmed up over 100 steps and then lowered along half a cosine to 0. */
  learningRate: number;
  optimizer: tf.Optimizer;
  /** Of the images' order. */
  random: Random;
  /** One step on the images of these indices. @returns the loss */
  step(chosen: Int32Array): number | Promise<number>;
}

/** @throws InputError on WebAssembly, which lacks the gradient of a convolution's kernel */
export async function engineForTraining(): Promise<void> {
  const engine = await ensureBackend();
  if (engine.name === 'wasm') {
    throw new InputError(
      `training needs native TensorFlow, but the engine is ${engine}; "npx unweave setup" installs it`,
    );
  }
}

/**
 * Runs the steps of a training, with a bar. The same seed gives the same weights as far as the engine adds in the same order.
 * @throws InterruptError where the signal aborts it
 */
export async function train(options: TrainingOptions): Promise<void> {
  const {label, count, batch, epochs, learningRate, optimizer, random, progress, signal} = options;
  const perEpoch = Math.floor(count / batch);
  const steps = epochs * perEpoch;
  const task = startTask({label, total: steps, unit: 'steps'}, progress);
  const order = Int32Array.from({length: count}, (_, i) => i);
  try {
    for (let step = 0; step < steps; step++) {
      const at = step % perEpoch;
      if (at === 0) shuffle(order, random.integer);
      setLearningRate(optimizer, learningRate * schedule(step, steps));
      const loss = await options.step(order.subarray(at * batch, (at + 1) * batch));
      if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} at step ${step}`);
      task.advance(1, {note: `loss ${numberText(loss)}`});
      if (signal?.aborted)
        throw new InterruptError(`training stopped at step ${step + 1} of ${steps}; nothing was kept`);
      await nextTurn(); // lets an interrupt and the bar in
    }
    task.finish('done');
  } catch (error) {
    task.finish(error instanceof InterruptError ? 'interrupted' : 'failed');
    throw error;
  }
}

/** Share of the highest learning rate at a step. */
function schedule(step: number, steps: number): number {
  return Math.min(1, (step + 1) / WARM_UP_STEPS) * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
}

/** tfjs has no schedules, but its optimizers read this field at every step. */
function setLearningRate(optimizer: tf.Optimizer, value: number): void {
  (optimizer as unknown as {learningRate: number}).learningRate = value;
}
