import assert from 'node:assert/strict';
import {mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import fc from 'fast-check';
import {InputError} from '../../src/common/errors';
import {readSafetensors, writeSafetensors} from '../../src/files/safetensors';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
after(() => rm(folder, {recursive: true}));

/** A file with this header and this many bytes of arrays. */
async function fileOf(header: unknown, bytes: number): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'made.safetensors');
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(bytes)]));
  return path;
}

test('what is written is read back, with types, shapes, names and metadata', async () => {
  const path = join(folder, 'all.safetensors');
  const arrays = {
    byte: {shape: [3], data: Uint8Array.of(1, 2, 255)},
    'share.λ': {shape: [2, 2], data: Float32Array.of(0.5, -1, Infinity, 1e-40)},
    sum: {shape: [1, 1, 2], data: Float64Array.of(Math.PI, -0)},
    index: {shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1)},
    count: {shape: [], data: BigInt64Array.of(-(2n ** 63n))},
    none: {shape: [0, 7], data: new Float32Array(0)},
    ['__proto__']: {shape: [1], data: Float32Array.of(4)},
  };
  await writeSafetensors(path, arrays, {note: 'as "quoted" text', format: 'pt'});
  const read = await readSafetensors(path);
  assert.deepEqual(read.metadata, {note: 'as "quoted" text', format: 'pt'});
  assert.deepEqual([...read.arrays.keys()].sort(), Object.keys(arrays).sort());
  for (const [name, {shape, data}] of Object.entries(arrays)) {
    assert.deepEqual(read.arrays.get(name)?.shape, shape, name);
    assert.deepEqual(read.arrays.get(name)?.data, data, name);
  }
});

test('a view into a larger buffer is written as the view alone', async () => {
  const path = join(folder, 'view.safetensors');
  await writeSafetensors(path, {view: {shape: [2], data: new Float32Array(10).fill(7).subarray(3, 5)}});
  assert.deepEqual((await readSafetensors(path)).arrays.get('view')?.data, Float32Array.of(7, 7));
});

test('every array starts at a multiple of its item size', async () => {
  const path = join(folder, 'aligned.safetensors');
  await writeSafetensors(path, {
    a: {shape: [1], data: Uint8Array.of(1)},
    b: {shape: [1], data: Float32Array.of(1)},
    c: {shape: [1], data: Float64Array.of(1)},
  });
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, {data_offsets: number[]}>;
  assert.equal(length % 8, 0);
  assert.deepEqual(
    [header.c.data_offsets, header.b.data_offsets, header.a.data_offsets],
    [
      [0, 8],
      [8, 12],
      [12, 13],
    ],
  );
});

test('writing over a file replaces it whole, and leaves no temporary file', async () => {
  const place = await mkdtemp(join(folder, 'place-'));
  const path = join(place, 'x.safetensors');
  const write = (value: number) => writeSafetensors(path, {x: {shape: [1], data: Float32Array.of(value)}});
  await Promise.all([write(1), write(1)]);
  await write(2);
  assert.deepEqual((await readSafetensors(path)).arrays.get('x')?.data, Float32Array.of(2));
  assert.deepEqual(await readdir(place), ['x.safetensors']);
});

test('a write that fails says why in one sentence and leaves the old file', async () => {
  await assert.rejects(
    writeSafetensors(join(folder, 'absent', 'x.safetensors'), {}),
    (error) => error instanceof InputError && /absent.*there is no such file or folder/.test(error.message),
  );
  await assert.rejects(
    writeSafetensors(join(folder, 'x.safetensors'), {x: {shape: [3], data: Float32Array.of(1)}}),
    /array "x" has shape \[3\] and 1 values/,
  );
  await assert.rejects(stat(join(folder, 'x.safetensors')));
});

test('a header that does not fit the file is refused with the reason', async () => {
  const entry = (dtype: string, shape: unknown, offsets: unknown) => ({dtype, shape, data_offsets: offsets});
  const cases: [RegExp, unknown, number][] = [
    [/not a JSON object/, '[1, 2]', 0],
    [/not a JSON object/, '{"a": ', 0],
    [/unknown type F7/, {a: entry('F7', [1], [0, 4])}, 4],
    [/unknown type toString/, {a: entry('toString', [1], [0, 4])}, 4],
    [/needs a dtype, a shape/, {a: null}, 4],
    [/needs a dtype, a shape/, {a: entry('F32', [-1], [0, 4])}, 4],
    [/needs a dtype, a shape/, {a: entry('F32', [1.5], [0, 6])}, 6],
    [/needs a dtype, a shape/, {a: entry('F32', [1], [0, 4, 8])}, 4],
    [/needs 4000000000000 bytes.*hold 4/, {a: entry('F32', [1e6, 1e6], [0, 4])}, 4],
    [/ends at byte \d+, and the file has/, {a: entry('F32', [1e6, 1e6], [0, 4e12])}, 4],
    [/without gap or overlap/, {a: entry('F32', [2], [0, 8]), b: entry('F32', [1], [4, 8])}, 8],
    [/without gap or overlap/, {a: entry('F32', [1], [0, 4]), b: entry('F32', [1], [8, 12])}, 12],
    [/arrays end at byte/, {a: entry('F32', [1], [0, 4])}, 5],
    [/__metadata__ must map/, {__metadata__: {a: 1}}, 0],
    [/has type BF16; valid types are F32/, {a: entry('BF16', [1], [0, 2])}, 2],
  ];
  for (const [message, header, bytes] of cases) {
    const path = await fileOf(header, bytes);
    await assert.rejects(readSafetensors(path), (error) => error instanceof InputError && message.test(error.message));
  }
});

test('a header longer than the file, or than the limit, is refused before memory is taken', async () => {
  const path = join(folder, 'long.safetensors');
  for (const length of [17n, 2n ** 40n, 2n ** 64n - 1n]) {
    const bytes = Buffer.alloc(24, ' ');
    bytes.writeBigUInt64LE(length);
    await writeFile(path, bytes);
    await assert.rejects(readSafetensors(path), /its header would have \d+ bytes, and the file has 24/);
  }
  await writeFile(path, 'short');
  await assert.rejects(readSafetensors(path), /it has 5 bytes/);
  await assert.rejects(readSafetensors(join(folder, 'none')), /there is no such file/);
  await assert.rejects(readSafetensors(folder), /it is (not a file|a folder)/);
});

test('a file that is cut or changed anywhere is refused or read, and nothing else happens', async () => {
  const path = join(folder, 'whole.safetensors');
  const arrays = {a: {shape: [2, 2], data: Float32Array.of(1, 2, 3, 4)}, b: {shape: [2], data: Int32Array.of(5, 6)}};
  await writeSafetensors(path, arrays, {k: 'v'});
  const whole = await readFile(path);
  const broken = join(folder, 'broken.safetensors');
  for (let length = 0; length < whole.length; length += 1) {
    await writeFile(broken, whole.subarray(0, length));
    await assert.rejects(readSafetensors(broken), InputError);
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({min: 1, max: 255}), async (position, flip) => {
      const bytes = Buffer.from(whole);
      bytes[position] ^= flip;
      await writeFile(broken, bytes);
      await readSafetensors(broken).catch((error) => assert.ok(error instanceof InputError, String(error)));
    }),
    {numRuns: 300},
  );
});
