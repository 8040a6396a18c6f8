import assert from 'node:assert/strict';
import {after, test} from 'node:test';
import {fuzz} from './fuzz';
import {drawFrom, drawMutation} from './mutations';
import {READERS} from './readers';
import {ReadingProcess} from './readingProcess';
import type {FuzzedReader} from './types';

const COUNT = Number(process.env['UNWEAVE_TEST_RUNS'] ?? 500);

const reading = new ReadingProcess();
after(() => reading.close());

for (const reader of READERS) {
  test(`damaged files are read or refused in words: ${reader.name}`, async (t) => {
    const count = reader.slow ? Math.ceil(COUNT / 20) : COUNT;
    const tally = await fuzz(reader, {count, seed: 1, keep: 'artefacts/fuzz', process: reading});
    t.diagnostic(`${tally.read} read, ${tally.refused} refused, ${(count / tally.seconds).toFixed(0)} a second`);
    const failures = tally.failures.map(({kind, file, message}) => `${kind} ${file ?? ''} ${message.split('\n')[0]}`);
    assert.deepEqual(failures, []);
    assert.ok(tally.read + tally.refused === count);
  });
}

test('a seed draws the same damages again, and each kind comes', () => {
  const seeds = [Buffer.from('{"a": [1, 2], "b": "text"}'), Buffer.alloc(64, 7)];
  const drawn = (seed: number) => {
    const draw = drawFrom(seed);
    return Array.from({length: 60}, () => drawMutation(draw, seeds));
  };
  const apply = (seed: number) => drawn(seed).map((mutation) => mutation.apply(seeds[0]).toString('hex'));
  assert.deepEqual(apply(5), apply(5));
  assert.notDeepEqual(apply(5), apply(6));
  assert.equal(new Set(drawn(5).map(({kind}) => kind)).size, 9);
});

test('the harness catches what throws, hangs and ends', async () => {
  const broken = (name: string): FuzzedReader => ({
    name,
    entry: 'x.bin',
    seeds: () => [{bytes: Buffer.from('sound'), files: (bytes) => ({'x.bin': bytes})}],
    read: () => Promise.resolve(undefined),
  });
  for (const [name, kind] of [
    ['(throws)', 'thrown'],
    ['(hangs)', 'slow'],
    ['(ends)', 'ended'],
  ] as const) {
    const {failures} = await fuzz(broken(name), {count: 1, seed: 1, milliseconds: 500, process: reading});
    assert.deepEqual(failures.map((failure) => failure.kind), [kind]); // prettier-ignore
  }
});
