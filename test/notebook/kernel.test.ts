import assert from 'node:assert/strict';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test, type TestContext} from 'node:test';
import {runNotebook, textOf, whyNotExecutable, type HeadlessCell} from './headless';

/** Writes a notebook below notebooks/, in a folder that git ignores, where it imports as the committed ones do. */
async function notebookOf(t: TestContext, sources: string[]): Promise<string> {
  const out = path.resolve(__dirname, '..', '..', 'notebooks', 'out');
  await mkdir(out, {recursive: true});
  const folder = await mkdtemp(path.join(out, 'kernel-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  const cells = sources.map((source, i) => ({
    cell_type: 'code',
    id: `cell-${i}`,
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  const file = path.join(folder, 'notebook.ipynb');
  await writeFile(file, JSON.stringify({cells, metadata: {}, nbformat: 4, nbformat_minor: 5}));
  return file;
}

const textsOf = (cells: HeadlessCell[], stream: 'stdout' | 'stderr') =>
  cells.map((cell) => textOf(cell, stream).trim());

test('a notebook of this repository imports the package, with types, and its engine is quiet', async (t) => {
  const reason = whyNotExecutable();
  if (reason) return t.skip(reason);
  const file = await notebookOf(t, [
    "import * as uw from 'unweave';",
    'const choice = await uw.backend();\nconsole.log(String(choice));',
    'const wrong: number = choice.name;',
  ]);
  const {notebook, seconds} = await runNotebook(file, {kernel: 'tslab', allowErrors: true});
  const [imported, chosen, mistyped] = textsOf(notebook.cells, 'stderr');
  assert.equal(imported, '');
  assert.equal(chosen, '');
  assert.match(mistyped!, /not assignable to type 'number'/);
  assert.match(textsOf(notebook.cells, 'stdout')[1]!, /^(native TensorFlow|WebAssembly)[^\n]+$/);
  assert.equal(seconds.length, 3);
});

test('a failing cell ends the run and is named with what it printed', async (t) => {
  const reason = whyNotExecutable();
  if (reason) return t.skip(reason);
  const file = await notebookOf(t, ['const x = 1;', "throw new Error('from the cell');", 'x']);
  await assert.rejects(runNotebook(file, {kernel: 'tslab'}), /notebook\.ipynb, code cell 2: [^]*from the cell/);
});
