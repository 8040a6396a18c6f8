/**
 * Whether feature visualisations mean to another network what they mean to their own. Images are made in the demo network of seed 0 and
 * shown to that of seed 1, which has other weights:
 *
 * - each class's logit: is the image recognised (top-1)?
 * - the two parts of each polysemantic channel, split between its two most different classes: is the own class's logit above the other's?
 *   The original channel's image beside it, as a control.
 *
 *   node --import tsx test/bench/featureTransfer.ts [--steps 256] [--seed 0] [--objective logit] [--only classes] [--splits 3]
 *     [--parametrisation vignette|fourier|maco] [--batch 3] [--gallery FILE.png]
 *
 * `--splits` takes the first so many polysemantic channels; `--gallery` writes the pictures with their names into one file, those of the
 * classes in a row each where `--batch` makes several.
 */
import {parseArgs} from 'node:util';
import sharp from 'sharp';
import * as tf from '@tensorflow/tfjs-core';
import {backend} from '../../src/engine';
import {findPolysemantic} from '../../src/concepts/find';
import {DEMO_CLASSES, demo} from '../../src/demo';
import {
  logit,
  fourier,
  logProbability,
  maco,
  visualizeFeature,
  visualizeSplit,
  type FeatureVisualization,
} from '../../src/features';
import type {RgbImage} from '../../src/images/resize';
import type {Model} from '../../src/network/types';
import {renderSvgPng} from '../../src/report/display';
import {FONT_FAMILY} from '../../src/report/display/fonts';
import {collectRelevance} from '../../src/relevance/collect';
import {disentangle} from '../../src/split/disentangle';

const {values: options} = parseArgs({
  options: {
    steps: {type: 'string', default: '256'},
    seed: {type: 'string', default: '0'},
    objective: {type: 'string', default: 'logit'},
    only: {type: 'string', default: 'classes,splits'},
    splits: {type: 'string', default: '999'},
    parametrisation: {type: 'string', default: 'vignette'},
    batch: {type: 'string', default: '1'},
    gallery: {type: 'string'},
  },
});
const PARAMETRISATIONS: Record<string, object> = {
  vignette: {},
  fourier: {parametrisation: fourier()},
  maco: {parametrisation: maco(), learningRate: 0.1},
};
const settings = {
  steps: Number(options.steps),
  seed: Number(options.seed),
  progress: false as const,
  ...PARAMETRISATIONS[options.parametrisation],
};

const batch = Number(options.batch);
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Logits of a picture in a network whose preset is x / 255 − 0.5. */
function logitsOf(model: Model, {data, height, width}: RgbImage): number[] {
  return tf.tidy(() => {
    const x = tf.tensor4d(
      Float32Array.from(data, (v) => v / 255 - 0.5),
      [1, height, width, 3],
    ); // [1, H, W, 3]
    return [...model.logits(x).dataSync()];
  });
}

const indexOfGreatest = (values: number[]) => values.indexOf(Math.max(...values));

async function classes(own: Model, other: Model): Promise<FeatureVisualization[]> {
  const objective = options.objective === 'logProbability' ? logProbability : logit;
  const shown: FeatureVisualization[] = [];
  let hits = 0;
  for (const [k, name] of DEMO_CLASSES.entries()) {
    const image = await visualizeFeature(own, objective(k), {...settings, batch});
    const seen = image.images.map((one) => {
      const logits = logitsOf(other, one);
      const named = indexOfGreatest(logits);
      const rank = logits.filter((value) => value > logits[k]).length + 1;
      if (named === k) hits += 1;
      return named === k ? 'recognised' : `taken for ${DEMO_CLASSES[named]}, rank ${rank}`;
    });
    say(`${name.padEnd(10)} ${seen.join('; ')}`);
    shown.push(image);
  }
  say(`${hits} of ${batch * DEMO_CLASSES.length} pictures are recognised by the other network (goal: 7 of 10)`);
  const seconds = shown.map((image) => image.seconds).reduce((sum, value) => sum + value, 0) / shown.length;
  say(
    `${seconds.toFixed(1)} s per ${batch === 1 ? 'image' : `${batch} images`} of 48² pixels, ${settings.steps} steps\n`,
  );
  return shown;
}

async function splits(own: Model, other: Model, train: Awaited<ReturnType<typeof demo>>['train']) {
  const quiet = {progress: false as const};
  const stats = await collectRelevance(own, train, {layer: 'conv5', ...quiet});
  const rows: Named[][] = [];
  let [above, raised, parts] = [0, 0, 0];
  for (const channel of findPolysemantic(stats, {tau: 2 / 16}).slice(0, Number(options.splits))) {
    const target = {channel: channel.channel, concepts: channel.pairs[0].classes};
    const split = await disentangle(own, stats, target, {images: train, rule: 'published', ...quiet});
    const {original, parts: shown} = await visualizeSplit(split, settings);
    const pair = split.concepts.map(({classes: [k]}) => k);
    const margins = [original, ...shown].map(({image}) => {
      const logits = logitsOf(other, image);
      return logits[pair[0]] - logits[pair[1]];
    });
    const ahead = [margins[1] > 0, margins[2] < 0];
    const further = [margins[1] > margins[0], margins[2] < margins[0]];
    above += ahead.filter(Boolean).length;
    raised += further.filter(Boolean).length;
    parts += 2;
    const signed = (value: number) => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(1)}`;
    say(
      `channel ${String(channel.channel).padStart(2)}: ${pair.map((k) => DEMO_CLASSES[k]).join(' less ')} in the other network: ` +
        `original ${signed(margins[0])}, part 1 ${signed(margins[1])}, part 2 ${signed(margins[2])}` +
        `${ahead.every(Boolean) ? '' : '  NOT BOTH AS NAMED'}`,
    );
    rows.push([
      {name: `channel ${split.channel}`, image: original.image},
      ...shown.map(({image}, j) => ({name: `d${j + 1}: ${DEMO_CLASSES[pair[j]]}`, image})),
    ]);
  }
  say(`${above} of ${parts} parts raise their own class's logit above the other concept's in the other network`);
  say(`${raised} of ${parts} parts move the difference towards their own class, against the original channel's image`);
  return rows;
}

interface Named {
  name: string;
  image: RgbImage;
}

/** Pictures in rows, twice as large, each with its name below. */
async function saveGallery(file: string, rows: Named[][]): Promise<void> {
  const [side, gap, caption] = [96, 8, 18];
  const tiles = rows.flatMap((row, y) =>
    row.map(async ({name, image: {data, width, height}}, x) => {
      const png = await sharp(data, {raw: {width, height, channels: 3}})
        .resize(side, side, {kernel: 'nearest'})
        .png()
        .toBuffer();
      const [left, top] = [gap + x * (side + gap), gap + y * (side + caption + gap)];
      return (
        `<image x="${left}" y="${top}" width="${side}" height="${side}" xlink:href="data:image/png;base64,${png.toString('base64')}"/>` +
        `<text x="${left + side / 2}" y="${top + side + 14}" text-anchor="middle" font-family="${FONT_FAMILY}" font-size="12">${name}</text>`
      );
    }),
  );
  const width = gap + (side + gap) * Math.max(...rows.map((row) => row.length));
  const height = gap + (side + caption + gap) * rows.length;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}">` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>${(await Promise.all(tiles)).join('')}</svg>`;
  await sharp(renderSvgPng(svg, 1)).png({palette: true, compressionLevel: 9, effort: 7}).toFile(file);
}

/** The items in rows of so many. */
const inRows = <T>(items: readonly T[], count: number): T[][] =>
  Array.from({length: Math.ceil(items.length / count)}, (_, row) => items.slice(row * count, (row + 1) * count));

async function main(): Promise<void> {
  say(String(await backend()));
  const {model: own, train} = await demo({seed: 0});
  const {model: other} = await demo({seed: 1});
  const rows: Named[][] = [];
  if (options.only.includes('classes')) {
    const shown = await classes(own, other);
    rows.push(
      ...inRows(
        shown.flatMap(({images}, k) => images.map((image) => ({name: DEMO_CLASSES[k], image}))),
        batch === 1 ? 8 : 4 * batch,
      ),
    );
  }
  if (options.only.includes('splits')) {
    rows.push(...inRows(await splits(own, other, train), 3).map((some) => some.flat()));
  }
  if (options.gallery !== undefined) await saveGallery(options.gallery, rows);
}

void main();
