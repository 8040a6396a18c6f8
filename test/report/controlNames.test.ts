import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import path from 'node:path';
import {test} from 'node:test';
import sharp from 'sharp';
import {findPolysemantic} from '../../src/concepts/find';
import {saveStatistics} from '../../src/relevance/store';
import {saveFigure} from '../../src/report/show';
import {candidateScatter, similarityHeatmap} from '../../src/plots';
import {exampleStatistics} from '../plots/examples';
import {COMMAND} from '../reference/commandArguments';
import {temporaryFolder} from '../reference/temporaryFolder';

/** Names that steer a terminal, turn what follows around, end a line, or are no text at all. */
const NAMES = [
  '\u001b]0;owned\u0007\u001b[2Jred',
  '\u202egnp.exe',
  'two\u2028lines\u0000',
  'half \ud83d',
  '\u009b31mC1',
  '\u2066isolated',
  'plain',
];
// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])/;

test('names with control characters reach a terminal as text, in JSON too, and pictures with them render', async (t) => {
  const folder = await temporaryFolder(t);
  const stats = exampleStatistics(NAMES);
  stats.model.name = NAMES[0];
  await saveStatistics(stats, path.join(folder, 'statistics'));
  const find = (...more: string[]) =>
    new Promise<string>((resolve) => {
      const args = [...COMMAND, 'find', path.join(folder, 'statistics'), '--tau', '0.05', '--p', '0.3', ...more];
      execFile(process.execPath, args, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  const [text, json] = await Promise.all([find(), find('--json')]);
  assert.match(text, /\\u\{1b\}|\\u\{202e\}|\\u\{9b\}/);
  for (const output of [text, json]) {
    assert.ok(output.length > 200, output);
    assert.doesNotMatch(output, OBEYED);
  }
  JSON.parse(json.split('\n').find((line) => line.startsWith('{') || line.startsWith('['))!);
  const found = findPolysemantic(stats, {tau: 0.05, p: 0.3});
  for (const [name, figure] of Object.entries({
    scatter: candidateScatter(found),
    heatmap: similarityHeatmap(stats, 3),
  })) {
    const file = path.join(folder, `${name}.png`);
    await saveFigure(figure, file);
    const {width, height} = await sharp(file).metadata();
    assert.ok(width > 50 && height > 50);
  }
});
