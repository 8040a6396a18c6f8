import assert from 'node:assert/strict';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {inspect} from 'node:util';
import sharp from 'sharp';
import {html, toBundle} from '../../src/report/display';
import {plots} from '../../src/report/plots';
import {saveFigure, show, topImagesGallery} from '../../src/report/show';
import type {SplitTopImages} from '../../src/evaluate';
import {InputError} from '../../src/common/errors';
import {rhoSweep} from '../../src/plots';
import {similarityMap} from '../../src/plots/similarityMap';
import {DARK, GRID, GROUND, INK, QUIET} from '../../src/plots/palette';
import {manyResults, type ManyResults} from './showResults';

let many: ManyResults;
const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-'));
const file = (name: string) => path.join(folder, name);
before(async () => (many = await manyResults()));
after(() => {
  many.dispose();
  rmSync(folder, {recursive: true});
});

test('a plot of the public API saves itself, and is the same data as the plain one', async () => {
  const figure = plots.rhoSweep(many.split);
  assert.deepEqual(figure, rhoSweep(many.split));
  assert.deepEqual(Object.keys(figure), Object.keys(rhoSweep(many.split)));
  for (const ending of ['svg', 'png', 'html', 'json']) {
    assert.equal(await figure.save(file(`rho.${ending}`)), file(`rho.${ending}`));
  }
  assert.match(readFileSync(file('rho.svg'), 'utf8'), /^<svg/);
  assert.equal((await sharp(file('rho.png')).metadata()).format, 'png');
  assert.match(readFileSync(file('rho.html'), 'utf8'), /^<!doctype html>/);
  assert.equal(JSON.parse(readFileSync(file('rho.json'), 'utf8')).title.text, (figure.title as {text: string}).text);
});

test('whatever show shows is saved as a page, with the library inside once', async () => {
  const {results, stats, images, model} = many;
  for (const [name, value] of Object.entries(results)) {
    await saveFigure(value, file('result.html'), {stats, images, model});
    const page = readFileSync(file('result.html'), 'utf8');
    assert.ok(page.length > 400, name);
    assert.doesNotMatch(page, /(src|href)="https?:/, name);
    assert.ok((page.match(/DecompressionStream/g)?.length ?? 0) <= 1, name);
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('every result is saved as PNG, SVG and PDF, at the width and resolution that are asked for', async () => {
  const {results, stats, images, model} = many;
  for (const [name, value] of Object.entries(results)) {
    for (const ending of ['png', 'svg', 'pdf']) {
      await saveFigure(value, file(`result.${ending}`), {stats, images, model, count: 3, width: 180, resolution: 100});
    }
    const {format, width} = await sharp(file('result.png')).metadata();
    assert.equal(format, 'png', name);
    assert.ok(Math.abs(width! - (180 / 25.4) * 100) <= 1, `${name}: ${width}`);
    const svg = readFileSync(file('result.svg'), 'utf8').replace(/data:[^"]*/g, 'data:');
    assert.match(svg, /^<svg [^>]* width="180mm" height="[\d.]+mm"/, name);
    assert.doesNotMatch(svg, /NaN|undefined|<b>/, name);
    const pdf = readFileSync(file('result.pdf'));
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-', name);
    assert.ok(pdf.length > 1000, name);
  }
});

test('a figure of its own size has two pixels for each of its own, and two figures share no names', async () => {
  await saveFigure(many.results['densities'], file('densities.png'));
  await saveFigure(many.results['densities'], file('densities.svg'));
  const [png, svg] = await Promise.all([
    sharp(file('densities.png')).metadata(),
    sharp(file('densities.svg')).metadata(),
  ]);
  assert.ok(Math.abs(png.width! - 2 * svg.width!) <= 2);
  await saveFigure(many.results['found channels'], file('found.svg'), {stats: many.stats});
  const ids = [...readFileSync(file('found.svg'), 'utf8').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('what cannot be written says what can', async () => {
  const saved = (name: string, options = {}) => saveFigure(many.results['activation maps'], file(name), options);
  const refuses = (work: Promise<string>, message: RegExp) =>
    assert.rejects(work, (error: Error) => error instanceof InputError && message.test(error.message));
  await refuses(saved('maps.json'), /as \.json: only a figure.*; write \.png, \.svg, \.pdf or \.html/);
  await refuses(
    saveFigure(similarityMap(many.stats, 0), file('map.pdf')),
    /a Plotly figure cannot be written as \.pdf/,
  );
  await refuses(saved('maps.png', {width: -1}), /invalid width: -1; it is a number above 0/);
  await refuses(saved('maps.png', {resolution: NaN}), /invalid resolution: NaN/);
});

test('a picture for dark pages has the dark palette, and an unknown theme is refused', async () => {
  const split = many.results['a split'];
  await saveFigure(split, file('dark.svg'), {theme: 'dark'});
  const svg = readFileSync(file('dark.svg'), 'utf8');
  assert.match(svg, new RegExp(`fill="${DARK[GROUND]}"`));
  assert.doesNotMatch(svg, new RegExp(`"(${[GROUND, INK, QUIET, GRID].join('|')})"`));
  await assert.rejects(saveFigure(split, file('x.svg'), {theme: 'blue' as 'dark'}), /invalid theme: 'blue'/);
});

test('a gallery is saved as it is', async () => {
  const png = await topImagesGallery(many.results['top images'] as SplitTopImages, many.images);
  await saveFigure(png, file('gallery.png'));
  assert.deepEqual(readFileSync(file('gallery.png')), png);
  await saveFigure(png, file('gallery.html'));
  assert.match(readFileSync(file('gallery.html'), 'utf8'), /data:image\/png;base64,/);
});

test('what show does not know is not saved', async () => {
  for (const value of [5, undefined, {a: 1}, [], [html`<b>x</b>`, 5]]) {
    await assert.rejects(
      saveFigure(value, file('x.html')),
      /cannot save .*; give a figure, or a result that show knows/,
    );
  }
  await saveFigure([toBundle('text'), html`<b>x</b>`], file('list.html'));
  assert.match(readFileSync(file('list.html'), 'utf8'), /text[\s\S]*<b>x<\/b>/);
});

test('a promise, and a call that nobody awaits, get one sentence that says await', async () => {
  const later = Promise.resolve({kind: 'split'});
  const refused =
    /^InputError: (show|saveFigure) was given a promise, whose result is not there yet; write \1\(await …\)$/;
  assert.throws(() => show(later), refused);
  await assert.rejects(saveFigure(later, path.join(folder, 'later.svg')), refused);
  const spec = {$schema: 'https://vega.github.io/schema/vega-lite/v5.json', mark: 'point', data: {values: []}};
  const writing = saveFigure(spec, path.join(folder, 'alone.json'));
  assert.match(inspect(writing), /alone\.json" is being written; write await saveFigure\(…\) to wait for it$/);
  assert.equal(await writing, path.join(folder, 'alone.json'));
});
