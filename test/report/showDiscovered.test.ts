import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {bundleOf, saveFigure} from '../../src/report/show';
import type {DiscoveredConcept, DiscoveredConcepts} from '../../src/split/discover';
import {smallImages} from '../reference/smallNetworks';
import {temporaryFolder} from '../reference/temporaryFolder';

const images = smallImages(24);

function cluster(members: number[], contribution: number[]): DiscoveredConcept {
  return {
    size: members.length,
    images: members,
    paths: members.map((index) => images.paths[index]),
    contribution: Float64Array.from(contribution),
    exemplars: members.slice(0, 4).map((index, n) => ({
      index,
      path: images.paths[index],
      position: [n, 0],
      centre: [0.5, 0.5],
      value: 4 / (n + 1),
    })),
  };
}

const discovered: DiscoveredConcepts = {
  kind: 'discovered concepts',
  layer: 'studied',
  channel: 3,
  modelHash: 'hash',
  preset: {name: 'small', mean: [0, 0, 0], std: [1, 1, 1]},
  zeroInputShare: 0.25,
  fires: 11,
  of: 24,
  concepts: [
    cluster([0, 6, 12, 18, 4, 10], [0.1, 1.25, -0.4, 0.031, 0, 0.5, 0.2]),
    cluster([1, 7, 13, 19], [0.9, 0.1, 0.3, 1.44, -1, 0, 0.05]),
  ],
  silhouettes: [
    {count: 2, silhouette: 0.612},
    {count: 3, silhouette: 0.0917},
  ],
};

test('clusters are shown with their sizes, strongest sources, exemplars and the numbers that were tried', async () => {
  const {data} = await bundleOf(discovered, {images});
  const text = String(data['text/plain']);
  assert.match(text, /what channel 3 of layer studied responds to, without labels: 2 clusters/);
  assert.match(text, /fires in 11 of 24 images/);
  assert.match(text, /1 +6 +60 % +1 \(1\.25\), 5 \(0\.5\), 6 \(0\.2\), 0 \(0\.1\), 3 \(0\.031\)/);
  assert.match(text, /2 +4 +40 % +3 \(1\.44\), 0 \(0\.9\)/);
  assert.match(text, /2 +0\.612\n +3 +0\.0917/);
  const markup = String(data['text/html']);
  assert.equal(markup.match(/data:image\/jpeg/g)?.length, 8);
  assert.ok(markup.includes(`title="${images.paths[0]} · 4 above the threshold"`));
  const alone = await bundleOf({...discovered, silhouettes: discovered.silhouettes.slice(0, 1)});
  assert.doesNotMatch(String(alone.data['text/plain']), /silhouette/);
  assert.doesNotMatch(String(alone.data['text/html']), /<img/);
});

test('clusters look as they did when they were last reviewed', async (t) => {
  const written = await saveFigure(discovered, path.join(await temporaryFolder(t), 'discovered.svg'), {
    images,
    count: 4,
  });
  const svg = `${readFileSync(written, 'utf8')
    .replace(/data:[^"]*/g, 'data:')
    .replace(/></g, '>\n<')}\n`;
  const file = path.join(__dirname, 'snapshots', 'discovered.svg');
  if (process.env['UPDATE_SNAPSHOTS'] === '1') writeFileSync(file, svg);
  assert.ok(existsSync(file), `${file} is missing; UPDATE_SNAPSHOTS=1 writes it, then look at it`);
  assert.equal(svg, readFileSync(file, 'utf8'), 'UPDATE_SNAPSHOTS=1 rewrites it: look at the difference');
});
