import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import sharp from 'sharp';
import {
  bundleSize,
  chartBundle,
  interactiveChartBundle,
  plotlyBundle,
  renderSvgPng,
  renderVegaPng,
  renderVegaSvg,
  themed,
  type VegaLiteSpec,
} from '../../src/report/display';
import {saveFigure} from '../../src/report/show';
import {InputError} from '../../src/common/errors';

const NAMES = ['<b>dog</b>', 'שלום', `"it's"`, '😀', 'plain'];
const BARS: VegaLiteSpec = {
  title: 'Shares',
  data: {values: NAMES.map((name, i) => ({name, share: i / 4}))},
  mark: 'bar',
  encoding: {y: {field: 'name', type: 'nominal'}, x: {field: 'share', type: 'quantitative', title: 'share'}},
};

test('a chart is Vega-Lite 5 and a picture, without HTML beside them, in some kilobytes', () => {
  const bundle = chartBundle(BARS);
  assert.deepEqual(Object.keys(bundle.data), ['application/vnd.vegalite.v5+json', 'image/png', 'text/plain']);
  assert.equal(bundle.data['text/plain'], 'figure: Shares');
  assert.ok(bundleSize(bundle) < 60_000, `${bundleSize(bundle)} bytes`);
});

test('a figure is drawn with its names as text', () => {
  const svg = renderVegaSvg(BARS);
  for (const name of ['&lt;b&gt;dog&lt;/b&gt;', 'שלום', `"it's"`, '😀', 'plain'])
    assert.ok(svg.includes(`>${name}</text>`), name);
  assert.doesNotMatch(svg, /<b>/);
});

test('labels are drawn although no font of the machine is asked', async () => {
  const text = (fill: string) =>
    renderSvgPng(
      `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20"><text y="15" font-family="Helvetica Neue" fill="${fill}">label</text></svg>`,
      1,
    );
  const {channels} = await sharp(text('#ff0000')).stats();
  assert.ok(channels[0].max > 200 && channels[3].max === 255);
});

test('a picture has two pixels for each of the figure, and a white ground', async () => {
  const png = renderVegaPng(BARS);
  const {width, height} = await sharp(png).metadata();
  const [, w, h] = /width="([\d.]+)" height="([\d.]+)"/.exec(renderVegaSvg(BARS)) ?? [];
  assert.ok(Math.abs(width - 2 * Number(w)) <= 1 && Math.abs(height - 2 * Number(h)) <= 1);
  const corner = await sharp(png).extract({left: 0, top: 0, width: 1, height: 1}).raw().toBuffer();
  assert.deepEqual([...corner.subarray(0, 3)], [255, 255, 255]);
});

test('pictures inside a figure are drawn', async () => {
  const red = await sharp({create: {width: 8, height: 8, channels: 3, background: '#ff0000'}})
    .png()
    .toBuffer();
  const url = `data:image/png;base64,${red.toString('base64')}`;
  const png = renderVegaPng(
    {data: {values: [{}]}, width: 40, height: 40, mark: {type: 'image', url, width: 40, height: 40}},
    1,
  );
  const {data, info} = await sharp(png).removeAlpha().raw().toBuffer({resolveWithObject: true});
  const middle = (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * 3;
  assert.deepEqual([...data.subarray(middle, middle + 3)], [255, 0, 0]);
});

test('a figure keeps its own colours over those of the house', () => {
  const {config, background} = themed({...BARS, background: 'pink', config: {axis: {labelColor: 'red'}}});
  assert.equal(background, 'pink');
  assert.equal(config?.axis?.labelColor, 'red');
  assert.ok(config?.axis?.titleColor);
});

test('an empty figure and one with numbers that are none are drawn', () => {
  for (const values of [[], [{name: 'a', share: NaN}], [{name: 'a', share: null}]]) {
    const bundle = chartBundle({...BARS, data: {values}} as VegaLiteSpec);
    assert.ok(String(bundle.data['image/png']).length > 500);
  }
});

test('an interactive chart and a Plotly figure have HTML that needs no network', () => {
  const chart = String(interactiveChartBundle(BARS).data['text/html']);
  assert.match(chart, /<img alt="figure: Shares"[^>]* src="data:image\/svg\+xml;base64,/);
  const plotly = plotlyBundle({data: [{y: [1, 2]}], layout: {title: {text: '</script>'}}});
  assert.deepEqual(Object.keys(plotly.data), ['application/vnd.plotly.v1+json', 'text/html', 'text/plain']);
  for (const markup of [chart, String(plotly.data['text/html'])]) assert.doesNotMatch(markup, /(src|href)="https?:/);
});

test('a figure is saved as picture, page and data, and refused otherwise', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-'));
  t.after(() => rmSync(folder, {recursive: true}));
  const file = (name: string) => path.join(folder, name);
  for (const ending of ['svg', 'png', 'html', 'json']) {
    assert.equal(await saveFigure(BARS, file(`a.${ending}`)), file(`a.${ending}`));
  }
  assert.match(readFileSync(file('a.svg'), 'utf8'), /^<svg/);
  assert.equal(readFileSync(file('a.png')).toString('latin1', 1, 4), 'PNG');
  const page = readFileSync(file('a.html'), 'utf8');
  assert.ok(page.length < 400_000, `${page.length} bytes`);
  assert.doesNotMatch(page, /(src|href)="https?:/);
  assert.deepEqual(JSON.parse(readFileSync(file('a.json'), 'utf8')), JSON.parse(JSON.stringify(themed(BARS))));
  await saveFigure({data: [{y: [1]}]}, file('b.json'));
  await assert.rejects(saveFigure({data: [{y: [1]}]}, file('b.png')), /needs a browser/);
  await assert.rejects(
    saveFigure(BARS, file('a.gif')),
    (error: Error) => error instanceof InputError && /a\.gif/.test(error.message),
  );
  await assert.rejects(
    saveFigure(BARS, file(path.join('missing', 'a.svg'))),
    (error: Error) =>
      error instanceof InputError && /there is no folder ".*missing"; make it first/.test(error.message),
  );
});
