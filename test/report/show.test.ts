import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import type {SplitAblation, SplitEvaluation, SplitTopImages} from '../../src/evaluate';
import type {SplitVisualization} from '../../src/features';
import {findPolysemantic} from '../../src/concepts/find';
import {imagesFromPixels, UnreadableImageError} from '../../src/images';
import {bundleSize, html, type Bundle} from '../../src/report/display';
import {kernelState} from '../../src/report/display/state';
import {bundleOf} from '../../src/report/show';
import {candidateScatter} from '../../src/plots';
import {exampleStatistics, HOSTILE_NAMES, largeStatistics} from '../plots/examples';
import {fakeKernel} from '../kernel/fakeKernel';
import {manyResults, type ManyResults} from './showResults';

let many: ManyResults;
/** The output of every result, with all that can be shown beside it. */
const bundles = new Map<string, Bundle>();
before(async () => {
  many = await manyResults();
  const {stats, images, model, results} = many;
  for (const [name, value] of Object.entries(results)) bundles.set(name, await bundleOf(value, {stats, images, model}));
});
after(() => many.dispose());

const htmlOf = ({data}: Bundle) => String(data['text/html'] ?? '');
const textOf = ({data}: Bundle) => String(data['text/plain'] ?? '');
/** Markup without scripts and what is inside quotes: elements and text. */
const elements = (markup: string) => markup.replace(/<script>[\s\S]*?<\/script>/g, '').replace(/"[^"]*"/g, '""');

test('every result is one output with text beside it, and no name in it becomes markup', () => {
  for (const [name, bundle] of bundles) {
    assert.ok(textOf(bundle).length > 10, `${name}: ${textOf(bundle)}`);
    const markup = htmlOf(bundle);
    assert.ok(markup.length > 0, name);
    assert.doesNotMatch(elements(markup), /<b>|<\/b>/, name);
    assert.doesNotMatch(elements(markup), /\bundefined\b|\[object/, name);
    assert.ok(bundleSize(bundle) < 900_000, `${name}: ${bundleSize(bundle)} bytes`);
  }
});

test('an output asks nothing of the network', () => {
  for (const bundle of bundles.values()) assert.doesNotMatch(htmlOf(bundle), /(src|href)="(?!data:)/);
});

test('class names stand in the output as they are', () => {
  const markup = htmlOf(bundles.get('top images') as Bundle);
  assert.ok(markup.includes('&lt;b&gt;dog&lt;/b&gt;'));
  assert.ok(markup.includes('שלום'));
});

test('with images beside it, a result shows them; without, its numbers', async () => {
  const count = (bundle: Bundle | undefined) => htmlOf(bundle ?? {data: {}}).match(/data:image\/jpeg/g)?.length ?? 0;
  for (const name of ['statistics', 'found channels', 'a channel', 'top images']) {
    assert.equal(count(await bundleOf(many.results[name], {stats: many.stats})), 0, name);
    assert.ok(count(bundles.get(name)) >= 4, name);
  }
  assert.ok(count(bundles.get('images')) >= 20);
});

test('activation maps show every image under every kernel, with one colour scale', async () => {
  const markup = htmlOf(await bundleOf(many.results['activation maps']));
  const kernels = many.split.parts.length + 2;
  const images = 2 * many.split.parts.length;
  assert.equal(markup.match(/data:image\/jpeg/g)?.length, images * (kernels + 1));
  assert.equal(markup.match(/alt="colour scale"/g)?.length, 1);
});

test('a figure is drawn in the theme of its page, and rests as a picture; several bring the library once', async () => {
  const found = findPolysemantic(exampleStatistics(), {tau: 0.05, p: 0.5});
  const alone = await bundleOf(candidateScatter(found));
  assert.deepEqual(Object.keys(alone.data), ['text/html', 'text/plain']);
  assert.match(htmlOf(alone), /data:image\/png/);
  assert.match(htmlOf(alone), /prefers-color-scheme: dark/);
  const kernel = fakeKernel();
  try {
    kernelState().carriers.clear();
    kernelState().cell = 'first';
    const carried = (bundle: Bundle) => htmlOf(bundle).match(/DecompressionStream/g)?.length ?? 0;
    assert.equal(carried(await bundleOf(found, {stats: exampleStatistics()})), 1);
    kernelState().cell = 'second';
    assert.equal(carried(await bundleOf(found, {stats: exampleStatistics()})), 0);
  } finally {
    kernelState().carriers.clear();
    kernelState().cell = undefined;
    kernel.stop();
  }
});

test('a thousand classes and two thousand channels stay below 2 MB', async () => {
  const stats = largeStatistics();
  const found = findPolysemantic(stats, {tau: 0.03, p: 0.5});
  for (const [value, options] of [
    [stats, {}],
    [found, {}],
    [found, {stats}],
  ] as const) {
    const size = bundleSize(await bundleOf(value, options));
    assert.ok(size < 2e6, `${size} bytes`);
  }
});

test('found channels bring the statistics that they were found in: similarity and example images need no option', async () => {
  const {results, images} = many;
  const bundle = await bundleOf(results['found channels'], {images});
  assert.match(textOf(bundle), /Similarity of the classes of channel/);
  assert.ok((htmlOf(bundle).match(/data:image\/jpeg/g)?.length ?? 0) >= 4);
  const found = results['found channels'] as ReturnType<typeof findPolysemantic>;
  assert.equal(found.stats, many.stats);
  assert.ok(!Object.keys(found).includes('stats'), 'and stay out of JSON');
});

test('an evaluation shows the residue, the spread and random splits by every definition', async () => {
  const {results} = many;
  const text = textOf(bundles.get('an evaluation') as Bundle);
  const {concepts} = results['an evaluation'] as SplitEvaluation;
  const rows = (name: string) => text.split('\n').filter((line) => line.trim().startsWith(name));
  assert.equal(rows('residue').length, concepts.length);
  assert.equal(rows('– random').length, concepts.length * 3);
  const [{published, auroc}] = concepts;
  const {mean, std: deviation} = published.summary.residue;
  const written = (value: number) => value.toFixed(2).replace('-', '−');
  assert.ok(rows('residue')[0].includes(`${written(mean)} ± ${written(deviation)} [`), rows('residue')[0]);
  assert.ok(rows('– random')[0].includes(written(published.random.parts[0].mean)));
  assert.ok(text.includes(written(auroc.original)));
});

test('an ablation shows every class with logit and accuracy, the classes of no concept and what means nothing', async () => {
  const ablation = many.results['an ablation'] as SplitAblation;
  const text = textOf(bundles.get('an ablation') as Bundle);
  for (const {before} of ablation.classes) {
    const cell = `${before.logit.toFixed(2).replace('-', '−')} (${(100 * before.accuracy).toFixed(0)} %)`;
    assert.ok(text.includes(cell), cell);
  }
  assert.match(text, /classes of no concept: their logits move by/);
  const harmless = {...ablation, concepts: ablation.concepts.map((one) => ({...one, zeroed: 0.1}))};
  assert.match(textOf(await bundleOf(harmless)), /warning: removing the whole channel does not lower the logit/);
  const crowd = Array.from({length: 60}, (_, k) => ({...ablation.classes[0], class: k}));
  assert.match(textOf(await bundleOf({...ablation, classes: crowd})), /… and 20 more rows/);
});

test('visualisations of a split stand beside their top images, a row per channel', async () => {
  const {results, images} = many;
  const top = results['top images'] as SplitTopImages;
  const features = {...(results['visualisations of a split'] as SplitVisualization), channel: top.channel};
  const markup = htmlOf(await bundleOf(features, {top, images, count: 3}));
  assert.equal(markup.match(/<tr>/g)?.length, top.lists.length);
  assert.equal(markup.match(/data:image\/png/g)?.length, 1 + features.parts.slice(0, top.lists.length - 1).length);
  const shown = top.lists.reduce((sum, list) => sum + Math.min(3, list.images.length), 0);
  assert.equal(markup.match(/data:image\/jpeg/g)?.length, shown);
  const other = {...top, channel: top.channel + 1};
  await assert.rejects(bundleOf(features, {top: other, images}), /give topImages of the same split/);
});

test('results without classes, pairs or images have a sentence instead', async () => {
  const stats = exampleStatistics();
  const nothing = findPolysemantic(stats, {tau: 1, p: 1});
  const text = textOf(await bundleOf(nothing, {stats}));
  assert.match(text, /no channel is relevant to two classes/);
  const {results} = many;
  const empty = {...(results['activation maps'] as object), images: []};
  assert.match(textOf(await bundleOf(empty)), /there is no image to show/);
});

test('several results are shown together', async () => {
  const {results} = many;
  const text = textOf(await bundleOf([results['a proof'], results['a concept'], html`<i>markup</i>`]));
  assert.match(text, /computes the same[\s\S]*concept: [\s\S]*markup/);
});

test('an image that cannot be read leaves its place and does not spoil the rest', async () => {
  const made = imagesFromPixels({
    name: 'some broken',
    pixels: (index) => {
      if (index === 1) throw new UnreadableImageError('1', 'damaged');
      return new Uint8Array(4 * 4 * 3);
    },
    height: 4,
    width: 4,
    labels: [0, 1, 0, 1],
  });
  const markup = htmlOf(await bundleOf(made));
  assert.equal(markup.match(/data:image\/jpeg/g)?.length, 3);
  assert.match(markup, /unreadable/);
});

test('names that are long, empty or alike do not break a table', async () => {
  const {results, stats} = many;
  const found = results['found channels'] as ReturnType<typeof findPolysemantic>;
  const [first] = found;
  const renamed = {
    ...first,
    concepts: first.concepts.map((concept) => ({...concept, classNames: concept.classes.map(() => 'x'.repeat(500))})),
  };
  assert.ok(textOf(await bundleOf(renamed, {stats})).length < 20_000);
  const nameless = {...stats, classNames: HOSTILE_NAMES.map(() => '')};
  assert.match(textOf(await bundleOf(nameless)), /relevance statistics/);
});
