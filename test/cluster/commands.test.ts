import assert from 'node:assert/strict';
import {mkdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {test} from 'node:test';
import sharp from 'sharp';
import {ensureBackend} from '../../src/engine';
import {saveModel} from '../../src/formats/save';
import {loadStatistics} from '../../src/relevance/store';
import {runUnweave} from '../reference/commandArguments';
import {CLASSES, SIDE, smallImages, smallModel} from '../reference/smallNetworks';
import {temporaryFolder} from '../reference/temporaryFolder';

test('collect takes shards, numbers of images, an attribution and several layers; merge adds up what is whole', async (t) => {
  const folder = await temporaryFolder(t);
  const unweave = (args: string[], env: Record<string, string> = {}) =>
    runUnweave(args, {cwd: folder, env: {UNWEAVE_BACKEND: 'wasm', ...env}});
  await ensureBackend();
  const model = smallModel({kind: 'conv', size: 3});
  await saveModel(model, path.join(folder, 'model'));
  model.dispose();
  const images = smallImages(16);
  const labels = images.labelsFor(CLASSES);
  for (let index = 0; index < 16; index++) {
    const file = path.join(folder, 'pictures', `class${labels[index]}`, `${String(index).padStart(3, '0')}.png`);
    await mkdir(path.dirname(file), {recursive: true});
    await sharp(await images.pixels(index, {height: SIDE, width: SIDE}), {raw: {width: SIDE, height: SIDE, channels: 3}}).toFile(file); // prettier-ignore
  }
  const collect = (out: string, ...flags: string[]) => [
    ...['collect', 'model', 'pictures', '--layer', 'studied', '--out', out, '--preset', 'raw', ...flags],
  ];
  const [first, lrp, few, several, unknown, noNumber] = await Promise.all([
    unweave(collect('shards', '--shard', '0/2')),
    unweave(collect('lrp', '--attribution', 'lrp:epsilon=0.01', '--per-class', '2', '--batch', '3')),
    unweave(collect('few', '--limit', '4', '--floor', '0.01')),
    unweave(['collect', 'model', 'pictures', '--layer', 'fi*', '--layer', 'studied', '--out', 'layers']),
    unweave(collect('wrong', '--attribution', 'lrp:steps=3')),
    unweave(collect('shards', '--shard', 'auto/2')),
  ]);
  for (const {code, stderr} of [first, lrp, few, several]) assert.equal(code, 0, stderr);
  assert.match(unknown.stderr, /lrp has no parameter steps/);
  assert.match(noNumber.stderr, /auto needs SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX/);
  const byLrp = await loadStatistics(path.join(folder, 'lrp'));
  assert.equal(byLrp.attribution, 'LRP (epsilon, epsilon 0.01)');
  assert.equal(byLrp.images.paths.length, 8);
  const spread = await loadStatistics(path.join(folder, 'few'));
  assert.deepEqual([...spread.images.labels].sort(), [0, 1, 2, 3]);
  assert.equal(spread.shares.floor, 0.01);
  for (const layer of ['first', 'studied']) await loadStatistics(path.join(folder, 'layers', layer));

  const depth = await unweave(['depth', 'layers', '--p', '0.5', '--plot', 'depth.svg']);
  assert.match(depth.stdout, /2 layers, input to output[^]*first.*\n\s+studied\s+\d+ polysemantic/);
  assert.match(await readFile(path.join(folder, 'depth.svg'), 'utf8'), /Polysemantic channels by depth|No channel/);

  const missing = await unweave(['merge', 'shards', '--out', 'merged']);
  assert.match(missing.stderr, /missing: shard 1 of 2; collect it first/);
  const second = await unweave(collect('shards', '--shard', 'auto/2'), {SLURM_ARRAY_TASK_ID: '1'});
  assert.equal(second.code, 0, second.stderr);
  const [merged, other] = await Promise.all([
    unweave(['merge', 'shards', '--out', 'merged', '--json']),
    unweave(collect('shards', '--shard', '0/2', '--attribution', 'gradCam')),
  ]);
  assert.equal(merged.code, 0, merged.stderr);
  assert.equal((JSON.parse(merged.stdout) as {images: number}).images, 16);
  assert.match(other.stderr, /holds the statistics of another run, which differs in attribution/);
});
