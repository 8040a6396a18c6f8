import assert from 'node:assert/strict';
import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import ts from 'typescript';

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

test('no cell shows a shorthand property, which in tslab does not see variables of earlier cells', async () => {
  const files = (await readdir(notebooks)).filter((name) => name.endsWith('.ipynb'));
  for (const file of files) {
    const {cells} = JSON.parse(await readFile(path.join(notebooks, file), 'utf8')) as {
      cells: {cell_type: string; source: string | string[]}[];
    };
    for (const {cell_type, source} of cells) {
      if (cell_type !== 'code') continue;
      const code = ts.createSourceFile(file, [source].flat().join(''), ts.ScriptTarget.Latest);
      const visit = (node: ts.Node): void => {
        assert.ok(!ts.isShorthandPropertyAssignment(node), `${file}: write {${node.getText(code)}: …}`);
        node.forEachChild(visit);
      };
      visit(code);
    }
  }
});
