import assert from 'node:assert/strict';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import sharp from 'sharp';
import manifest from '../../package.json';
import {unknownTslab} from '../../src/kernel/unknownTslab';
import {plots} from '../../src/report/plots';
import {printedView} from '../../src/report/show/printView';
import {show} from '../../src/report/show';
import {words} from '../../src/report/show/view';
import {KNOWN_VERSIONS} from '../../src/report/display/tslab';
import {findPolysemantic} from '../../src/concepts/find';
import {exampleStatistics} from '../plots/examples';

const figure = () => plots.candidateScatter(findPolysemantic(exampleStatistics(), {tau: 0.05, p: 0.5}));

test('outside a notebook a figure is written beside, and its path is printed', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-'));
  const before = process.env['UNWEAVE_FIGURES'];
  process.env['UNWEAVE_FIGURES'] = folder;
  try {
    const printed = printedView([{figure: figure()}]);
    const [, file] = /picture: (.*)\n$/.exec(printed) ?? [];
    assert.ok(file.startsWith(folder), printed);
    assert.equal((await sharp(file).metadata()).format, 'png');
    assert.equal(printedView([words('only text')]), 'only text\n');
    process.env['UNWEAVE_FIGURES'] = 'none';
    assert.doesNotMatch(printedView([{figure: figure()}]), /picture:/);
    process.env['UNWEAVE_FIGURES'] = path.join(file, 'below a file');
    assert.match(printedView([{figure: figure()}]), /its picture could not be written/);
    assert.equal(readdirSync(folder).length, 1);
  } finally {
    if (before === undefined) delete process.env['UNWEAVE_FIGURES'];
    else process.env['UNWEAVE_FIGURES'] = before;
    rmSync(folder, {recursive: true});
  }
});

test("Deno's Jupyter kernel is sent what a notebook is", async () => {
  const sent: {type: string; content: {data: Record<string, unknown>}}[] = [];
  const world = globalThis as {Deno?: unknown};
  world.Deno = {
    jupyter: {
      broadcast: (type: string, content: {data: Record<string, unknown>}) => {
        sent.push({type, content});
        return Promise.reject(new Error('the front end is gone'));
      },
    },
  };
  try {
    await show(figure());
  } finally {
    delete world.Deno;
  }
  assert.equal(sent.length, 1);
  assert.equal(sent[0].type, 'display_data');
  assert.ok('text/html' in sent[0].content.data && 'text/plain' in sent[0].content.data);
});

test('tslab is pinned to a version that the kernel knows, and another one gets a sentence', () => {
  assert.ok(KNOWN_VERSIONS.includes(manifest.dependencies.tslab), manifest.dependencies.tslab);
  assert.match(
    unknownTslab('9.9.9'),
    /tslab 9\.9\.9, which was not tried \(tried: 1\.0\.22\).*npm install tslab@1\.0\.22/,
  );
});
