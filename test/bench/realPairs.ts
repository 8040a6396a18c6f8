/**
 * What gated vectors call different on a real network, beside published ones, the halves of the images and permuted labels, and a sheet
 * of pictures to judge it by: `node --import tsx test/bench/realPairs.ts [--per-class 100] [--out out/real-pairs]`. CIFAR ResNet-20,
 * read from ../shared/data.
 */
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import sharp from 'sharp';
import {permutation} from '../../src/common/random';
import {findPolysemantic} from '../../src/concepts/find';
import {classVectors, LEAST_AGREEMENT} from '../../src/concepts/relate';
import {loadModel} from '../../src/formats/load';
import {imageFolder, subset} from '../../src/images';
import type {LabelledImages} from '../../src/images';
import type {ClassPair} from '../../src/concepts/types';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {collectRelevance} from '../../src/relevance/collect';

const shared = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const say = (text: string) => process.stdout.write(`${text}\n`);

const LAYER = 'layer3.2.conv2';
const THRESHOLDS = {tau: 0.03, p: 0.75, gamma: 0.5, allPairs: true};
const SHOWN = 6;
const PICTURES = 5;
const SIDE = 48;

/** The images of a class in which a channel carries most of the relevance, by index. */
function strongest({shares, images}: RelevanceStatistics, channel: number, k: number): number[] {
  const found: {image: number; value: number}[] = [];
  for (let image = 0; image + 1 < shares.offsets.length; image++) {
    if (images.labels[image] !== k) continue;
    for (let at = shares.offsets[image]; at < shares.offsets[image + 1]; at++)
      if (shares.channels[at] === channel) found.push({image, value: shares.values[at]});
  }
  found.sort((a, b) => b.value - a.value);
  return found.slice(0, PICTURES).map(({image}) => image);
}

/** One row per pair: pictures of either class. */
async function sheet(stats: RelevanceStatistics, images: LabelledImages, pairs: ClassPair[], file: string) {
  const pieces: sharp.OverlayOptions[] = [];
  for (const [row, {channel, classes}] of pairs.entries()) {
    for (const [side, k] of classes.entries()) {
      for (const [n, image] of strongest(stats, channel, k).entries()) {
        const pixels = await images.pixels(images.paths.indexOf(stats.images.paths[image]), {height: 32, width: 32});
        const input = await sharp(Buffer.from(pixels), {raw: {width: 32, height: 32, channels: 3}})
          .resize(SIDE, SIDE, {kernel: 'nearest'})
          .png()
          .toBuffer();
        pieces.push({input, left: (side * (PICTURES + 1) + n) * SIDE, top: row * (SIDE + 4)});
      }
    }
  }
  const size = {width: (2 * PICTURES + 1) * SIDE, height: pairs.length * (SIDE + 4)};
  await sharp({create: {...size, channels: 3, background: 'white'}})
    .composite(pieces)
    .png()
    .toFile(file);
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      'per-class': {type: 'string', default: '100'},
      out: {type: 'string', default: path.join(__dirname, '../../out/real-pairs')},
    },
  });
  const model = await loadModel(path.join(shared, 'models/resnet20-12fca82f.th'), {arch: 'resnet20'});
  const all = await imageFolder(path.join(shared, 'cifar10/train'));
  const labels = all.labelsFor(model.classes);
  const seen = new Int32Array(model.classes);
  const images = subset(all, {
    indices: [...labels.keys()].filter((n) => seen[labels[n]]++ < Number(values['per-class'])),
  });
  const about = {layer: LAYER, progress: false as const};
  const stats = await collectRelevance(model, images, about);
  const own = images.labelsFor(model.classes);
  const order = permutation(own.length, 1);
  const permuted = Int32Array.from(order, (n) => own[n]);
  const chance = await collectRelevance(model, {...images, labelsFor: () => permuted}, about);
  const {pairs} = findPolysemantic(stats, THRESHOLDS);
  const published = findPolysemantic(stats, {...THRESHOLDS, arv: 'published'}).pairs;
  const name = ({channel, classes: [a, b], cosine}: ClassPair) =>
    `${stats.classNames[a]}/${stats.classNames[b]} in ${channel}: ${cosine.toFixed(2)}`;
  const decided = pairs.filter(({decision}) => decision !== 'undecided');
  const halves = decided.map(({channel, classes}) => {
    const vectors = classVectors(stats, channel, 'gated');
    return ([0, 1] as const).map((half) => vectors.cosine(...classes, [half, half]) < THRESHOLDS.gamma);
  });
  const byChance = pairs.map(({channel, classes}) => {
    const vectors = classVectors(chance, channel, 'gated');
    const sure = classes.every((k) => vectors.agreement(k) > LEAST_AGREEMENT);
    return sure && vectors.cosine(...classes) < THRESHOLDS.gamma;
  });
  const share = (list: readonly boolean[]) => (list.filter(Boolean).length / Math.max(list.length, 1)).toFixed(2);
  say(
    `${pairs.length} pairs, ${decided.length} decided; published vectors call ${share(published.map((pair) => pair.decision === 'different'))}`,
  );
  say(
    `called different at γ ${THRESHOLDS.gamma}: ${share(pairs.map(({decision}) => decision === 'different'))}; halves agree ${share(halves.map(([a, b]) => a === b))}; with permuted labels ${share(byChance)}`,
  );
  const [low, high] = [decided.slice(0, SHOWN), decided.slice(-SHOWN).reverse()];
  say(`lowest: ${low.map(name).join(', ')}\nhighest: ${high.map(name).join(', ')}`);
  await mkdir(values.out, {recursive: true});
  await sheet(stats, images, low, path.join(values.out, 'lowest.png'));
  await sheet(stats, images, high, path.join(values.out, 'highest.png'));
  say(`pictures in ${values.out}`);
  model.dispose();
}

main().catch((error: Error) => {
  process.stderr.write(`${error.name === 'InputError' ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
