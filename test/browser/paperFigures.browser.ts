import assert from 'node:assert/strict';
import path from 'node:path';
import {test} from 'node:test';
import {runNotebook, textOf, whyNotExecutable} from '../kernel/headless';

test("the paper's figures run on the demo where there is no ImageNet", async (t) => {
  const reason = whyNotExecutable();
  if (reason) return t.skip(reason);
  process.env['UNWEAVE_TEST_DATA'] = path.join(__dirname, 'nonexistent');
  const file = path.resolve(__dirname, '..', '..', 'notebooks', 'paper-figures.ipynb');
  const {notebook} = await runNotebook(file, {timeoutS: 240});
  const code = notebook.cells.filter(({cell_type}) => cell_type === 'code');
  code.forEach((cell, i) => assert.equal(textOf(cell, 'stderr'), '', `cell ${i} prints no error`));
  const shown = code
    .flatMap(({outputs = []}) => outputs)
    .filter(({data}) => data?.['text/html'] ?? data?.['image/png']);
  assert.ok(shown.length >= 3, `${shown.length} outputs show something`);
});
