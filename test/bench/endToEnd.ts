import {mkdir, readdir} from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import * as tf from '@tensorflow/tfjs-core';
import {findPolysemantic} from '../../src/concepts/find';
import {loadModel} from '../../src/formats/load';
import {imageBatches, imageFolder} from '../../src/images';
import {decodePool} from '../../src/images/decodePool';
import {collectRelevance} from '../../src/relevance/collect';
import {uniform} from '../reference/smallNetworks';
import {costOf, scaled, type Cost} from './processorTime';
import type {Torch} from './torch';

/** From image files to polysemantic channels on MobileNet: ours, the folded forward pass alone, and the published procedure. Milliseconds in all. */
export interface EndToEnd {
  classes: number;
  crops: number;
  /** (channel, class) pairs that are important at the default thresholds: the published procedure goes through a class for each. */
  pairs: number;
  /** What the procedure computes, by the published vectors. */
  ours: Cost;
  /** The default: gated vectors too. */
  gated: Cost;
  forward: Cost;
  published?: Published;
}

/** What the published procedure took. */
interface Published {
  attribution: Cost;
  /** All of its vectors for so many pairs, ascending; beyond the last a pair counts as the mean of those. */
  vectors: {pairs: number; cost: Cost}[];
}

/** Crops of one photograph a class, as JPEG files. @returns the files of each class */
async function makeCrops(
  photographs: string,
  out: string,
  {classes, crops}: {classes: number; crops: number},
): Promise<string[][]> {
  const draw = uniform(7);
  const files: string[][] = [];
  for (const name of (await readdir(photographs)).sort().slice(0, classes)) {
    const folder = path.join(photographs, name);
    const [photograph] = (await readdir(folder)).sort();
    const {data, info} = await sharp(path.join(folder, photograph))
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({resolveWithObject: true});
    await mkdir(path.join(out, name), {recursive: true});
    const own: string[] = [];
    for (let n = 0; n < crops; n++) {
      const side = (whole: number) => Math.round(whole * (0.7 + 0.3 * draw()));
      const [width, height] = [side(info.width), side(info.height)];
      const [left, top] = [Math.floor((info.width - width) * draw()), Math.floor((info.height - height) * draw())];
      const file = path.join(out, name, `${n}.jpg`);
      const {width: w, height: h, channels} = info;
      await sharp(data, {raw: {width: w, height: h, channels}})
        .extract({left, top, width, height})
        .jpeg({quality: 90})
        .toFile(file);
      own.push(file);
    }
    files.push(own);
  }
  return files;
}

export interface EndToEndOptions {
  classes: number;
  crops: number;
  rounds: number;
  /** Numbers of pairs for which the published procedure is gone through, ascending. */
  pairs: readonly number[];
  torch?: Torch;
  /** Called whenever something more has been measured. */
  keep: (found: EndToEnd) => Promise<void>;
}

/** @param shared the folder of shared data; @param folder where crops may be written */
export async function endToEnd(
  shared: string,
  folder: string,
  {classes, crops, rounds, pairs: counts, torch, keep}: EndToEndOptions,
): Promise<EndToEnd> {
  const files = await makeCrops(path.join(shared, 'imagenet-samples/original'), folder, {classes, crops});
  const model = await loadModel(path.join(shared, 'models/mobilenet_v1_0.75_224'));
  const images = await imageFolder(folder);
  const quiet = {layer: 'conv_pw_13', batchSize: 16, progress: false as const};
  const pids = () => decodePool().pids();
  const forward = async () => {
    for await (const {pixels, shape} of imageBatches(images, {
      inputShape: model.inputShape,
      batchSize: 16,
      preset: 'tf',
    })) {
      const logits = tf.tidy(() => model.logits(tf.tensor4d(pixels, shape)));
      await logits.data();
      logits.dispose();
    }
  };
  let pairs = 0;
  const ours = (gates: boolean) => async () => {
    const {candidates} = findPolysemantic(await collectRelevance(model, images, {...quiet, preset: 'tf', gates}));
    pairs = candidates.reduce((sum, {classes: own}) => sum + own.length, 0);
  };
  await forward(); // The decoding processes are up, and what is compiled is warm.
  const costs: Record<'ours' | 'gated' | 'forward', Cost[]> = {ours: [], gated: [], forward: []};
  for (let round = 0; round < rounds; round++) {
    costs.forward.push(await costOf(forward, pids));
    costs.ours.push(await costOf(ours(false), pids));
    costs.gated.push(await costOf(ours(true), pids));
  }
  model.dispose();
  const least = (list: Cost[]) => list.reduce((best, one) => (one.processor < best.processor ? one : best));
  const found: EndToEnd = {
    classes,
    crops,
    pairs,
    ours: least(costs.ours),
    gated: least(costs.gated),
    forward: least(costs.forward),
  };
  await keep(found);
  if (!torch) return found;
  found.published = {attribution: await torch.attribution(files), vectors: []};
  await keep(found);
  let total: Cost = {wall: 0, processor: 0};
  for (const [n, last] of counts.entries()) {
    const more = await torch.vectors(files, {first: counts[n - 1] ?? 0, last});
    total = {wall: total.wall + more.wall, processor: total.processor + more.processor};
    found.published.vectors.push({pairs: last, cost: total});
    await keep(found);
  }
  return found;
}

/** Published / ours at so many pairs, by processor time, and whether all of it was measured. */
export function publishedRatio(
  {ours, published}: EndToEnd,
  pairs: number,
): {ratio: number; measured: boolean} | undefined {
  const known = published && [{pairs: 0, cost: {wall: 0, processor: 0}}, ...published.vectors];
  if (!known || known.length < 2) return undefined;
  const measured = known.find((one) => one.pairs === pairs);
  const [longest] = known.slice(-1);
  const vectors = (measured ?? {cost: scaled(longest.cost, pairs / longest.pairs)}).cost;
  return {
    ratio: (published.attribution.processor + vectors.processor) / ours.processor,
    measured: measured !== undefined,
  };
}
