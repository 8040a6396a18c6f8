import assert from 'node:assert/strict';
import {test} from 'node:test';
import {namedClass} from '../../src/common/words';
import {findPolysemantic} from '../../src/concepts/find';
import type {Bundle} from '../../src/report/display';
import {bundleOf} from '../../src/report/show';
import {exampleStatistics} from '../plots/examples';
import {syntheticGates} from '../reference/syntheticGates';
import {manyResults} from './showResults';

const textOf = ({data}: Bundle) => String(data['text/plain'] ?? '');

test('found channels show every candidate with names and indices, and every pair with its decision', async () => {
  const {stats} = syntheticGates({seed: 6, noise: 0.8});
  const thresholds = {tau: 0.05, p: 0.5, gamma: 0.3};
  const found = findPolysemantic(stats, thresholds);
  const text = textOf(await bundleOf(found));
  assert.match(text, /by the cosine of gated vectors/);
  for (const {channel} of found.candidates) assert.match(text, new RegExp(`\n +${channel} `));
  const all = findPolysemantic(stats, {...thresholds, allPairs: true}).find(
    ({channel}) => channel === found[0].channel,
  )!;
  for (const {classes, decision} of all.pairs.slice(0, 12)) {
    const names = classes.map((k) => namedClass(k, stats.classNames[k])).map((name) => name.replace(/[()]/g, '.'));
    assert.match(text, new RegExp(`${names.join(' +')} .*${decision}`));
  }
  const published = textOf(await bundleOf(findPolysemantic(stats, {...thresholds, arv: 'published'})));
  assert.match(published, /by the cosine of published vectors/);
});

test('where nothing is below γ, the candidates, their pairs and what a larger γ would find are shown', async () => {
  const stats = exampleStatistics();
  const found = findPolysemantic(stats, {tau: 0.05, p: 0.5, gamma: -1});
  assert.equal(found.length, 0);
  const text = textOf(await bundleOf(found));
  assert.match(text, /candidate channels, by the cosine of published/);
  const first = [...found.candidates].sort((a, b) => a.lowestCosine - b.lowestCosine)[0];
  assert.match(text, new RegExp(`pairs of classes of channel ${first.channel}`));
  const [, rows] = text.split('what a larger γ would find\n');
  const [, gamma, channels, pairs] = /\n *(\S+) +(\d+) +(\d+)/.exec(rows)!;
  const value = Number(gamma.replace('−', '-'));
  assert.equal(Number(channels), findPolysemantic(stats, {tau: 0.05, p: 0.5, gamma: value}).length);
  assert.equal(Number(pairs), found.cosines.filter((cosine) => cosine < value).length);
});

test('a split shows the images that excite the channel and its parts most, where images are given', async () => {
  const many = await manyResults();
  try {
    const pictures = ({data}: Bundle) => String(data['text/html']).match(/data:image\/jpeg/g)?.length ?? 0;
    assert.equal(pictures(await bundleOf(many.split)), 0);
    const shown = await bundleOf(many.split, {images: many.images, count: 4});
    assert.ok(pictures(shown) >= 8, `${pictures(shown)} pictures`);
    assert.match(textOf(shown), /images that excite channel \d+ of studied and its parts most/);
  } finally {
    many.dispose();
  }
});
