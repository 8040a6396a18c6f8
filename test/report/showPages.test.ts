import assert from 'node:assert/strict';
import {test} from 'node:test';
import sharp from 'sharp';
import {html} from '../../src/report/display';
import {galleryImage, resultPage, topImagesGallery} from '../../src/report/show';
import {heatColour, overlay, squared} from '../../src/report/show/heat';
import {candidateScatter, similarityHeatmap} from '../../src/plots';
import {findPolysemantic} from '../../src/concepts/find';
import {exampleStatistics, HOSTILE_NAMES} from '../plots/examples';
import {manyResults} from './showResults';

test('a page holds all it needs, the library once, and its names as text', async () => {
  const many = await manyResults();
  const {results, images, stats} = many;
  const page = await resultPage('<b>title</b>', [
    {heading: '<b>first</b>', text: ['a <b>line</b>'], content: [results['top images']], options: {images}},
    {heading: 'second', content: [results['found channels'], html`<i>markup</i>`], options: {stats}},
    {heading: 'third', content: [results['an evaluation'], 'just <b>text</b>']},
    {heading: 'empty'},
  ]);
  many.dispose();
  assert.match(page, /^<!doctype html>/);
  assert.equal(page.match(/DecompressionStream\("gzip"\)/g)?.length, 1);
  assert.ok((page.match(/data:image\/(svg\+xml|png)/g)?.length ?? 0) >= 3);
  const markup = page.replace(/<script>[\s\S]*?<\/script>/g, '');
  assert.doesNotMatch(markup, /(src|href)="(?!data:)/);
  assert.doesNotMatch(markup.replace(/"[^"]*"/g, '""'), /<b>/);
  assert.ok(markup.includes('&lt;b&gt;line&lt;/b&gt;') && markup.includes('<i>markup</i>'));
});

test('a page of figures alone is small', async () => {
  const stats = exampleStatistics(HOSTILE_NAMES);
  const found = findPolysemantic(stats, {tau: 0.05, p: 0.5});
  const page = await resultPage('figures', [
    {heading: 'both', content: [candidateScatter(found), similarityHeatmap(stats, 3)]},
  ]);
  assert.ok(page.length < 450_000, `${page.length} bytes`);
});

test('a gallery has a row of pictures for each label, in frames of their colours', async () => {
  const red = await sharp({create: {width: 9, height: 9, channels: 3, background: '#ff0000'}})
    .png()
    .toBuffer();
  const png = await galleryImage(
    [
      {label: '<first> & "row"', note: 'שלום', images: [{bytes: red, frame: '#0000ff'}, {bytes: red}]},
      {label: 'second', images: [{bytes: undefined}]},
      {label: 'third', images: []},
    ],
    {side: 40, title: 'a title', scale: 2},
  );
  const {data, info} = await sharp(png).removeAlpha().raw().toBuffer({resolveWithObject: true});
  const at = (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
  const right = info.width - 2 * 12;
  const near = (found: number[], expected: number[]) =>
    assert.ok(
      found.every((value, c) => Math.abs(value - expected[c]) < 8),
      `${found.join()} is not ${expected.join()}`,
    );
  const top = 2 * (12 + 26);
  near(at(right - 40, top + 40), [255, 0, 0]);
  near(at(right - 2 * (80 + 4) + 6, top + 3), [0, 0, 255]);
  near(at(2, 2), [255, 255, 255]);
  assert.equal(info.height, 2 * (12 + 26 + 3 * 44 - 4 + 12));
});

test('a gallery of nothing is still a picture', async () => {
  const {width, height} = await sharp(await galleryImage([])).metadata();
  assert.ok(width > 0 && height > 0);
});

test('the gallery of top images has a row for the original and for each part', async () => {
  const many = await manyResults();
  const top = many.results['top images'] as Parameters<typeof topImagesGallery>[0];
  const {height} = await sharp(await topImagesGallery(top, many.images, {count: 3, side: 30})).metadata();
  many.dispose();
  assert.equal(height, 12 + top.lists.length * 34 - 4 + 12);
});

test('an overlay is coloured where the map is high, grey where it is not positive', () => {
  const picture = squared({data: new Uint8Array(2 * 2 * 3).fill(200), width: 2, height: 2}, 8);
  const {data, width} = overlay(picture, [1, -1, -1, -1], {height: 2, width: 2}, 1, 8);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  const [red, green, blue] = at(7, 7);
  assert.ok(red === green && green === blue, 'grey');
  const strongest = heatColour(1);
  const corner = at(0, 0);
  corner.forEach((value, c) => assert.ok(Math.abs(value - (0.9 * strongest[c] + 0.1 * 180)) < 6));
});

test('maps without a positive or finite value leave the picture grey', () => {
  const picture = {data: Uint8Array.from([10, 20, 30]), width: 1, height: 1};
  for (const [map, highest] of [
    [[NaN], 1],
    [[5], 0],
    [[-3], 2],
  ] as const) {
    const [red, green, blue] = overlay(picture, map, {height: 1, width: 1}, highest, 1).data;
    assert.ok(red === green && green === blue);
  }
});
