import assert from 'node:assert/strict';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import {loadStatistics, saveStatistics} from '../../src/relevance/store';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {madeFolder} from './madeFolder';

test('statistics whose manifest calls std by its old name are read', async () => {
  const folder = await madeFolder({});
  const stats = syntheticStatistics();
  await saveStatistics(stats, folder);
  const file = join(folder, 'manifest.json');
  const manifest = await readFile(file, 'utf8');
  assert.ok(manifest.includes('"std":'));
  await writeFile(file, manifest.replace('"std":', '"deviation":'));
  assert.deepEqual((await loadStatistics(folder)).preset.std, stats.preset.std);
});
