import assert from 'node:assert/strict';
import {test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {withInterrupt} from '../../src/backend';

const untilAborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('stopped')));

test('the first interrupt aborts the running call, and its listener is gone afterwards', async () => {
  const before = process.listenerCount('SIGINT');
  const running = withInterrupt({}, untilAborted);
  await wait(5);
  assert.equal(process.listenerCount('SIGINT'), before + 1);
  process.emit('SIGINT');
  assert.equal(process.listenerCount('SIGINT'), before);
  assert.equal(await running, 'stopped');
});

test('a call that ends by itself, or fails at once, leaves no listener', async () => {
  const before = process.listenerCount('SIGINT');
  assert.equal(await withInterrupt({}, async () => 7), 7);
  await assert.rejects(
    withInterrupt({}, async () => {
      await wait(5);
      throw new Error('broken');
    }),
    /broken/,
  );
  await wait(5);
  assert.equal(process.listenerCount('SIGINT'), before);
});

test("the caller's own signal is used as it is", async () => {
  const controller = new AbortController();
  const before = process.listenerCount('SIGINT');
  const running = withInterrupt({signal: controller.signal}, untilAborted);
  await wait(5);
  assert.equal(process.listenerCount('SIGINT'), before);
  controller.abort();
  assert.equal(await running, 'stopped');
});
