import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {setTimeout as wait} from 'node:timers/promises';
import {withInterrupt} from '../../src/engine';

const untilAborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('stopped')));

test('the first interrupt aborts the running call, and its listener is gone afterwards', async () => {
  const before = process.listenerCount('SIGINT');
  const running = withInterrupt({}, untilAborted);
  await wait(5);
  assert.equal(process.listenerCount('SIGINT'), before + 1);
  process.emit('SIGINT');
  process.emit('SIGINT');
  assert.equal(process.listenerCount('SIGINT'), before + 1, 'a second one at once does not end the process');
  assert.equal(await running, 'stopped');
  assert.equal(process.listenerCount('SIGINT'), before);
});

test('SIGTERM and SIGHUP stop a call as Ctrl-C does, and the process ends with them afterwards', async () => {
  const module = JSON.stringify(path.resolve(__dirname, '../../src/engine/interrupt.ts'));
  const script = `import(${module}).then(({default: {withInterrupt}}) => {
    setInterval(() => {}, 1000);
    return withInterrupt({}, (signal) => new Promise((resolve) => {
      signal.addEventListener('abort', () => setTimeout(() => resolve(console.log('kept', signal.reason.signal)), 100));
      console.log('running');
    }));
  });`;
  for (const name of ['SIGTERM', 'SIGHUP'] as const) {
    const child = spawn(process.execPath, ['--import', require.resolve('tsx'), '-e', script]);
    let out = '';
    child.stdout.on('data', (data: Buffer) => {
      if (out === '' && data.toString().includes('running')) {
        child.kill(name);
        setTimeout(() => child.kill(name), 20);
      }
      out += data.toString();
    });
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    assert.equal(out, `running\nkept ${name}\n`);
    assert.equal(signal, name);
  }
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

test('loading the package adds no listener: in a notebook cell that is then interrupted it would end the kernel', (t) => {
  const built = path.resolve(__dirname, '..', '..', 'dist', 'index.js');
  if (!existsSync(built)) return t.skip('the package is not built');
  const count = "process.stdout.write(String(process.listenerCount('SIGINT')))";
  const script = `require(${JSON.stringify(built)}); ${count}`;
  assert.equal(execFileSync(process.execPath, ['-e', script], {encoding: 'utf8'}), '0');
});
