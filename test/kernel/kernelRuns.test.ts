import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {textOf, whyNotExecutable} from './headless';
import {execute, notebookOf} from './jupyter';

const CELLS = 300;

test('a notebook outside the project imports the package with its types, and no line of 300 cells is lost', async (t) => {
  const reason = whyNotExecutable();
  if (reason) return t.skip(reason);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-elsewhere-'));
  t.after(() => rmSync(folder, {recursive: true}));
  // Last, since what a cell has imported is checked again with every later cell.
  const imports = [
    `import {slider} from 'unweave/dist/kernel/comms';\nimport * as tf from '@tensorflow/tfjs-core';`,
    `console.log(typeof Buffer, tf.version_core, slider(0, 1).state.value)`,
    `slider(0, 1, {stepp: 2})`,
    `import {tableBundle, emit} from 'unweave/dist/report/display';\nemit(tableBundle(['a'], [[1]]));`,
    `import {showErrorsShortly} from 'unweave/dist/report/display';\nshowErrorsShortly();\nslider(1, 0);`,
    `const knobs = {concepts: [1, 2]}; const {concepts} = knobs;`,
    `console.log(JSON.stringify({concepts}))`,
  ];
  const logs = Array.from({length: CELLS}, (_, i) => `for (let k = 0; k < 4; k++) console.log('cell ${i} line', k);`);
  const {notebook, seconds} = await execute(notebookOf([...logs, ...imports]), {folder});

  const lines = notebook.cells.slice(0, CELLS);
  const [, imported, misspelt, shown, wrong, , shorthand] = notebook.cells.slice(CELLS);
  assert.match(textOf(imported, 'stdout'), /^function 4\.\d+\.\d+ 0\.5\n$/);
  assert.match(textOf(misspelt, 'stderr'), /'stepp' does not exist .* Did you mean to write 'step'\?/);
  assert.match(String(shown.outputs?.[0].data?.['text/html']), /<table/);
  assert.equal(
    textOf(wrong, 'stderr').trim(),
    'InputError: invalid slider from 1 to 0; the first number must be below the second',
  );
  assert.match(
    textOf(shorthand, 'stderr'),
    /^In a tslab cell .* write \{concepts: concepts\} instead of \{concepts\}\.\n/,
  );
  for (const [i, cell] of lines.entries()) {
    assert.equal(textOf(cell, 'stdout'), [0, 1, 2, 3].map((k) => `cell ${i} line ${k}\n`).join(''));
  }
  const times = seconds.slice(0, CELLS).sort((a, b) => a - b);
  t.diagnostic(
    `${CELLS} cells in ${times.reduce((a, b) => a + b).toFixed(1)} s, the slowest ${times.at(-1)?.toFixed(2)} s`,
  );
});

/** Interrupts this kernel from outside, as a front end does, as soon as a file is there. */
const interruptAt = (file: string) =>
  `require('child_process').spawn('sh', ['-c', 'until [ -e ${file} ]; do sleep 0.1; done; kill -INT ' + process.pid], {stdio: 'ignore'});`;

test('an interrupted cell that imports the package and computes ends, keeps a checkpoint, and the kernel goes on', async (t) => {
  const reason = whyNotExecutable();
  if (reason) return t.skip(reason);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-interrupt-'));
  t.after(() => rmSync(folder, {recursive: true}));
  // Images in memory, as the demo's are; so many that the pass takes minutes.
  const before = `
    import * as uw from 'unweave';
    const {model} = await uw.demo();
    const many = uw.demoImages('train', 4000);`;
  const options = `layer: 'conv5', out: 'out', checkpointSeconds: 1`;
  const {notebook} = await execute(
    notebookOf([
      `${before}
       ${interruptAt('out/manifest.json')}
       const running = (globalThis as any).running = uw.collectRelevance(model, many, {${options}});
       await running;`,
      `const {running} = globalThis as any;
       await running.catch(({name, message}: Error) => console.log(name, message));`,
      `${before}
       const stop = new AbortController();
       let first: number | undefined;
       const progress = ({done}: uw.ProgressState) => { first ??= done; stop.abort(); };
       await uw.collectRelevance(model, many, {${options}, signal: stop.signal, progress}).catch(() => {});
       console.log('goes on after', first);`,
    ]),
    {folder},
  );
  const [interrupted, alive, again] = notebook.cells;
  assert.match(textOf(interrupted, 'stderr'), /^Interrupted: .*\n$/);
  const said =
    /^InterruptError interrupted after (\d+) of 96000 images; a checkpoint is in "out", and the same call resumes/;
  assert.match(textOf(alive, 'stdout'), said);
  const [, done] = said.exec(textOf(alive, 'stdout')) ?? [];
  assert.equal(textOf(again, 'stdout'), `goes on after ${done}\n`);
});
