import assert from 'node:assert/strict';
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import {runNotebook, textOf, whyNotExecutable, type HeadlessCell} from './headless';

const notebooks = path.resolve(__dirname, '..', '..', 'notebooks');

test('the notebooks are committed without output, for the kernel of our own', async () => {
  const files = (await readdir(notebooks)).filter((name) => name.endsWith('.ipynb'));
  assert.deepEqual(files, [
    '01-quickstart.ipynb',
    '02-find.ipynb',
    '03-disentangle.ipynb',
    '04-evaluate.ipynb',
    '05-your-own-network.ipynb',
    '06-more-than-two-concepts.ipynb',
    '07-without-labels.ipynb',
    '08-known-answers.ipynb',
    'paper-figures.ipynb',
  ]);
  for (const file of files) {
    const {cells, metadata} = JSON.parse(await readFile(path.join(notebooks, file), 'utf8')) as {
      cells: HeadlessCell[];
      metadata: {kernelspec: {name: string}};
    };
    const ids = cells.map((cell) => (cell as {id?: unknown}).id);
    assert.ok(
      ids.every((id) => typeof id === 'string') && new Set(ids).size === ids.length,
      `${file}: a cell has no id`,
    );
    assert.equal(metadata.kernelspec.name, 'unweave', file);
    assert.ok(
      cells.every(({outputs = []}) => outputs.length === 0),
      `${file} holds output`,
    );
  }
});

test('the quickstart runs in a real kernel, and any cell again leaves the number of tensors as it was', async (t) => {
  const reason = whyNotExecutable();
  if (reason) return t.skip(reason);
  const original = JSON.parse(await readFile(path.join(notebooks, '01-quickstart.ipynb'), 'utf8')) as {
    cells: (HeadlessCell & {id?: string})[];
  };
  const code = original.cells.filter((cell) => cell.cell_type === 'code');
  const count: HeadlessCell = {
    cell_type: 'code',
    source: "console.log('tensors', require('@tensorflow/tfjs-core').memory().numTensors);",
  };
  // Every cell once, then each one again between two counts.
  const cells = [...code, ...code.flatMap((cell) => [count, cell]), count].map((cell, i) => ({
    ...cell,
    id: `cell-${i}`,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  await mkdir(path.join(notebooks, 'out'), {recursive: true});
  const folder = await mkdtemp(path.join(notebooks, 'out', 'quickstart-'));
  t.after(() => rm(folder, {recursive: true, force: true}));
  const file = path.join(folder, 'twice.ipynb');
  await writeFile(file, JSON.stringify({cells, metadata: {}, nbformat: 4, nbformat_minor: 5}));
  const {notebook} = await runNotebook(file, {timeoutS: 240});
  const executed = notebook.cells;
  executed.slice(0, code.length).forEach((cell, i) => {
    assert.equal(textOf(cell, 'stderr'), '', `cell ${i} prints no error`);
    if (/uw\.show\(/.test(String(code[i]!.source))) {
      const rich = ({data = {}}: NonNullable<typeof cell.outputs>[number]) =>
        Object.entries(data).map(([type, value]) => (type === 'text/plain' ? '' : String(value)));
      const shown = cell.outputs?.flatMap(rich).join('') ?? '';
      assert.ok(shown.length > 500, `cell ${i} shows its result`);
    }
  });
  const counts = executed.map((cell) => /^tensors (\d+)/.exec(textOf(cell, 'stdout'))?.[1]).filter(Boolean);
  assert.equal(counts.length, code.length + 1);
  counts.forEach((value, i) => {
    assert.equal(value, counts[0], i === 0 ? '' : `running cell ${i - 1} again changed the number of tensors`);
  });
});
