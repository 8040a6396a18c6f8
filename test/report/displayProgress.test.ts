import assert from 'node:assert/strict';
import {test} from 'node:test';
import {duration, installNotebookProgress, notebookProgress} from '../../src/report/display';
import {setDefaultProgress, startTask} from '../../src/common/progress';
import {fakeKernel} from '../kernel/fakeKernel';

const TASK = {label: 'collecting <conv5>', total: 1200, unit: 'images'};

test('a task has one output, updated in place at most ten times a second', (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  let time = 0;
  const task = startTask(TASK, notebookProgress({now: () => time}));
  for (let i = 0; i < 1000; i++) {
    time += 3;
    task.advance(1, {skipped: i === 500 ? 2 : 0});
  }
  task.advance(200);
  task.finish('done');
  const ids = new Set(cell.outputs.map(({transient}) => transient.display_id));
  assert.equal(ids.size, 1);
  assert.equal(cell.outputs[0].update, false);
  assert.ok(cell.outputs.slice(1).every(({update}) => update));
  assert.ok(cell.outputs.length <= 32, `${cell.outputs.length} outputs in 3 s`);
  const running = String(cell.outputs.at(-3)?.data['text/html']);
  assert.match(running, /collecting &lt;conv5&gt;.*<progress .*images\/s.*left.*2 skipped/);
  const last = cell.outputs.at(-1)?.data;
  assert.doesNotMatch(String(last?.['text/html']), /<progress/);
  assert.equal(last?.['text/plain'], 'collecting <conv5> · 1,200 images in 3.0 s · 400 images/s · 2 skipped');
});

test('the rate of a run that goes on counts its own work only', (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  let time = 0;
  const task = startTask({...TASK, done: 1000}, notebookProgress({now: () => time}));
  time = 2000;
  task.advance(20);
  assert.match(
    String(cell.outputs.at(-1)?.data['text/plain']),
    /85 % · 1,020 of 1,200 images · 10 images\/s · 18 s left/,
  );
  task.finish('interrupted', 'kept in stats');
  assert.match(
    String(cell.outputs.at(-1)?.data['text/plain']),
    /interrupted after 1,020 of 1,200 images .* kept in stats/,
  );
});

test('a task that is finished twice has its first end, and one that was done before says no time', (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  const task = startTask({...TASK, done: 1200}, notebookProgress());
  task.finish('done', 'read from "out"');
  task.finish('failed');
  assert.equal(cell.outputs.at(-1)?.data['text/plain'], 'collecting <conv5> · 1,200 images · read from "out"');
});

test('a task of unknown or no size has no bar and no time left', (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  const task = startTask({...TASK, total: 0}, notebookProgress());
  task.finish('done');
  assert.deepEqual(
    cell.outputs.map(({data}) => /<progress|left|NaN/.test(String(data['text/html']))),
    [false, false],
  );
});

test('a long call shows a bar by itself in a notebook only', (t) => {
  assert.equal(installNotebookProgress(), false);
  const kernel = fakeKernel();
  const cell = kernel.runCell();
  t.after(() => {
    kernel.stop();
    setDefaultProgress(() => () => {});
  });
  assert.equal(installNotebookProgress(), true);
  startTask(TASK).finish('done');
  startTask(TASK, false).finish('done');
  assert.equal(cell.outputs.length, 2);
});

test('durations read as people say them', () => {
  assert.deepEqual([0.04, 9.96, 59.6, 200, 7500].map(duration), [
    '0.0 s',
    '10 s',
    '1 min 0 s',
    '3 min 20 s',
    '2 h 5 min',
  ]);
});
