import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {buf} from 'crc-32';
import {InputError} from '../../src/common/errors';
import {withBinaryFile} from '../../src/files/binaryFile';
import {crc32} from '../../src/files/checksum';
import {readZipDirectory} from '../../src/files/zipArchive';
import {zipOf} from '../reference/torchFiles';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zip-'));
});
after(() => rm(folder, {recursive: true}));

/** Where the members lie, by name. */
async function located(bytes: Buffer): Promise<Record<string, string>> {
  const path = join(folder, 'made.zip');
  await writeFile(path, bytes);
  return withBinaryFile(path, async (file) => {
    const zip = await readZipDirectory(file);
    const found: Record<string, string> = {};
    for (const name of zip.names) {
      const {position, length} = await zip.locate(name);
      found[name] = bytes.subarray(position, position + length).toString();
    }
    return found;
  });
}

async function refuses(bytes: Buffer, reason: RegExp): Promise<void> {
  await assert.rejects(located(bytes), (error) => error instanceof InputError && reason.test(error.message));
}

test('members are found, with checksums that fit or without any', async () => {
  const files = {'a/one': 'first', 'a/two': '', 'a/three': 'x'.repeat(1000)};
  assert.deepEqual(await located(zipOf(files)), files);
  assert.deepEqual(await located(zipOf(files, {checksums: false})), files);
});

test('a checksum that does not fit, or only one that is left out, is refused with its member', async () => {
  const whole = zipOf({one: 'first', two: 'second'});
  const changed = Buffer.from(whole);
  changed[whole.indexOf('second')] ^= 1;
  await refuses(changed, /the bytes of its member "two" do not fit their checksum/);
  const left = Buffer.from(whole);
  left.writeUInt32LE(0, whole.lastIndexOf('PK\x01\x02') + 16);
  await refuses(left, /its member "two" do not fit/);
});

test('an archive that is cut off, in parts or without a readable directory is named in words of our own', async () => {
  const whole = zipOf({one: 'first', two: 'second'});
  for (const share of [0.3, 0.6, 0.98]) {
    await refuses(
      whole.subarray(0, whole.length * share),
      /truncated zip archive: its end is missing; copy or download the file again$/,
    );
  }
  const end = whole.lastIndexOf('PK\x05\x06');
  const parts = Buffer.from(whole);
  parts.writeUInt16LE(3, end + 4);
  await refuses(parts, /it is one of several parts; put them together first$/);
  const entry = Buffer.from(whole);
  entry[whole.indexOf('PK\x01\x02')] = 0;
  await refuses(entry, /its directory is damaged; copy or download the file again$/);
});

test('two members of one name, and members that overlap, are refused by name', async () => {
  await refuses(zipOf([['a/data/0', 'xx'], ['a/data/0', 'yy']]), /it has two members "a\/data\/0"/); // prettier-ignore
  const inner = zipOf({hidden: 'inside'});
  const nested = zipOf({outer: inner, hidden: 'inside'});
  nested.writeUInt32LE(nested.indexOf('PK\x03\x04', 4), nested.lastIndexOf('PK\x01\x02') + 42);
  await refuses(nested, /its members "outer" and "hidden" overlap/);
  const renamed = zipOf({one: 'first'});
  renamed.write('two', 30);
  await refuses(renamed, /its member "one" is called "two" elsewhere/);
});

test('names that would steer a terminal are shown', async () => {
  const name = '\x1b[2J\u202ename';
  await refuses(zipOf([[name, ''], [name, '']]), /two members "\\u\{1b\}\[2J\\u\{202e\}name"/); // prettier-ignore
});

test('the checksum is that of the library, in pieces too', () => {
  const bytes = Uint8Array.from({length: 5000}, (_, i) => (i * 7919) % 256);
  const slowly = buf(bytes) >>> 0;
  assert.equal(crc32(bytes), slowly);
  assert.equal(crc32(bytes.subarray(1234), crc32(bytes.subarray(0, 1234))), slowly);
  assert.equal(buf(bytes.subarray(1234), buf(bytes.subarray(0, 1234))) >>> 0, slowly);
});
