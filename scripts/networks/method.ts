import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import * as uw from '../../src';

const PRESET = {name: 'as they are', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]};

/** Twelve coloured noises of three classes. */
function noises([height, width]: readonly number[]) {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const labels = Array.from({length: 12}, (_, index) => index % 3);
  const pixels = labels.map((label) =>
    Uint8Array.from({length: height * width * 3}, (_, at) => 150 * next() + (at % 3 === label ? 100 : 0)),
  );
  return uw.imagesFromPixels({name: 'noises', pixels, height, width, labels, preset: PRESET});
}

/** The channel with the highest share in any image. */
function strongest({shares: {channels, values}}: uw.RelevanceStatistics): number {
  return channels[values.indexOf(values.reduce((most, value) => Math.max(most, value), 0))];
}

/** The second, the middle and the last layer but one. */
export function chosenLayers(model: uw.Model): string[] {
  const layers = model.layers().map(({name}) => name);
  return [layers[1], layers[layers.length >> 1], layers[layers.length - 2]];
}

/** One pass, a split, its proof after saving and loading: the largest change of a logit; or the fault. */
export async function throughTheMethod(model: uw.Model, layer: string): Promise<string> {
  const images = noises(model.inputShape);
  const folder = mkdtempSync(path.join(tmpdir(), 'unweave-network-'));
  try {
    const stats = await uw.collectRelevance(model, images, {layer, floor: 0, batchSize: 6, progress: false});
    const target = {channel: strongest(stats), concepts: [0, [1, 2]]};
    const split = await uw.disentangle(model, stats, target, {images, rule: 'published', progress: false});
    await uw.saveSplit(split, path.join(folder, 'split'));
    const loaded = await uw.loadSplit(path.join(folder, 'split'), model);
    const proof = await uw.verifySplit(loaded, images, {progress: false});
    loaded.model.dispose();
    split.model.dispose();
    return proof.exact ? (proof.maxAbsLogitDifference / proof.maxAbsLogit).toExponential(0) : `no: ${String(proof)}`;
  } catch (error) {
    return `no: ${(error as Error).message}`;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
