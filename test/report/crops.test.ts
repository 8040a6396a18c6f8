import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import {topImages, type SplitTopImages} from '../../src/evaluate';
import type {SplitVisualization} from '../../src/features';
import {svgOf} from '../../src/report/display';
import {bundleOf, teaser, topImagesGallery} from '../../src/report/show';
import {central, croppedPicture, squareWithin} from '../../src/report/show/crops';
import {InputError} from '../../src/common/errors';
import {manyResults, type ManyResults} from './showResults';

let many: ManyResults;
let top: SplitTopImages;
before(async () => {
  many = await manyResults();
  top = await topImages(many.split, many.images, {count: 6, randomSplits: 0, relevance: true, progress: false});
});
after(() => many.dispose());

const htmlOf = async (value: unknown, options: object) => String((await bundleOf(value, options)).data['text/html']);
const count = (markup: string, pattern: RegExp) => markup.match(pattern)?.length ?? 0;

test('a crop is a square inside the picture, around what is seen wherever that fits', () => {
  const side = fc.integer({min: 1, max: 40});
  const property = fc.property(side, side, side, side, side, side, (tall, wide, a, b, c, d) => {
    const [top0, left0] = [Math.min(a, tall) - 1, Math.min(b, wide) - 1];
    const seen = {top: top0, left: left0, height: Math.min(c, tall - top0), width: Math.min(d, wide - left0)};
    const {top, left, height, width} = squareWithin(seen, tall, wide);
    assert.equal(height, width);
    assert.ok(top >= 0 && left >= 0 && top + height <= tall && left + width <= wide);
    assert.ok(height >= Math.min(Math.max(seen.height, seen.width), tall, wide));
    if (seen.height <= height) assert.ok(top <= seen.top && top + height >= seen.top + seen.height);
    if (seen.width <= width) assert.ok(left <= seen.left && left + width >= seen.left + seen.width);
  });
  fc.assert(property);
});

test('what is cut off at either end holds no more than half of what may go, and one index more would', () => {
  const property = fc.property(
    fc.array(fc.integer({min: 0, max: 9}), {minLength: 1, maxLength: 12}),
    fc.constantFrom(0.5, 0.8, 1),
    (values, share) => {
      const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
      const off = ((1 - share) / 2) * sum(values);
      const [first, last] = central(Float64Array.from(values), share);
      if (sum(values) === 0) return assert.deepEqual([first, last], [0, values.length - 1]);
      assert.ok(first <= last);
      assert.ok(sum(values.slice(0, first)) <= off);
      assert.ok(sum(values.slice(last + 1)) <= off);
      assert.ok(first === values.length - 1 || sum(values.slice(0, first + 1)) > off);
      assert.ok(last === first || sum(values.slice(last)) > off);
    },
  );
  fc.assert(property);
});

test('a crop shows the pixels of its place, and a mask darkens the others', async () => {
  const [{index, peak}] = top.lists[0].images;
  const [height, width] = many.model.inputShape;
  const part = squareWithin(peak!.field, height, width);
  assert.ok(part.height < height, 'the studied layer sees a part');
  const {crop, whole} = await croppedPicture(many.images, index, peak!, 4 * part.width, {crop: true});
  const pixels = await many.images.pixels(index, {height, width});
  const {data, info} = await sharp(crop).raw().toBuffer({resolveWithObject: true});
  assert.deepEqual([info.width, info.height], [4 * part.width, 4 * part.width]);
  const mean = (values: Uint8Array) => values.reduce((a, b) => a + b, 0) / values.length;
  const rows = Array.from({length: part.height}, (_, y) => {
    const from = 3 * ((part.top + y) * width + part.left);
    return [...pixels.subarray(from, from + 3 * part.width)];
  });
  assert.ok(Math.abs(mean(data) - mean(Uint8Array.from(rows.flat()))) < 8);
  assert.ok(whole.length > 0);
  const masked = await croppedPicture(many.images, index, peak!, 48, {mask: true});
  const plain = await croppedPicture(many.images, index, peak!, 48, {});
  const brightness = async (jpeg: Buffer) => mean(await sharp(jpeg).raw().toBuffer());
  assert.ok((await brightness(masked.crop)) < 0.9 * (await brightness(plain.crop)));
});

test('rows of top images are cut, with the whole picture one click away and the prediction below', async () => {
  const {images} = many;
  const plain = await htmlOf(top, {images});
  const cut = await htmlOf(top, {images, crop: true, count: 4});
  const shown = top.lists.reduce((sum, list) => sum + Math.min(4, list.images.length), 0);
  assert.equal(count(plain, /<details style="display:inline"/g), 0);
  assert.equal(count(cut, /<details style="display:inline"/g), shown);
  assert.equal(count(cut, /data:image\/jpeg/g), 2 * shown);
  assert.ok(cut.includes('the predicted class and its probability'));
  assert.match(plain, /\d+ %\s*<\/bdi>/);
});

test('pictures are filtered by class', async () => {
  const {images} = many;
  const [{class: k}] = top.lists[0].images;
  const own = top.lists.flatMap((list) => list.images).filter((image) => image.class === k).length;
  const markup = await htmlOf(top, {images, classes: [k]});
  assert.equal(count(markup, /data:image\/jpeg/g), own);
});

test('found channels are cut where the network is given, and say so where it is not', async () => {
  const {results, images, stats, model} = many;
  const found = results['found channels'];
  const markup = await htmlOf(found, {images, stats, model, crop: 'relevance', mask: true});
  assert.ok(count(markup, /<details style="display:inline"/g) > 0);
  await assert.rejects(
    bundleOf(found, {images, stats, crop: true}),
    (error) => error instanceof InputError && /crop needs the network.*give show\(…, \{model\}\)/.test(error.message),
  );
});

test('a mask or a close crop needs maps of relevance', async () => {
  const without = await topImages(many.split, many.images, {count: 2, randomSplits: 0, progress: false});
  for (const options of [{mask: true}, {crop: 'relevance' as const}]) {
    await assert.rejects(
      bundleOf(without, {images: many.images, ...options}),
      (error) => error instanceof InputError && /topImages\(…, \{relevance: true\}\)/.test(error.message),
    );
  }
});

test('a split shows crops of its own making', async () => {
  const markup = await htmlOf(many.split, {images: many.images, crop: 'relevance', mask: true, count: 3});
  assert.ok(count(markup, /<details style="display:inline"/g) >= 3);
  const gallery = await topImagesGallery(top, many.images, {count: 3, crop: true});
  assert.equal((await sharp(gallery).metadata()).format, 'png');
});

test('the teaser rings each visualisation with six crops, and looks as it did when it was last reviewed', async () => {
  const features = many.results['visualisations of a split'] as SplitVisualization;
  const about = {...features, channel: top.channel, parts: features.parts.slice(0, 2)};
  const drawing = await teaser(about, top, many.images);
  assert.equal(
    count(drawing.body, /<image /g),
    3 + top.lists.reduce((sum, {images}) => sum + Math.min(6, images.length), 0),
  );
  const svg = `${svgOf(drawing)
    .replace(/data:[^"]*/g, 'data:')
    .replace(/></g, '>\n<')}\n`;
  const file = path.join(__dirname, 'snapshots', 'teaser.svg');
  if (process.env['UPDATE_SNAPSHOTS'] === '1') {
    mkdirSync(path.dirname(file), {recursive: true});
    writeFileSync(file, svg);
  }
  assert.ok(existsSync(file), `${file} is missing; UPDATE_SNAPSHOTS=1 writes it, then look at it`);
  assert.equal(svg, readFileSync(file, 'utf8'), 'UPDATE_SNAPSHOTS=1 rewrites it: look at the difference');
  await assert.rejects(teaser({...about, channel: 99}, top, many.images), /give topImages of the same split/);
});
