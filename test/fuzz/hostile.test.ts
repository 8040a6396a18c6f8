import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {ensureBackend} from '../../src/engine';
import {sharedCase} from '../reference/sharedCases';
import {temporaryFolder} from '../reference/temporaryFolder';
import {HOSTILE_FILES} from './hostileFiles';
import {ReadingProcess} from './readingProcess';

const LIMITS = {milliseconds: 4000, bytes: 2 ** 29};

const reading = new ReadingProcess();
before(async () => {
  await ensureBackend();
  // Starting the process is no part of reading.
  await reading.ask('any preset', '/dev/null', LIMITS);
});
after(() => reading.close());

/** What came of it in words; what is no sentence is told as it is. */
async function said(opener: string, place: string): Promise<{outcome: string; message: string; seconds: number}> {
  const start = performance.now();
  const given = await reading.ask(opener, place, LIMITS);
  const seconds = (performance.now() - start) / 1000;
  if ('failed' in given) return {outcome: given.failed, message: given.message, seconds};
  return {outcome: given.outcome, message: given.message ?? '', seconds};
}

function isSentence(message: string): void {
  const [line] = message.split('\n    at ');
  assert.match(line, /^(InputError|Error): [^\n]+$/, 'one line');
  assert.ok(line.length < 700, `not ${line.length} characters: ${line.slice(0, 300)}`);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(line, /[\u0000-\u0009\u000b-\u001f\u007f\u202e]/, 'nothing that a terminal obeys');
}

test('files made to do harm are refused in a sentence each', async (t) => {
  const place = await temporaryFolder(t);
  const failures: string[] = [];
  let slowest = {name: '', seconds: 0};
  for (const [name, {opener, make, mayBeRead}] of Object.entries(HOSTILE_FILES)) {
    const folder = path.join(place, name.replace(/\W+/g, '-'));
    mkdirSync(folder);
    const entry = (await make(folder)) ?? '';
    const {outcome, message, seconds} = await said(opener, path.join(folder, entry));
    if (seconds > slowest.seconds) slowest = {name, seconds};
    try {
      if (outcome === 'read' && mayBeRead) continue;
      assert.equal(outcome, 'refused');
      isSentence(message);
    } catch (error) {
      failures.push(`${name}: ${outcome} after ${seconds.toFixed(1)} s: ${message.slice(0, 400)} (${(error as Error).message.slice(0, 200)})`); // prettier-ignore
    }
  }
  t.diagnostic(`${Object.keys(HOSTILE_FILES).length} files; the slowest, ${slowest.name}, ${slowest.seconds.toFixed(1)} s`); // prettier-ignore
  assert.deepEqual(failures, []);
});

test('the inputs that failed are refused in a sentence each', async (t) => {
  const folder = sharedCase(t, 'hostile');
  if (folder === undefined) return;
  const inside = (name: string) => readdirSync(path.join(folder, name)).map((entry) => path.join(folder, name, entry));
  const cases = [
    ...readdirSync(folder)
      .map((name) => path.join(folder, name))
      .filter((file) => statSync(file).isFile())
      .map((file) => ['any model', file] as const),
    ...inside('statistics').map((file) => ['any statistics', file] as const),
    ...inside('tfjs').map((file) => ['any model', file] as const),
    ...(existsSync(path.join(folder, 'split-nan')) ? [['any split', path.join(folder, 'split-nan')] as const] : []),
  ];
  let slowest = 0;
  for (const [opener, file] of cases) {
    const {outcome, message, seconds} = await said(opener, file);
    slowest = Math.max(slowest, seconds);
    const expected = file.endsWith(path.join('statistics', 'ok')) ? 'read' : 'refused';
    assert.equal(outcome, expected, `${file}: ${message}`);
    if (expected === 'refused') isSentence(message);
  }
  t.diagnostic(`${cases.length} files; the slowest ${slowest.toFixed(1)} s`);
});
