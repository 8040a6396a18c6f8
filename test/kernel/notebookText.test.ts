import assert from 'node:assert/strict';
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';

const notebooks = path.resolve(__dirname, '..', '..', 'notebooks');

test('no formula of a notebook needs a library from the network to be read', async () => {
  const files = (await readdir(notebooks)).filter((name) => name.endsWith('.ipynb'));
  assert.ok(files.length >= 6);
  for (const file of files) {
    const {cells} = JSON.parse(await readFile(path.join(notebooks, file), 'utf8')) as {
      cells: {cell_type: string; source: string | string[]}[];
    };
    for (const {cell_type, source} of cells) {
      if (cell_type !== 'markdown') continue;
      const text = [source]
        .flat()
        .join('')
        .replace(/`[^`]*`/g, '');
      assert.doesNotMatch(text, /\$[^$]+\$|\\\(|\\\[|\\begin\{/, `${file}: write formulas in HTML and Unicode`);
    }
  }
});
