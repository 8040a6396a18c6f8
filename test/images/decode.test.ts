import assert from 'node:assert/strict';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {test} from 'node:test';
import sharp from 'sharp';
import {decodeRgb, MAX_PIXELS} from '../../src/images/decode';
import {fitTo} from '../../src/images/geometry';
import {UnreadableImageError} from '../../src/images/unreadable';
import {madeFolder} from './madeFolder';

const GOLDEN = join(__dirname, 'golden');
const SIZE = {height: 28, width: 28, shorterSide: 32};

async function expected(name: string): Promise<Uint8Array> {
  return sharp(join(GOLDEN, 'expected', `${name}.png`))
    .toColourspace('srgb')
    .raw()
    .toBuffer();
}

/** Mean and largest absolute difference, in levels of 255. */
function difference(actual: Uint8Array, wanted: Uint8Array): {mean: number; largest: number} {
  assert.equal(actual.length, wanted.length);
  const differences = Array.from(actual, (level, i) => Math.abs(level - wanted[i]));
  return {mean: differences.reduce((a, b) => a + b) / differences.length, largest: Math.max(...differences)};
}

test("JPEG, PNG and WebP of every kind become Pillow's RGB, resized and cropped as torchvision does, to the bit", async () => {
  const files = (await readdir(GOLDEN)).filter((name) => name.includes('.'));
  assert.equal(files.length, 29);
  for (const file of files) {
    const actual = fitTo(await decodeRgb(join(GOLDEN, file), file), SIZE, file);
    assert.deepEqual(difference(actual, await expected(file)), {mean: 0, largest: 0}, file);
  }
});

test('nearest rounding agrees with Pillow at its own geometry', async () => {
  for (const file of ['rgb.png', 'large.jpg', 'tall.jpg']) {
    const actual = fitTo(await decodeRgb(join(GOLDEN, file), file), {...SIZE, rounding: 'nearest'}, file);
    assert.equal(difference(actual, await expected(`nearest-${file}`)).mean, 0, file);
  }
});

test('bicubic resizing agrees with Pillow, to the bit', async () => {
  for (const file of ['rgb.png', 'large.jpg', 'tall.jpg']) {
    const actual = fitTo(await decodeRgb(join(GOLDEN, file), file), {...SIZE, interpolation: 'bicubic'}, file);
    assert.equal(difference(actual, await expected(`bicubic-${file}`)).largest, 0, file);
  }
});

test('exif: true turns the image', async () => {
  const actual = fitTo(await decodeRgb(join(GOLDEN, 'turned.jpg'), 'turned.jpg', {exif: true}), SIZE, 'turned.jpg');
  assert.equal(difference(actual, await expected('exif-turned.jpg')).mean, 0);
});

test('icc: true converts an embedded profile to sRGB, of 16 bits too', async () => {
  for (const file of ['profile.jpg', 'profile.png', 'profile.webp', 'profile16.png']) {
    const actual = fitTo(await decodeRgb(join(GOLDEN, file), file, {icc: true}), SIZE, file);
    assert.ok(difference(actual, await expected(`icc-${file}`)).mean < 0.5, file);
    assert.ok(difference(actual, await expected(file)).mean > 10, 'the profile shows');
  }
});

async function refusal(name: string, bytes: Uint8Array): Promise<UnreadableImageError> {
  const file = join(await madeFolder({[name]: bytes}), name);
  const error: unknown = await decodeRgb(file, `cats/${name}`).catch((reason: unknown) => reason);
  assert.ok(error instanceof UnreadableImageError, `${name} was read`);
  assert.ok(error.message.startsWith(`unreadable image: cats/${name}: `));
  return error;
}

/** So little is left that the format may be beyond telling. */
const DAMAGED_OR_FOREIGN = /^it cannot be decoded; the file is damaged$|^it is no image in a known format$/;

test('truncated, empty and foreign files are unreadable, each for its reason', async () => {
  for (const name of ['rgb.jpg', 'progressive.jpg', 'rgb.png', 'lossy.webp']) {
    const bytes = await readFile(join(GOLDEN, name));
    for (const part of [0.05, 0.3, 0.6, 0.95]) {
      const {reason} = await refusal(name, bytes.subarray(0, bytes.length * part));
      assert.match(
        reason,
        part < 0.1 ? DAMAGED_OR_FOREIGN : /^it cannot be decoded; the file is damaged$/,
        `${name} ${part}`,
      );
    }
  }
  assert.match((await refusal('empty.jpg', new Uint8Array())).reason, /empty/);
  assert.match((await refusal('text.png', Buffer.from('hello'))).reason, /no image in a known format/);
  const header = (text: string) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(200, 7)]);
  for (const [start, format] of [
    ['BM\x46\0\0\0', 'BMP'],
    ['P6\n2 2\n255\n', 'PPM'],
    ['P5 2 2 255\n', 'PGM'],
    ['\0\0\x01\0\x01\0', 'icon'],
    ['8BPS\0\x01', 'Photoshop'],
    ['\0\0\0\x0cJXL \r\n', 'JPEG XL'],
    ['\0\0\0\x0cjP  \r\n', 'JPEG 2000'],
  ]) {
    const expected = `${format} images are not read; convert it to PNG or JPEG`;
    assert.equal((await refusal('other.png', header(start))).reason, expected);
  }
  const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n');
  assert.match((await refusal('lfs.jpg', pointer)).reason, /^it is a Git LFS pointer \(fetch the file itself/);
  assert.match((await refusal('login.jpg', Buffer.from('<!DOCTYPE html><p>'))).reason, /^it is a web page/);
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  assert.match((await refusal('drawing.png', Buffer.from(drawing))).reason, /svg images are not read/);
});

test('an absent file is unreadable, and its absolute path is not told', async () => {
  await assert.rejects(decodeRgb('/nowhere/1.png', '1.png'), {reason: 'there is no such file'});
});

test('a decompression bomb is refused by its header', async () => {
  const bomb = Buffer.from(await readFile(join(GOLDEN, 'rgb.jpg')));
  const frame = bomb.indexOf(Buffer.from([0xff, 0xc0]));
  bomb.writeUInt16BE(60000, frame + 5);
  bomb.writeUInt16BE(50000, frame + 7);
  const {reason} = await refusal('bomb.jpg', bomb);
  assert.equal(reason, `it has 50000 × 60000 pixels (width × height), more than the limit of ${MAX_PIXELS}`);
});

test('a file that is replaced is read anew', async () => {
  const file = join(await madeFolder({}), 'image.png');
  for (const level of [10, 200]) {
    const image = sharp({create: {width: 3, height: 3, channels: 3, background: {r: level, g: level, b: level}}});
    await writeFile(file, await image.png().toBuffer());
    assert.equal((await decodeRgb(file, 'image.png')).data[0], level);
  }
});
