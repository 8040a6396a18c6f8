import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import fc from 'fast-check';
import {readCheckpoint, writeSafetensors} from '../../src/formats/torch';
import {InputError} from '../../src/common/errors';
import {
  called,
  dict,
  floats,
  integer,
  list,
  named,
  pickle,
  streamCheckpoint,
  tensor,
  text,
  zipCheckpoint,
  zipOf,
} from '../reference/torchFiles';

/** Files that PyTorch wrote, and what they hold; test/reference/torch/makeCheckpoints.py made them. */
const data = join(__dirname, '../data/checkpoints');
type Expected = Record<string, {shape: number[]; values: number[]}>;
const expected = JSON.parse(readFileSync(join(data, 'expected.json'), 'utf8')) as Record<string, Expected>;
const GOLDENS: [file: string, holds: string][] = [
  ['tensors.pth', 'tensors'],
  ['tensors-stream.pth', 'tensors'],
  ['tensors-protocol4.pth', 'tensors'],
  ['tensors.safetensors', 'tensors'],
  ['big-endian.pth', 'floats'],
  ['zip64.pth', 'floats'],
  ['training.pth', 'training'],
  ['training-stream.th', 'training'],
];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
after(() => rm(folder, {recursive: true}));

async function readBytesAsFile(bytes: Buffer | string, name = 'made.pth'): Promise<ReturnType<typeof readCheckpoint>> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return readCheckpoint(path);
}

async function refuses(bytes: Buffer | string, reason: RegExp, name?: string): Promise<void> {
  await assert.rejects(readBytesAsFile(bytes, name), (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, reason);
    assert.doesNotMatch(error.message, /[.\n]$/);
    return true;
  });
}

for (const [file, holds] of GOLDENS) {
  test(`${file} is read as PyTorch reads it`, async () => {
    const read = await readCheckpoint(join(data, file));
    assert.deepEqual([...read.keys()].sort(), Object.keys(expected[holds]).sort());
    for (const [name, {shape, values}] of Object.entries(expected[holds])) {
      assert.deepEqual(read.get(name)?.shape, shape, name);
      assert.deepEqual(read.get(name)?.data, Float32Array.from(values), name);
    }
  });
}

test('parameters are read like tensors', async () => {
  const read = await readCheckpoint(join(data, 'parameters.pth'));
  assert.deepEqual(read.get('cut')?.data, Float32Array.from(expected.tensors.cut.values));
  assert.ok([...read.keys()].every((name) => expected.tensors[name]));
});

test('a view of a view of the oldest streams starts where both offsets say', async () => {
  const view = Buffer.concat([
    tuple3('storage', named('torch', 'FloatStorage'), '0', integer(4), [text('v'), integer(1), integer(3)]),
  ]);
  const value = dict({
    w: called(named('torch._utils', '_rebuild_tensor'), view, integer(1), list(integer(2)), list(integer(1))),
  });
  const read = await readBytesAsFile(streamCheckpoint(value, {'0': {count: 4, bytes: floats(1, 2, 3, 4)}}));
  assert.deepEqual(read.get('w')?.data, floatsOf(3, 4));
});

const floatsOf = (...values: number[]) => Float32Array.from(values);

/** A storage of the older stream that is a view into another. */
function tuple3(tag: string, type: Buffer, key: string, length: Buffer, view: Buffer[]): Buffer {
  const group = (items: Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
  return Buffer.concat([group([text(tag), type, text(key), text('cpu'), length, group(view)]), Buffer.from('Q')]);
}

const vector = (length: number, more: object = {}) => tensor({length, shape: [length], strides: [1], ...more});

test('names of wrappers are dropped', async () => {
  const read = await readBytesAsFile(
    zipCheckpoint(dict({'module.model.a': vector(1), 'module.model.b': vector(1)}), {'0': floats(5)}),
  );
  assert.deepEqual([...read.keys()], ['a', 'b']);
  const inner = await readBytesAsFile(
    zipCheckpoint(dict({'features.module.0._orig_mod.a': vector(1), b: vector(1)}), {'0': floats(5)}),
  );
  assert.deepEqual([...inner.keys()], ['features.0.a', 'b']);
  const same = await readBytesAsFile(zipCheckpoint(dict({'module.a': vector(1), a: vector(1)}), {'0': floats(5)}));
  assert.deepEqual([...same.keys()], ['module.a', 'a']);
});

test('a file that is a program instead of weights is refused with its type and the way out, and nothing is run', async () => {
  const exported = /model\.eval\(\); torch\.onnx\.export\(model, .*"model\.onnx"\).*state_dict\(\)/;
  const run = called(named('os', 'system'), text('touch executed'));
  await refuses(zipCheckpoint(run), /type os\.system, which is not read/);
  await refuses(streamCheckpoint(run, {}), /type os\.system/);
  await refuses(
    zipCheckpoint(dict({a: named('builtins', 'eval')})),
    /no state dict but a dict with the keys a \(a builtins\.eval\)/,
  );
  for (const name of ['constructor', '__proto__', 'toString']) {
    await refuses(zipCheckpoint(named(name, 'constructor')), new RegExp(`type ${name}\\.constructor`));
  }
  const whole = await readFile(join(data, 'whole-model.pth'));
  await refuses(whole, /type torch\.nn\.modules\.container\.Sequential/);
  await refuses(whole, exported);
  const yolo = called(named('models.yolo', 'Model'));
  await refuses(zipCheckpoint(dict({epoch: integer(1), model: yolo})), /type models\.yolo\.Model/);
  const good = dict({w: vector(1)});
  await refuses(zipCheckpoint(good, {'0': floats(1)}, {'archive/constants.pkl': ''}), exported);
  await refuses(zipOf({'a/archive_format': 'pt2', 'a/models/model.json': '{}'}), exported);
});

test('objects of any type beside the weights are blanks, and a kind of dict keeps its items', async () => {
  const unknown = (module: string, name: string) => called(named(module, name), text('x'), integer(3));
  const easy = Buffer.concat([
    called(named('easydict', 'EasyDict')),
    Buffer.from('('),
    text('w'),
    vector(1),
    Buffer.from('u'),
  ]);
  const read = await readBytesAsFile(
    zipCheckpoint(
      dict({
        when: unknown('datetime', 'datetime'),
        where: unknown('pathlib', 'PosixPath'),
        partial: called(called(named('functools', 'partial'), named('builtins', 'eval')), text('1')),
        history: called(named('collections', 'defaultdict'), named('__builtin__', 'list')),
        old: Buffer.concat([Buffer.from('('), integer(1), Buffer.from('imymodule\nOld\n')]),
        older: Buffer.concat([Buffer.from('('), named('mymodule', 'Older'), integer(1), Buffer.from('o')]),
        keywords: Buffer.concat([named('m', 'C'), Buffer.from(')}\x92', 'latin1')]),
        state: easy,
      }),
      {'0': floats(5)},
    ),
  );
  assert.deepEqual([...read.keys()], ['w']);
});

test('other things in the place of calls, dicts and tensors are refused', async () => {
  const damaged = /damaged or no PyTorch checkpoint/;
  await refuses(zipCheckpoint(called(text('print'))), damaged);
  await refuses(zipCheckpoint(called(named('torch._utils', '_rebuild_tensor_v2'), text('x'))), damaged);
  await refuses(zipCheckpoint(Buffer.from(']K\x01K\x02s')), /sets items of what is no dict/);
  await refuses(zipCheckpoint(Buffer.from('K\x01Q')), /a storage lacks/);
  await refuses(zipCheckpoint(Buffer.from('h\x07')), /recalls value 7/);
  await refuses(zipCheckpoint(Buffer.from('t')), /closes a group/);
  await refuses(zipCheckpoint(Buffer.from('(.')), /takes a value that is not there/);
  await refuses(zipCheckpoint(Buffer.from('\x01')), /instruction 0x1,/);
  await refuses(zipCheckpoint(dict({a: text('b')})), /no state dict but a dict with the keys a;/);
  await refuses(zipCheckpoint(list()), /no state dict but a list; give/);
  await refuses(pickle(dict({})), /Python pickle that torch\.save did not write/);
});

test('storages and shapes that exceed the file are refused before memory is taken', async () => {
  const huge = tensor({length: 1e12, shape: [1e6, 1e6], strides: [1e6, 1]});
  await refuses(zipCheckpoint(dict({w: huge}), {'0': floats(1)}), /has 4 bytes, and 4000000000000 are wanted/);
  await refuses(
    streamCheckpoint(dict({w: huge}), {'0': {count: 1e12, bytes: floats(1)}}),
    /storage "0" of 1000000000000 numbers/,
  );
  await refuses(
    streamCheckpoint(dict({w: vector(1)}), {'0': {count: -1, bytes: floats(1)}}),
    /storage "0" of -1 numbers/,
  );
  await refuses(
    streamCheckpoint(dict({w: vector(2)}), {'0': {count: 1, bytes: floats(1)}}),
    /should hold 2 numbers, and 1/,
  );

  const repeated = tensor({length: 1, shape: [1e6, 1e6], strides: [0, 0]});
  await refuses(zipCheckpoint(dict({w: repeated}), {'0': floats(1)}), /would take 4000000000000 bytes.*refused/);
  const sparse = tensor({length: 1000, shape: [2], strides: [999]});
  const many = dict(Object.fromEntries(Array.from({length: 20}, (_, i) => [`w${i}`, sparse])));
  await refuses(zipCheckpoint(many, {'0': Buffer.alloc(4000)}), /would take 80000 bytes.*refused/);
  const beyond = tensor({length: 4, shape: [2, 2], strides: [2, 2]});
  await refuses(
    zipCheckpoint(dict({w: beyond}), {'0': floats(1, 2, 3, 4)}),
    /tensor "w" .*needs 5 numbers, and its storage holds 4/,
  );
  const shifted = tensor({length: 4, offset: 3, shape: [2], strides: [1]});
  await refuses(zipCheckpoint(dict({w: shifted}), {'0': floats(1, 2, 3, 4)}), /needs 5 numbers/);
  const backwards = tensor({length: 4, offset: 3, shape: [2], strides: [-1]});
  await refuses(
    zipCheckpoint(dict({w: backwards}), {'0': floats(1, 2, 3, 4)}),
    /lacks its storage, offset, shape or strides/,
  );
  const uneven = tensor({length: 4, shape: [2], strides: [1, 1]});
  await refuses(zipCheckpoint(dict({w: uneven}), {'0': floats(1, 2, 3, 4)}), /shape \[2\] has strides \[1, 1\]/);
  await refuses(zipCheckpoint(dict({w: vector(1)})), /lacks "archive\/data\/0"/);
});

test('a pickle that never ends, or counts without end, is refused soon', async () => {
  const busy = (instructions: string) =>
    zipCheckpoint(Buffer.concat([Buffer.alloc(3_000_000, instructions), dict({})]));
  await refuses(busy('N0'), /more than 2000000 instructions/);
  await refuses(busy(']0'), /more than 300000 dicts, lists and tuples/);
  await refuses(zipCheckpoint(Buffer.from('\x8b\xff\xff\xff\x7f', 'latin1')), /integer of 2147483647 bytes/);
  await refuses(zipCheckpoint(Buffer.from('X\xff\xff\xff\x7f', 'latin1')), /ends in the middle/);
});

test('archives that torch.save does not write are refused with what they are', async () => {
  const good = dict({w: vector(1)});
  await refuses(zipCheckpoint(good, {'0': floats(1)}, {'archive/constants.pkl': ''}), /TorchScript archive/);
  await refuses(zipCheckpoint(good, {'0': floats(1)}, {'archive/code/__torch__.py': ''}), /TorchScript archive/);
  await refuses(zipCheckpoint(good, {'0': floats(1)}, {'archive/byteorder': 'middle'}), /byte order is "middle"/);
  await refuses(zipOf({'word/document.xml': ''}), /zip archive without data\.pkl/);
  await refuses(
    zipOf({'a/data.pkl': pickle(good), 'a/data/0': Buffer.alloc(1e6)}, {deflate: true}),
    /compressed or encrypted/,
  );
  await refuses(zipOf({'../a/data.pkl': pickle(good)}), /damaged or truncated zip archive/);
});

test('an archive whose directory points beyond the file is refused', async () => {
  const whole = await readFile(join(data, 'zip64.pth'));
  const locator = whole.lastIndexOf('PK\x06\x07');
  const record = whole.lastIndexOf('PK\x06\x06');
  for (const position of [2n ** 63n, 2n ** 40n, BigInt(whole.length)]) {
    const misled = Buffer.from(whole);
    misled.writeBigUInt64LE(position, locator + 8);
    await refuses(misled, /damaged or truncated zip archive: its directory points to byte/);
    const lost = Buffer.from(whole);
    lost.writeBigUInt64LE(position, record + 48);
    await refuses(lost, /damaged or truncated zip archive: its directory points to byte/);
  }
  const many = Buffer.from(whole);
  many.writeBigUInt64LE(2n ** 40n, record + 32);
  await refuses(many, /zip archive of 1099511627776 files/);
});

test('foreign files are refused with what they are', async () => {
  const cases: [Buffer | string, RegExp][] = [
    [Buffer.from([0xff, 0xd8, 0xff, 0xe0]), /is a JPEG image, not a PyTorch checkpoint/],
    [Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), /is an HDF5 file/],
    [Buffer.from('\x89PNG\r\n', 'latin1'), /is a PNG image/],
    [Buffer.from([0x1f, 0x8b, 8]), /is a gzip archive/],
    ['version https://git-lfs.github.com/spec/v1\n', /Git LFS pointer/],
    ['<!DOCTYPE html><html>', /web page/],
    [Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar')]), /tar archive/],
    ['something else', /a text file/],
    ['\0something else', /a file of unknown format/],
    ['', /is empty/],
  ];
  for (const [bytes, reason] of cases) await refuses(bytes, reason);
  await refuses('short', /is a text file/, 'x.safetensors');
  await refuses('version https://git-lfs.github.com/spec/v1\n', /Git LFS pointer/, 'x.safetensors');
  await refuses(
    Buffer.concat([Buffer.from([200, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{')]),
    /not a valid \.safetensors/,
  );
  await assert.rejects(readCheckpoint(join(folder, 'none.pth')), /none\.pth: there is no such file/);
  await assert.rejects(readCheckpoint(folder), InputError);
});

test('a weight that is NaN or infinite is refused with its name', async () => {
  const reason = /tensor "w" .*holds (NaN|Infinity) \(1 of 2 values/;
  const value = dict({w: vector(2)});
  await refuses(zipCheckpoint(value, {'0': floats(1, NaN)}), reason);
  await refuses(streamCheckpoint(value, {'0': {count: 2, bytes: floats(1, Infinity)}}), reason);
  const path = join(folder, 'nan.safetensors');
  await writeSafetensors(path, {w: {shape: [2], data: Float64Array.of(1e39, 1)}});
  await assert.rejects(readCheckpoint(path), reason);
});

/** Nothing but an InputError may come, and what is read must not be larger than the file gives reason for. */
async function survives(bytes: Buffer): Promise<void> {
  try {
    const read = await readBytesAsFile(bytes, 'broken.pth');
    const taken = [...read.values()].reduce((sum, weight) => sum + weight.data.byteLength, 0);
    assert.ok(taken <= 8 * bytes.length, `${taken} bytes of ${bytes.length}`);
  } catch (error) {
    assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error));
  }
}

const RUNS = Number(process.env['UNWEAVE_TEST_RUNS'] ?? 40);
for (const [file] of GOLDENS) {
  test(`${file} cut or changed anywhere is refused or read`, async () => {
    const whole = await readFile(join(data, file));
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), (length) => survives(whole.subarray(0, length))),
      {numRuns: RUNS},
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, {minLength: 1, maxLength: 4}), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [position, value] of changes) bytes[position] = value;
        return survives(bytes);
      }),
      {numRuns: 2 * RUNS},
    );
  });
}
