/**
 * What gated vectors call different on a real network, beside published ones, the halves of the images and permuted labels, at γ = 0.5 and
 * at the γ that the network suggests, and sheets of pictures to judge it by:
 * `node --import tsx test/bench/realPairs.ts [resnet20|mobilenet …] [--per-class 100] [--out out/real-pairs]`. Read from ../shared/data.
 * MobileNet sees one photograph each of a hundred classes: its images are random crops, and both halves are of the same photograph.
 */
import {existsSync} from 'node:fs';
import {mkdir, readdir} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import sharp from 'sharp';
import {fractionText, numberText} from '../../src/common/numbers';
import {permutation} from '../../src/common/random';
import {findPolysemantic} from '../../src/concepts/find';
import {classVectors, LEAST_AGREEMENT} from '../../src/concepts/relate';
import {suggestThresholds} from '../../src/concepts/thresholds';
import {loadModel} from '../../src/formats/load';
import {imageFolder, subset} from '../../src/images';
import type {LabelledImages} from '../../src/images';
import type {ClassPair} from '../../src/concepts/types';
import type {Model} from '../../src/network/types';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {randomCrops} from '../../src/planted';
import {collectRelevance} from '../../src/relevance/collect';
import {loadStatistics, saveStatistics} from '../../src/relevance/store';

const shared = process.env['UNWEAVE_TEST_DATA'] ?? path.join(__dirname, '../../../shared/data');
const say = (text: string) => process.stdout.write(`${text}\n`);

const SHOWN = 6;
const PICTURES = 5;
const SIDE = 64;
const THRESHOLDS = {tau: 0.03, p: 0.75};

interface Subject {
  model: Model;
  images: LabelledImages;
  layer: string;
  /** Height and width of the pictures on the sheet as they are read. */
  size: number;
}

const SUBJECTS: Record<string, (perClass: number) => Promise<Subject>> = {
  async resnet20(perClass) {
    const model = await loadModel(path.join(shared, 'models/resnet20-12fca82f.th'), {arch: 'resnet20'});
    const all = await imageFolder(path.join(shared, 'cifar10/train'));
    const labels = all.labelsFor(model.classes);
    const seen = new Int32Array(model.classes);
    const indices = [...labels.keys()].filter((n) => seen[labels[n]]++ < perClass);
    return {model, images: subset(all, {indices}), layer: 'layer3.2.conv2', size: 32};
  },
  async mobilenet(perClass) {
    const model = await loadModel(path.join(shared, 'models/mobilenet_v1_0.75_224'), {preset: 'tf'});
    const folder = path.join(shared, 'imagenet-samples/crops-224');
    const labels = Object.fromEntries((await readdir(folder)).map((file) => [file, Number(file.slice(0, 4))]));
    const images = randomCrops(await imageFolder(folder, {labels}), {count: perClass});
    return {model, images, layer: 'conv_pw_13', size: 224};
  },
};

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
async function sheet(stats: RelevanceStatistics, {images, size}: Subject, pairs: ClassPair[], file: string) {
  const pieces: sharp.OverlayOptions[] = [];
  const places = new Map(images.paths.map((one, at) => [one, at]));
  for (const [row, {channel, classes}] of pairs.entries()) {
    for (const [side, k] of classes.entries()) {
      for (const [n, image] of strongest(stats, channel, k).entries()) {
        const pixels = await images.pixels(places.get(stats.images.paths[image])!, {height: size, width: size});
        const input = await sharp(Buffer.from(pixels), {raw: {width: size, height: size, channels: 3}})
          .resize(SIDE, SIDE, {kernel: size < SIDE ? 'nearest' : 'lanczos3'})
          .png()
          .toBuffer();
        pieces.push({input, left: (side * (PICTURES + 1) + n) * SIDE, top: row * (SIDE + 4)});
      }
    }
  }
  const sides = {width: (2 * PICTURES + 1) * SIDE, height: pairs.length * (SIDE + 4)};
  await sharp({create: {...sides, channels: 3, background: 'white'}})
    .composite(pieces)
    .png({palette: true})
    .toFile(file);
}

async function main(): Promise<void> {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      'per-class': {type: 'string', default: '100'},
      out: {type: 'string', default: path.join(__dirname, '../../out/real-pairs')},
    },
  });
  for (const name of positionals.length > 0 ? positionals : ['resnet20']) {
    const subject = await SUBJECTS[name](Number(values['per-class']));
    await report(subject, path.join(values.out, name));
    subject.model.dispose();
  }
}

/** Statistics that an earlier call left in the folder, else of a pass. */
async function collected({model, layer}: Subject, images: LabelledImages, folder: string) {
  if (existsSync(folder)) return loadStatistics(folder);
  const stats = await collectRelevance(model, images, {layer});
  await saveStatistics(stats, folder);
  return stats;
}

async function report(subject: Subject, out: string): Promise<void> {
  const {model, images} = subject;
  await mkdir(out, {recursive: true});
  const stats = await collected(subject, images, path.join(out, 'statistics'));
  const own = images.labelsFor(model.classes);
  const order = permutation(own.length, 1);
  const permuted = Int32Array.from(order, (n) => own[n]);
  const chance = await collected(subject, {...images, labelsFor: () => permuted}, path.join(out, 'permuted'));
  const suggested = suggestThresholds(stats, THRESHOLDS);
  say(`${model.name}, ${subject.layer}, ${images.paths.length} images\n${suggested}`);
  const {pairs} = findPolysemantic(stats, {...THRESHOLDS, gamma: 0.5, allPairs: true});
  const published = findPolysemantic(stats, {...THRESHOLDS, gamma: 0.5, allPairs: true, arv: 'published'}).pairs;
  const decided = pairs.filter(({decision}) => decision !== 'undecided');
  const vectors = new Map(pairs.map(({channel}) => [channel, classVectors(stats, channel, 'gated')]));
  const byChance = new Map(pairs.map(({channel}) => [channel, classVectors(chance, channel, 'gated')]));
  const share = (list: readonly boolean[]) => fractionText(list.filter(Boolean).length / Math.max(list.length, 1));
  say(`${pairs.length} pairs, ${decided.length} decided`);
  for (const gamma of [0.5, suggested.gamma]) {
    const halves = decided.map(({channel, classes}) =>
      ([0, 1] as const).map((half) => vectors.get(channel)!.cosine(...classes, [half, half]) < gamma),
    );
    const called = pairs.map(({channel, classes}) => {
      const wrong = byChance.get(channel)!;
      return classes.every((k) => wrong.agreement(k) > LEAST_AGREEMENT) && wrong.cosine(...classes) < gamma;
    });
    say(
      `γ ${numberText(gamma)}: called ${share(decided.map(({cosine}) => cosine < gamma))} of the decided, published vectors ${share(published.map(({cosine}) => cosine < gamma))}; halves alike ${share(halves.map(([a, b]) => a === b))}; with permuted labels ${share(called)}`,
    );
  }
  const name = ({channel, classes: [a, b], cosine}: ClassPair) =>
    `${stats.classNames[a]}/${stats.classNames[b]} in ${channel}: ${fractionText(cosine)}`;
  const [low, high] = [decided.slice(0, SHOWN), decided.slice(-SHOWN).reverse()];
  say(`lowest: ${low.map(name).join(', ')}\nhighest: ${high.map(name).join(', ')}`);
  await sheet(stats, subject, low, path.join(out, 'lowest.png'));
  await sheet(stats, subject, high, path.join(out, 'highest.png'));
  say(`pictures in ${out}`);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.name === 'InputError' ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
