import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import {before, test} from 'node:test';
import * as fc from 'fast-check';
import {demo, DEMO_EXAMPLE} from '../../src/demo';
import {imagesFromPixels} from '../../src/images/inMemory';
import {explore, exploreBundle, explorePage, type Exploration} from '../../src/explore';
import {pack, select} from '../../src/explore/pack';
import {analyse, complete} from '../../src/explore/page/analysis';
import {unpack} from '../../src/explore/page/packed';
import {divideSources} from '../../src/explore/page/sources';
import {disentangleCode} from '../../src/explore/page/words';
import {kernelState} from '../../src/report/display/state';
import {InputError} from '../../src/common/errors';
import {emptyStatistics} from '../../src/relevance/accumulate';
import {collectRelevance} from '../../src/relevance/collect';
import {uniform} from '../reference/smallNetworks';
import {syntheticStatistics} from '../reference/syntheticStatistics';
import {assertSameFindings, travelled, type Page} from './exploreFindings';
import {bundleExplore, kernelFinds, NASTY, picturesFor, settingsAt} from './exploreSetting';
import {fakeKernel} from '../kernel/fakeKernel';

before(() => bundleExplore());

const share = fc.double({min: 0, max: 1, noNaN: true});
const ANYWHERE = fc.tuple(share, share, share, share);

test('the page finds what findPolysemantic finds, wherever the knobs stand', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({min: 6, max: 60}), ANYWHERE, async (seed, images, knobs) => {
      const stats = syntheticStatistics({seed, images});
      const explored = await travelled(stats);
      assert.deepEqual(explored.about.reduced, []);
      assertSameFindings(stats, explored, settingsAt(explored.grid, knobs), {analyse, complete, divideSources}, 1e-6);
    }),
    {numRuns: 150},
  );
});

test('the page finds what findPolysemantic finds in the demo', async () => {
  const {model, train} = await demo({trainPerClass: 5});
  const stats = await collectRelevance(model, train, {layer: DEMO_EXAMPLE.layer});
  model.dispose();
  const explored = await travelled(stats);
  const draw = uniform(1, 0, 0.999);
  for (let move = 0; move < 60; move++) {
    const at = settingsAt(explored.grid, [draw(), draw(), draw(), draw()]);
    for (const arv of ['published', 'gated'] as const)
      assertSameFindings(stats, explored, {...at, arv}, {analyse, complete, divideSources}, 1e-6);
  }
  assert.equal(explored.start.arv, 'gated', 'as findPolysemantic compares');
  const found = kernelFinds(stats, explored.start);
  assert.ok(found.length > 5 && found.some(({channel}) => channel === DEMO_EXAMPLE.channel));
});

test('the bundled script, of the rooms that may run in a browser, finds the same', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unweave-explore-'));
  t.after(() => rmSync(folder, {recursive: true}));
  const inputs = await bundleExplore(folder);
  const sources = inputs.filter((file) => !file.startsWith('node_modules/'));
  const allowed = /^src\/(common\/|numerics\/|concepts\/|plots\/|split\/sources\.ts|explore\/page\/)/;
  assert.deepEqual(
    sources.filter((file) => !allowed.test(file)),
    [],
  );
  for (const file of ['src/concepts/find.ts', 'src/split/sources.ts', 'src/numerics/vectors.ts']) {
    assert.ok(sources.includes(file), file);
  }
  assert.ok(readFileSync(path.join(folder, 'page.js')).length < 110_000);
  assert.match(
    readFileSync(path.join(folder, 'LICENSES.txt'), 'utf8'),
    /ml-hclust [\s\S]*Permission is hereby granted/,
  );
  const page = createRequire(__filename)(path.join(folder, 'page.js')) as Page & {unpack: typeof unpack};
  await fc.assert(
    fc.asyncProperty(fc.integer(), ANYWHERE, async (seed, knobs) => {
      const stats = syntheticStatistics({seed, classes: 7, outputs: 20});
      const explored = await page.unpack({data: pack(stats, select(stats, {}, 4e6))});
      assertSameFindings(stats, explored, settingsAt(explored.grid, knobs), page, 1e-6);
    }),
    {numRuns: 40},
  );
});

test('the knobs start where they are told, and pictures are those of the classes', async () => {
  const stats = syntheticStatistics({seed: 3, images: 60});
  const explored = await travelled(stats, {tau: 0.0421, p: 0.33, gamma: 0.123, rho: 0.77});
  assert.deepEqual(explored.start, {tau: 0.0421, p: 0.33, gamma: 0.123, rho: 0.77});
  for (const knob of ['tau', 'p', 'gamma', 'rho'] as const) {
    assert.ok(explored.grid[knob].includes(explored.start[knob]));
    assert.deepEqual(
      explored.grid[knob],
      [...new Set(explored.grid[knob])].sort((a, b) => a - b),
    );
  }
  const markup = await explorePage(stats, {images: picturesFor(stats), thumbnails: 2, tau: 0.05, p: 0.4});
  const packed = /"data":"([\w+/=]+)"/.exec(markup)![1];
  const {pictures, channels} = await unpack({data: packed});
  assert.match(markup, /"sprite":"data:image\/webp;base64,/);
  let shown = 0;
  pictures!.tiles.forEach((byClass, row) =>
    byClass.forEach((tiles, position) => {
      assert.ok(tiles.length <= 2);
      for (const tile of tiles) {
        shown += 1;
        assert.ok(pictures!.paths[tile].startsWith(`class${channels[row].classes[position]}/`));
      }
    }),
  );
  assert.ok(shown > 0);
});

test('whatever a class is called, it stays text, and code to paste holds numbers only', async () => {
  const stats = syntheticStatistics({seed: 3, classes: NASTY.length, images: 70});
  stats.classNames = NASTY;
  const markup = await explorePage(stats, {tau: 0.05, p: 0.4, images: picturesFor(stats)});
  const withoutScripts = markup.replace(/<script>[\s\S]*?<\/script>/g, '');
  assert.equal(markup.match(/<\/script/g)!.length, 2, 'the library and the panel');
  assert.doesNotMatch(withoutScripts, /<b>|onerror="/);
  assert.match(withoutScripts, /&lt;img src=x onerror=/);
  assert.doesNotMatch(withoutScripts, /<iframe|\bon\w+="/);
  assert.equal(
    disentangleCode(7, [{classes: [1]}, {classes: [4, 2]}], 0.5),
    'const split = await uw.disentangle(model, stats, {channel: 7, concepts: [[1], [4, 2]]}, {images: train, rho: 0.5});',
  );
  assert.match(disentangleCode(7, [{classes: [1]}, {classes: [4]}], 'auto'), /\{images: train\}\);$/);
});

test('statistics of nothing, of one class or of no numbers still make a panel that says so', async () => {
  const nothing = emptyStatistics({
    model: {name: 'm', hash: 'h'},
    layer: {
      name: 'l',
      kind: 'conv',
      shape: [1, 1, 2, 2],
      kernel: new Float32Array(4),
      strides: [1, 1],
      padding: 'same',
      dilation: [1, 1],
      groups: 1,
    },
    classes: 2,
    classNames: ['a', 'b'],
    preset: {name: 'none', mean: [0, 0, 0], std: [1, 1, 1]},
    images: {name: 'no images', listHash: '', total: 0},
    floor: 0.005,
    topCount: 1,
  });
  const one = syntheticStatistics({classes: 1});
  const notNumbers = syntheticStatistics({seed: 3});
  notNumbers.inputSums.fill(NaN);
  for (const [stats, words] of [
    [nothing, /0 images of 0 classes.*0 of 2 channels/],
    [one, /of 1 class\. At.* 0 of 8 channels/],
    [notNumbers, /0 of 0 pairs below γ/],
  ] as const) {
    const {data} = await exploreBundle(stats, {tau: 0.05, p: 0.4});
    assert.match(String(data['text/plain']), words);
    assert.match(String(data['text/html']), /<script>/);
    const explored = await travelled(stats, {tau: 0.05, p: 0.4});
    const analysis = analyse(explored);
    for (const {channel} of complete(analysis.overview(explored.start)).candidates) {
      assert.equal(analysis.detail(explored.start, channel), undefined);
    }
  }
});

test('the panel is shown in its cell, its script once a notebook, with the same content at rest', async (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  const stats = syntheticStatistics({seed: 3});
  assert.throws(() => explore(stats, {tau: 7}), InputError);
  const panel = explore(stats, {tau: 0.05, p: 0.5}) as Exploration;
  kernel.runCell();
  await kernelState().showing;
  const {data} = cell.outputs[0];
  const found = kernelFinds(stats, {tau: 0.05, p: 0.5, gamma: 0.5, rho: 0.5});
  assert.deepEqual(Object.keys(data), ['text/html', 'text/plain']);
  const words = new RegExp(
    `${found.candidates.length} of 8 channels .* ${found.length} polysemantic: ${found.pairs.length} of`,
  );
  assert.match(String(data['text/plain']), words);
  assert.match(String(data['text/html']), words);
  assert.match(String(data['text/html']), /<img alt="cosines of the classes/);
  assert.deepEqual(panel.found.pairs, found.pairs, 'what the panel starts at');
});

test('what the kernel has of a panel follows its sliders, where the page can be heard', async (t) => {
  const kernel = fakeKernel();
  t.after(kernel.stop);
  const cell = kernel.runCell();
  let say: (text: string) => void = () => {};
  const bundle = {data: {'text/plain': 'the field'}};
  kernelState().linkPage = (onText) => {
    say = onText;
    return {className: 'unweave-link-7', bundle};
  };
  t.after(() => delete kernelState().linkPage);
  const stats = syntheticStatistics({seed: 3});
  const panel = explore(stats, {tau: 0.05, p: 0.5}) as Exploration;
  await kernelState().showing;
  assert.match(String(cell.outputs[0].data['text/html']), /"link":"unweave-link-7"/);
  assert.deepEqual(cell.outputs[1].data, bundle.data);
  const at = {tau: 0.06, p: 0.3, gamma: 0.8, rho: 0.4};
  say(JSON.stringify({...at, channel: 2}));
  assert.deepEqual(panel.settings, at);
  assert.deepEqual(panel.found.pairs, kernelFinds(stats, at).pairs);
  for (const nonsense of ['', '{', '{"tau": 7}', 'null']) say(nonsense);
  assert.deepEqual(panel.settings, at);
});

test('options out of range get one sentence', async () => {
  const stats = syntheticStatistics({seed: 1});
  const other = imagesFromPixels({name: 'others', pixels: [new Uint8Array(3)], height: 1, width: 1, labels: [0]});
  for (const [options, message] of [
    [{tau: 0.001}, /invalid tau: 0.001; give a share from 0.005, the smallest that the statistics keep, to 1/],
    [{p: 0}, /invalid p: 0/],
    [{gamma: -2}, /invalid gamma: -2/],
    [{rho: 1.5}, /invalid rho: 1.5/],
    [{thumbnails: 0}, /invalid thumbnails: 0/],
    [{megabytes: NaN}, /invalid megabytes: NaN/],
    [{images: other}, /no image of the statistics, e\.g\. "class0\/0\.png", is in others/],
  ] as const) {
    await assert.rejects(
      exploreBundle(stats, options),
      (error) => error instanceof InputError && message.test(error.message),
    );
  }
});

test('the slider of γ begins a little below the lowest cosine, and at −1 at the lowest', () => {
  const stats = syntheticStatistics({seed: 3, classes: 5, outputs: 12, inputs: 10, images: 100});
  const {grid, start} = select(stats, {tau: 0.05, p: 0.4}, 4e6).explored;
  const {cosines} = kernelFinds(stats, start);
  const lowest = Math.min(...cosines, start.gamma);
  assert.ok(grid.gamma[0] < lowest && grid.gamma[0] >= Math.max(-1, lowest - 0.2001), `${grid.gamma[0]}, ${lowest}`);
  assert.equal(grid.gamma.at(-1), 1);
  assert.ok(grid.gamma.includes(start.gamma));
});
