import assert from 'node:assert/strict';
import {copyFile, mkdir, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {loadModel} from '../../src/formats/load';
import {loadStatistics, openWriter, saveStatistics} from '../../src/relevance/store';
import {makeSplit} from '../../src/split/split';
import {loadSplit, saveSplit} from '../../src/split/store';
import {at, fails, makeFolder, removeFolder, succeeds, unweave} from '../reference/commandLine';
import {CLASSES} from '../reference/smallNetworks';

before(makeFolder);
after(removeFolder);

test('from a model and images to a split that is proven and evaluated', async () => {
  const layers = await succeeds<{layers: {name: string; kernel: number[]}[]}>('layers', 'model');
  assert.deepEqual(
    layers.layers.map(({name}) => name),
    ['first', 'studied', 'logits'],
  );
  const collected = await succeeds<{images: number; top1: number}>(
    'collect', 'model', 'images', '--layer', 'studied', '--out', 'stats', '--batch', '7',
  ); // prettier-ignore
  assert.equal(collected.images, 40);
  type Found = {candidates: number[]; pairs: {channel: number; classes: [number, number]; cosine: number}[]};
  const found = await succeeds<Found>('find', 'stats', '--tau', '0.05', '--p', '0.4', '--all-pairs');
  assert.ok(found.candidates.length > 0 && found.pairs.length > 0);
  assert.ok(
    found.pairs.every(({cosine}, i) => i === 0 || found.pairs[i - 1].cosine <= cosine),
    'ascending by cosine',
  );
  assert.ok(
    found.pairs.every(({classes: [a, b]}) => a < b),
    'classes ascending',
  );
  const [{channel, classes}] = found.pairs;
  type SplitSummary = {rho: number; scores: Record<string, number>; sources: number[][]};
  const split = await succeeds<SplitSummary>(
    'split', 'model', 'stats', '--channel', String(channel), '--classes', classes.join(), '--images', 'images', '--rule', 'published', '--out', 'split',
  ); // prettier-ignore
  assert.equal(Object.keys(split.scores).length, 20);
  assert.ok('0.05' in split.scores && '0.1' in split.scores && '1.0' in split.scores);
  assert.equal(split.sources.length, 2);
  assert.ok((await readdir(at('split'))).includes('model.json'));
  assert.equal((await loadModel(at('split'))).classes, CLASSES);
  type Proof = {
    images: number;
    maxAbsLogitDifference: number;
    maxAbsLogit: number;
    exact: boolean;
    top1: object;
    top1Agreement: number;
  };
  const proof = await succeeds<Proof>('verify', 'model', 'split', 'images');
  assert.equal(proof.images, 40);
  assert.ok(proof.maxAbsLogitDifference <= 1e-5 * proof.maxAbsLogit);
  assert.equal(proof.exact, true);
  assert.deepEqual(Object.keys(proof.top1), ['before', 'after']);
  assert.equal(proof.top1Agreement, 1);
  type Evaluation = {
    concepts: {classes: number[]; published: Record<string, number>; positive: Record<string, number>}[];
  };
  const evaluation = await succeeds<Evaluation>('evaluate', 'model', 'split', 'images', '--tau', '0.01');
  evaluation.concepts.forEach(({published: {d1, d2, residue}, positive}) => {
    assert.ok(Math.abs(d1 + d2 - residue - 1) < 1e-4, 'd1 + d2 − residue = 1');
    assert.ok(positive['images'] > 0);
  });
  const three = await succeeds<{concepts: {classes: number[]}[]; rho: number}>(
    'split', 'model', 'stats', '--channel', '2', '--concept', '0,3', '--concept', '1', '--concept', '2', '--rho', '0.5', '--out', 'three',
  ); // prettier-ignore
  assert.deepEqual(
    three.concepts.map((concept) => concept.classes),
    [[0, 3], [1], [2]],
  );
  assert.equal(three.rho, 0.5);
});

test('what find prints can be handed to split', async () => {
  const thresholds = ['--tau', '0.05', '--p', '0.4', '--arv', 'published'];
  const some = await unweave(['find', 'stats', ...thresholds, '--gamma', '0.9']);
  assert.match(
    some.stdout,
    /channel +\d+ +lowest cosine +−?\d(\.\d+)? +class\d \(\d\)( \+ class\d \(\d\))* \| class\d \(\d\)/,
  );
  const command = /^ {2}npx unweave (split MODEL stats --channel .*--images IMAGES --out split)$/m.exec(
    some.stdout,
  )?.[1];
  assert.ok(command, some.stdout);
  const args = command
    .replace('MODEL', 'model')
    .replace('IMAGES', 'images')
    .replace(/split$/, 'from-find')
    .split(' ');
  const split = await unweave(args);
  assert.equal(split.code, 0, split.stderr);
  assert.match(command, / --rule freeRidge /);
  assert.ok(!split.stdout.includes('recovers worse'), 'no warning of the rule that find named');
  const all = await unweave(['find', 'stats', ...thresholds, '--all-pairs']);
  type Found = {pairs: object[]};
  const {pairs} = await succeeds<Found>('find', 'stats', ...thresholds, '--all-pairs');
  const lines = all.stdout
    .split('\n')
    .filter((line) => /^ {2}channel +\d+ +cosine +-?\d\.\d{3} +class\d \(\d\) \| class/.test(line));
  assert.equal(lines.length, pairs.length);
  const none = await unweave(['find', 'stats', ...thresholds, '--gamma', '-1']);
  assert.match(none.stdout, /or report all pairs \(--all-pairs\)/);
  assert.ok(!none.stdout.includes('unweave split'));
});

test('concepts are named by index or by name', async () => {
  type Made = {concepts: {classes: number[]}[]};
  const given = ['split', 'model', 'stats', '--channel', '1', '--rho', '0.5', '--out'];
  const {concepts} = await succeeds<Made>(...given, 'named', '--classes', 'Class0, 2');
  assert.deepEqual(
    concepts.map(({classes}) => classes),
    [[0], [2]],
  );
  const grouped = await succeeds<Made>(...given, 'grouped', '--concept', 'class1,class3', '--concept', '2');
  assert.deepEqual(
    grouped.concepts.map(({classes}) => classes),
    [[1, 3], [2]],
  );
  await fails(/no class is called "bird"; classes: "class0", /, ...given, 'none', '--classes', 'bird,1');
});

test('a folder of several layers, or of shards, says what it holds', async () => {
  await succeeds('collect', 'model', 'images', '--layer', 'first', '--layer', 'studied', '--out', 'layers');
  await fails(
    /no statistics in "layers": there are some in 2 folders inside it \(of several layers each has one of its own\): first, studied; give one, such as "layers\/first"/,
    'find',
    'layers',
  );
  await succeeds('collect', 'model', 'images', '--layer', 'studied', '--shard', '0/2', '--out', 'parts');
  await fails(
    /no statistics in "parts": it holds 1 shard of a run; add them up first with mergeShards \(unweave merge parts --out …\)/,
    'find',
    'parts',
  );
  await fails(/no statistics in "nowhere": there is no such folder/, 'find', 'nowhere');
});

test('text output reads well: tables and sentences, no JSON', async () => {
  const {stdout, code} = await unweave(['layers', 'model']);
  assert.equal(code, 0);
  assert.match(stdout, /studied +conv +3×3 +6 → 6 +9×9×6/);
});

test('a flat folder needs labels, and a later command finds the recorded ones', async () => {
  await fails(/no labels for the flat folder/, 'collect', 'model', 'flat', '--layer', 'studied', '--out', 'flat-stats');
  await succeeds('collect', 'model', 'flat', '--layer', 'studied', '--out', 'flat-stats', '--labels', 'labels.csv');
  await succeeds(
    'split',
    'model',
    'flat-stats',
    '--channel',
    '1',
    '--classes',
    '0,2',
    '--images',
    'flat',
    '--out',
    'flat-split',
  );
  await succeeds('verify', 'model', 'flat-split', 'flat');
  // Other images: class folders speak for themselves, a flat folder needs labels of its own.
  await succeeds('verify', 'model', 'flat-split', 'images');
  await succeeds('verify', 'model', 'flat-split', 'images', '--labels', 'none');
  await mkdir(at('others'), {recursive: true});
  await copyFile(at('flat', '0.png'), at('others', 'other.png'));
  await fails(
    /those recorded by the earlier run, ".*labels\.csv", do not fit; give --labels, a JSON or CSV file/,
    'verify',
    'model',
    'flat-split',
    'others',
  );
});

test('a folder with another split is refused before images are read, and JSON has what the text warns of', async () => {
  const args = ['split', 'model', 'stats', '--channel', '1', '--images', 'images', '--rho', 'auto', '--out', 'told'];
  const split = await succeeds<{warnings: string[]}>(...args, '--classes', '0,2');
  assert.match(split.warnings.join(), /published rule separates channels that were trained for several meanings/);
  const other = await unweave([...args, '--classes', '0,1']);
  assert.match(other.stderr, /"told" holds another split/);
  assert.doesNotMatch(other.stderr, /reading/);
  await succeeds(...args, '--classes', '0,2');
  const found = await succeeds<{cosines: {pairs: number; lowest: number; median: number}}>('find', 'stats', '--gamma', '-1', '--arv', 'published'); // prettier-ignore
  assert.ok(found.cosines.pairs > 0 && found.cosines.lowest <= found.cosines.median);
});

test('a split from an unfinished pass says so', async () => {
  const stats = await loadStatistics(at('stats'));
  await saveStatistics({...stats, images: {...stats.images, total: 99}}, at('unfinished'));
  const args = ['split', 'model', 'unfinished', '--channel', '1', '--classes', '0,2', '--rho', '0.5'];
  const {stdout} = await unweave([...args, '--out', 'unfinished-split']);
  assert.match(stdout, /^warning: the pass is unfinished: 40 of 99 images/m);
  const {warnings} = await succeeds<{warnings: string[]}>(...args, '--out', 'unfinished-split');
  assert.match(warnings.join(), /the pass is unfinished/);
});

test('verify looks at the network in the folder, and believes no split that does not fit it', async () => {
  const split = await loadSplit(at('split'), await loadModel(at('model')));
  const parts = split.parts.map((part) => part.map((weight) => 1.5 * weight));
  await saveSplit(makeSplit({...split, before: split.before, parts}), at('inexact'));
  await fails(
    /the split in "inexact" does not fit its networks.*do not add up/,
    'verify',
    'model',
    'inexact',
    'images',
  );
  await saveSplit(makeSplit({...split, before: split.before}), at('tampered'));
  const file = at('tampered', 'model.json');
  const model = await readFile(file, 'utf8');
  // Another activation leaves all weights as they were, and is another network nevertheless.
  await writeFile(
    file,
    model.replace(/"class_name":"ReLU","config":\{(?=[^{}]*"name":"studied_relu")/, '$&"negative_slope":0.5,'),
  );
  assert.notEqual(await readFile(file, 'utf8'), model);
  await fails(/the split in "tampered" is damaged/, 'verify', 'model', 'tampered', 'images');
  await writeFile(file, model);
  const weights = await readFile(at('tampered', 'weights.bin'));
  weights[1000] ^= 255;
  await writeFile(at('tampered', 'weights.bin'), weights);
  await fails(/the split in "tampered" is damaged/, 'verify', 'model', 'tampered', 'images');
  await rm(file);
  await fails(/the split in "tampered" is damaged: no model at/, 'verify', 'model', 'tampered', 'images');
});

test('what somebody else made is not overwritten, nor an input through a link', async () => {
  await symlink(at('images'), at('link'));
  await fails(/lies in the input/, 'collect', 'model', 'images', '--layer', 'first', '--out', 'link/stats');
  await fails(/lies in the input/, 'split', 'model', 'stats', '--channel', '1', '--classes', '0,2', '--rho', '0.5', '--out', 'stats/split'); // prettier-ignore
  const labels = await readFile(at('labels.csv'), 'utf8');
  await fails(/"labels\.csv" exists, and unweave did not make it/, 'explore', 'stats', '--out', 'labels.csv');
  assert.equal(await readFile(at('labels.csv'), 'utf8'), labels);
  await mkdir(at('site'));
  await writeFile(at('site', 'index.html'), '<h1>mine</h1>');
  await fails(/exists, and unweave did not make it/, 'demo', '--out', 'site');
  await fails(/exists, and unweave did not make it/, 'benchmark', 'planted', '--out', 'site');
  await fails(/"flat" holds something else/, 'demo', '--out', 'flat');
  for (const out of ['page.html', 'page.html']) await succeeds('explore', 'stats', '--out', out);
  await writeFile(at('page.html'), 'mine');
  await succeeds('explore', 'stats', '--out', 'page.html', '--force');
  assert.match(await readFile(at('page.html'), 'utf8'), /<meta name="generator" content="unweave" \/>/);
});

test('Ctrl-C twice and SIGTERM leave a checkpoint, with codes 130 and 143, and the same command goes on; nobody else writes there', async () => {
  const collect = (out: string) => ['collect', 'model', 'images', '--layer', 'first', '--out', out, '--batch', '1'];
  const interruptAt = /collecting relevance/;
  const writer = await openWriter(at('held'));
  const [stopped, ended] = await Promise.all([
    unweave(collect('stopped'), {interruptAt, signals: ['SIGINT', 'SIGINT']}),
    unweave(collect('ended'), {interruptAt, signals: ['SIGTERM']}),
    fails(/"held" is being written to by process \d+ on .*, since .*; wait until/, ...collect('held')),
  ]);
  await writer.close();
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.equal(ended.code, 143, ended.stderr);
  for (const {stderr} of [stopped, ended]) assert.match(stderr, /interrupted after \d+ of 40 images/);
  const finished = await Promise.all(['stopped', 'ended'].map((out) => succeeds<{images: number}>(...collect(out))));
  for (const {images} of finished) assert.equal(images, 40);
});

test('wrong use and bad input end with code 1 and one clear message on stderr', async () => {
  await fails(/unknown option '--bogus'/, 'find', 'stats', '--bogus');
  await fails(/too many arguments|unknown command/, 'find', 'stats', 'more');
  await fails(/unknown command 'frobnicate'/, 'frobnicate');
  await fails(/required option '--layer <name>' not specified/, 'collect', 'model', 'images', '--out', 'x');
  await fails(/no layer "conv9"; layers that can be analysed: first, studied, logits/, 'collect', 'model', 'images', '--layer', 'conv9', '--out', 'x'); // prettier-ignore
  await fails(/the output "images\/out" lies in the input/, 'collect', 'model', 'images', '--layer', 'first', '--out', 'images/out'); // prettier-ignore
  await fails(/It is not a number/, 'find', 'stats', '--tau', 'abc');
  await fails(/'-3' is invalid\. It is a number of images: a whole number from 1, such as 100/, 'verify', 'model', 'split', 'images', '--limit', '-3'); // prettier-ignore
  await fails(/no model at "nothing"/, 'layers', 'nothing');
  await fails(/labels\.csv is a text file, not a PyTorch checkpoint/, 'layers', 'labels.csv');
  await copyFile(path.join(__dirname, '../data/checkpoints/tensors.pth'), at('weights.pth'));
  await fails(
    /fits none of the known architectures \(resnet18, .*; give --arch to see what does not fit/,
    'layers',
    'weights.pth',
  );
  await fails(/the statistics are of a network that describes itself, and "weights\.pth" is a PyTorch checkpoint; give that model/, 'split', 'weights.pth', 'stats', '--channel', '1', '--classes', '0,2', '--out', 'z'); // prettier-ignore
  const {stdout: help} = await unweave(['split', '--help']);
  assert.match(help.replace(/\s+/g, ' '), /how the weights are divided: published, [^.]*gatedWiener/);
  await fails(/holds something else/, 'collect', 'model', 'images', '--layer', 'first', '--out', 'flat');
  await fails(/no image folder/, 'collect', 'model', 'nothing', '--layer', 'first', '--out', 'x');
  await fails(/give the concepts either as/, 'split', 'model', 'stats', '--channel', '1', '--rho', '0.5', '--out', 'y');
});
