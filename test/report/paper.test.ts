import assert from 'node:assert/strict';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {mkdir, readdir, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {parse} from 'csv-parse/sync';
import {demo} from '../../src/demo';
import type {Densities} from '../../src/evaluate';
import {findPolysemantic} from '../../src/concepts/find';
import {imageFolder, subset} from '../../src/images';
import {makeModel} from '../../src/network/model';
import {resolvePreset} from '../../src/images/presets';
import {buildArchitecture, expectedWeights} from '../../src/formats/architectures';
import {collectRelevance} from '../../src/relevance/collect';
import {
  compareWithPublished,
  fractionsCsv,
  pairsCsv,
  pooledFractions,
  PUBLISHED_TRIPLES,
  publishedFiles,
  reproducePaper,
  TEASER,
  writePaper,
  type TripleFractions,
} from '../../src/report/reproduction';
import {meanOf} from '../reference/evaluateSlowly';
import {seededWeights} from '../reference/seededWeights';
import {sharedData} from '../reference/sharedData';

const quiet = {progress: false as const};

test('the published list has 20 triples in 9 channels, and the teaser is one of them', () => {
  assert.equal(PUBLISHED_TRIPLES.length, 20);
  assert.equal(new Set(PUBLISHED_TRIPLES.map(({channel}) => channel)).size, 9);
  assert.ok(PUBLISHED_TRIPLES.some((triple) => JSON.stringify(triple) === JSON.stringify(TEASER)));
});

test('what is found is held against the published list, without negative cosines and those from γ on', () => {
  const theirs = PUBLISHED_TRIPLES.map(({channel, classes}, n) => ({channel, classes, cosine: n === 0 ? 0.4961 : 0.3}));
  const added = [
    {channel: 3, classes: [1, 2] as [number, number], cosine: 0.1},
    {channel: 4, classes: [1, 2] as [number, number], cosine: -0.1},
    {channel: 5, classes: [1, 2] as [number, number], cosine: 0.5},
  ];
  const found = compareWithPublished([...theirs.slice(0, 15), ...added]);
  assert.deepEqual([found.found, found.both, found.missing.length], [16, 15, 5]);
  assert.deepEqual(found.added, [{channel: 3, classes: [1, 2]}]);
  assert.ok(Math.abs(found.precision - 15 / 16) < 1e-12 && Math.abs(found.recall - 15 / 20) < 1e-12);
  assert.deepEqual(found.cosine, {theirs: 0.4963, ours: 0.4961});
  assert.equal(compareWithPublished([...theirs, ...added], {lowest: -1}).found, 22);
});

test('fractions are pooled over the kept images of all triples, and every image sums to one', () => {
  const image = (concept: number, d1: number, d2: number) => ({
    image: 'a',
    concept,
    fractions: [d1, d2],
    residue: d1 + d2 - 1,
  });
  const triple = (channel: number, images: TripleFractions['images']): TripleFractions => ({
    channel,
    classes: [4, 7],
    classNames: ['a', 'b'],
    rho: 0.5,
    images,
  });
  const triples = [triple(1, [image(0, 1, 0.2), image(1, 0, 1)]), triple(2, [image(0, 0.7, 0.3), image(0, 0.4, 0.7)])];
  const [first, second] = pooledFractions(triples);
  assert.deepEqual([first.d1.count, second.d1.count], [3, 1]);
  assert.ok(Math.abs(first.d1.mean - meanOf([1, 0.7, 0.4])) < 1e-12);
  assert.ok(Math.abs(first.d1.mean + first.d2.mean - first.residue.mean - 1) < 1e-12);
  const rows = parse(fractionsCsv(triples), {columns: true}) as Record<string, string>[];
  assert.deepEqual(
    rows.map(({Channel, ImageClass, D1}) => [Channel, ImageClass, D1]),
    [
      ['1', '4', '1'],
      ['1', '7', '0'],
      ['2', '4', '0.7'],
      ['2', '4', '0.4'],
    ],
  );
});

test('pairs are exported as the published list: the highest cosine first', () => {
  const pairs = [
    {channel: 1, classes: [2, 3] as [number, number], cosine: 0.25},
    {channel: 9, classes: [0, 3] as [number, number], cosine: 0.5},
  ];
  assert.equal(pairsCsv(pairs), 'Channel,Class1,Class2,CosineSimilarity\n9,0,3,0.5\n1,2,3,0.25\n');
});

test('files are named and written as the published code does', () => {
  const point = (concept: string, channel: string) => ({concept, channel, activation: -1.5, density: 0.25});
  const densities = {
    concepts: [{classNames: ['a']}, {classNames: ['b']}],
    rows: ['a', 'b'].flatMap((concept) => ['original', 'd1', 'd2'].map((channel) => point(concept, channel))),
  } as unknown as Densities;
  const pairs = [-0.1, 0.25, 0.4, 0.5].map((cosine) => ({channel: 9, classes: [0, 3] as [number, number], cosine}));
  const images = [{image: 'x', concept: 0, fractions: [1, 0.25], residue: 0.25}];
  const perImage = [
    {channel: 9, classes: [0, 3] as [number, number], classNames: ['a', 'b'] as [string, string], rho: 0.5, images},
  ];
  const thresholds = {tau: 0.03, p: 0.75, gamma: 0.5, lowest: 0, important: 0.05};
  const files = publishedFiles({arch: 'resnet50', thresholds, pairs, perImage, densities});
  assert.equal(
    files.get('resnet50_required0.03_p0.75_cossim0.0to0.5.txt'),
    'Channel,Class1,Class2,CosineSimilarity\n9,0,3,0.4\n9,0,3,0.25\n',
  );
  assert.equal(files.get('quantitative_concept1_required0.05.txt'), '1,0.25,0.25\n');
  assert.equal(files.get('quantitative_concept2_required0.05.txt'), '');
  const curve = (name: string) => `\\begin{filecontents*}{${name}.dat}\n-1.5 0.25\n\\end{filecontents*}\n`;
  assert.equal(
    files.get('density_concept2.txt'),
    ['original_c2', 'disentangled1_c2', 'disentangled2_c2'].map(curve).join(''),
  );
});

test('the paper is reproduced on the demo network, with every figure on one page', async (t) => {
  const {model, train, test: held} = await demo();
  const stats = await collectRelevance(model, train, {layer: 'conv5', ...quiet});
  const {pairs} = findPolysemantic(stats, {tau: 2 / 16, allPairs: true, arv: 'published'});
  const triples = pairs.slice(0, 2).map(({channel, classes}) => ({channel, classes}));
  const paper = await reproducePaper(model, stats, train, held, {
    triples,
    randomSplits: 4,
    features: {steps: 2, transforms: []},
    ...quiet,
  });
  assert.equal(paper.published, false);
  assert.ok(paper.teaser.proof.exact);
  assert.equal(paper.rows.length + 2 * paper.left.length, 4);
  for (const {concept, d1, d2, residue} of paper.pooled.best) {
    const kept = paper.perImage.flatMap(({images}) => images.filter((image) => image.concept === concept - 1));
    assert.equal(d1.count, kept.length);
    if (kept.length > 0) assert.ok(Math.abs(d1.mean + d2.mean - residue.mean - 1) < 1e-3);
    for (const image of kept) assert.ok(Math.abs(image.fractions[0] + image.fractions[1] - image.residue - 1) < 1e-3);
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'unweave-paper-'));
  t.after(() => rmSync(folder, {recursive: true}));
  const page = readFileSync(await writePaper(paper, held, path.join(folder, 'out')), 'utf8');
  assert.ok(page.includes('theirs, ours, difference'));
  assert.match(page, /weights IMAGENET1K_V1 .* It was not run: this is/);
  for (const figure of [1, 2, 3, 4, 5]) assert.ok(page.includes(`Figure ${figure}`), `Figure ${figure}`);
  // Text only: libraries and pictures inside the page hold anything.
  assert.equal(/<bdi dir="auto">[^<]*(undefined|NaN)/.exec(page)?.[0], undefined);
  const results = JSON.parse(readFileSync(path.join(folder, 'out', 'results.json'), 'utf8')) as {rows: unknown[]};
  assert.equal(results.rows.length, paper.rows.length);
  paper.teaser.split.dispose();
});

test('on ResNet-50 and a folder in the layout of ImageNet the published triples are taken', async (t) => {
  const crops = sharedData(t, 'imagenet-samples', 'crops-224');
  if (crops === undefined) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'unweave-imagenet-'));
  t.after(() => rmSync(folder, {recursive: true}));
  for (const file of (await readdir(crops)).filter((name) => name.endsWith('.png')).slice(0, 6)) {
    const wnid = (/_(n\d+)\.png$/.exec(file) as RegExpExecArray)[1];
    await mkdir(path.join(folder, wnid));
    for (const copy of ['a', 'b']) await symlink(path.join(crops, file), path.join(folder, wnid, `${copy}.png`));
  }
  const graph = buildArchitecture('resnet50', seededWeights(expectedWeights('resnet50', 1000)));
  const model = makeModel(graph, {name: 'resnet50', arch: 'resnet50', preset: resolvePreset('torch-imagenet')});
  const images = await imageFolder(folder);
  const stats = await collectRelevance(model, images, {layer: 'layer4.2.conv3', batchSize: 4, ...quiet});
  const labels = [...new Set(images.labelsFor(1000))];
  const [a, b] = labels;
  const paper = await reproducePaper(model, stats, images, subset(images, {limit: 8}), {
    triples: [{channel: 1660, classes: [a, b]}],
    tau: 0.001 < stats.shares.floor ? stats.shares.floor : 0.001,
    important: 1e-9,
    lowest: -1,
    features: false,
    randomSplits: 2,
    ...quiet,
  });
  assert.equal(paper.published, true);
  assert.equal(paper.comparison.published, 20);
  assert.ok(paper.teaser.proof.exact, 'the network computes the same');
  assert.ok(existsSync(await writePaper(paper, images, path.join(folder, 'out'))));
  const official = await readdir(path.join(folder, 'out', 'as-published'));
  assert.ok(official.includes('density_concept1.txt') && official.some((name) => name.endsWith('cossim-1.0to0.5.txt')));
  paper.teaser.split.dispose();
  model.dispose();
});
