/**
 * Compares the networks that keras_applications.py wrote with Keras' own logits and its autodiff's relevances, and takes each through the method:
 * one pass at an early, a middle and a late layer, a split, its proof, saving, loading. Prints the table of docs/networks-keras.md.
 *
 *     node --import tsx scripts/networks/keras.ts OUT [NAME]
 */
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

import * as uw from '../../src';
import {relevanceError, type ExpectedRelevances} from './relevances';

interface Expected {
  keras: string;
  shape: [number, number, number, number];
  input: number[];
  logits: number[];
}

const FILES = ['model.h5', 'model.keras', 'tfjs'];

/** Largest difference of the logits over the largest logit. */
function logitError(model: uw.Model, {input, shape, logits}: Expected): number {
  const values = tf.tidy(() => model.logits(tf.tensor4d(input, shape)).dataSync());
  const largest = Math.max(...logits.map(Math.abs));
  return Math.max(...logits.map((value, at) => Math.abs(value - values[at]))) / largest;
}

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
function chosenLayers(model: uw.Model): string[] {
  const layers = model.layers().map(({name}) => name);
  return [layers[1], layers[layers.length >> 1], layers[layers.length - 2]];
}

/** One pass, a split, its proof after saving and loading: the largest change of a logit; or the fault. */
async function throughTheMethod(model: uw.Model, layer: string): Promise<string> {
  const images = noises(model.inputShape);
  const folder = mkdtempSync(path.join(tmpdir(), 'unweave-network-'));
  try {
    const stats = await uw.collectRelevance(model, images, {layer, floor: 0, batchSize: 6, progress: false});
    const target = {channel: strongest(stats), concepts: [0, [1, 2]]};
    const split = await uw.disentangle(model, stats, target, {images, progress: false});
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

async function row(folder: string, name: string): Promise<string> {
  const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, name, file), 'utf8'));
  const expected = read('expected.json') as Expected;
  const autodiff = read('relevances.json') as ExpectedRelevances;
  const logits: string[] = [];
  const hashes = new Set<string>();
  let [layers, relevances, splits] = [0, '', ''];
  for (const file of FILES) {
    try {
      const model = await uw.loadModel(path.join(folder, name, file));
      logits.push(logitError(model, expected).toExponential(0));
      hashes.add(model.hash);
      if (file === FILES.at(-1)) {
        layers = model.layers().length;
        const chosen = chosenLayers(model);
        const images = tf.tensor4d(expected.input, expected.shape);
        const errors = chosen.map((layer) => relevanceError(model, layer, images, autodiff)?.toExponential(0) ?? '–');
        relevances = errors.join(', ');
        images.dispose();
        const steps: string[] = [];
        for (const layer of chosen) steps.push(await throughTheMethod(model, layer));
        splits = steps.join(', ');
      }
      model.dispose();
    } catch (error) {
      logits.push(`no: ${(error as Error).message}`);
    }
  }
  const same = hashes.size === 1 ? 'Y' : `${hashes.size} networks`;
  const cells = [name.slice(2), expected.keras, ...logits, same, layers, relevances, splits];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  const [out, only = ''] = process.argv.slice(2);
  const write = (line: string) => process.stdout.write(`${line}\n`);
  write(
    '| network | Keras | logits: .h5 | .keras | tfjs | the same network | layers | relevances: early, middle, late | pass, split, proof, save, load |',
  );
  write(`|${'---|'.repeat(9)}`);
  for (const name of readdirSync(out).sort()) {
    if (name.includes(only) && existsSync(path.join(out, name, 'relevances.json'))) write(await row(out, name));
  }
}

void main();
