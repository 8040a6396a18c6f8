import assert from 'node:assert/strict';
import {readdirSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {repository} from '../kernel/jupyter';
import {checkNotebook} from './checkNotebook';
import {withLab} from './setting';

const folder = path.join(repository, 'notebooks');
const notebooks = readdirSync(folder).filter((name) => name.endsWith('.ipynb'));

for (const name of notebooks) {
  test(`${name} renders trusted and untrusted, light and dark, and exported without a network`, async (t) => {
    await withLab(t, async (setting) => {
      const {cells} = await checkNotebook(setting, path.join(folder, name));
      const shown = cells.flatMap(({outputs = []}) => outputs);
      assert.ok(shown.length >= 3, `${shown.length} outputs`);
    });
  });
}
