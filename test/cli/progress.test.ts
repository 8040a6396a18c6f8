import assert from 'node:assert/strict';
import {test} from 'node:test';
import {terminalProgress} from '../../src/cli/progress';
import {startTask} from '../../src/common/progress';

/** What the work writes to a stderr that is no terminal. */
function written(work: () => void): string[] {
  const lines: string[] = [];
  const {write} = process.stderr;
  const {isTTY} = process.stderr;
  process.stderr.isTTY = false;
  process.stderr.write = ((line: string) => lines.push(line) > 0) as typeof write;
  try {
    work();
  } finally {
    process.stderr.write = write;
    process.stderr.isTTY = isTTY;
  }
  return lines;
}

test('off a terminal the last state is told once, with its outcome', (t) => {
  let now = 1_000_000;
  t.mock.method(Date, 'now', () => now);
  const lines = written(() => {
    const task = startTask({label: 'reading', total: 2, unit: 'images'}, terminalProgress());
    for (let i = 0; i < 2; i++) {
      now += 11_000;
      task.advance(1);
    }
    task.finish('done');
  });
  assert.deepEqual(lines, [
    'reading: 0 of 2 images, 0 s\n',
    'reading: 1 of 2 images, 11 s\n',
    'reading: 2 of 2 images, 22 s (done)\n',
  ]);
});

test('off a terminal one step is not counted', () => {
  const lines = written(() => startTask({label: 'waiting', total: 1, unit: 'set-up'}, terminalProgress()));
  assert.deepEqual(lines, ['waiting: 0 s\n']);
});
