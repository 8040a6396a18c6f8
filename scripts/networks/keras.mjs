/**
 * Compares the networks that keras_applications.py wrote with Keras' own logits, and takes each through the method: read, one pass at an
 * early, a middle and a late layer, an exact split, save, load. Prints the table of docs/networks-keras.md.
 *
 *     node --import tsx scripts/networks/keras.mjs OUT [NAME]
 */
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

const uw = await import('../../src/index.ts');
const [out, only = ''] = process.argv.slice(2);
const FORMATS = {'.h5': 'model.h5', '.keras': 'model.keras', tfjs: 'tfjs'};

/** Largest difference of the logits over the largest logit. */
function logitError(model, {input, shape, logits}) {
  const values = tf.tidy(() => model.logits(tf.tensor4d(input, shape)).dataSync());
  const largest = Math.max(...logits.map(Math.abs));
  return Math.max(...logits.map((value, at) => Math.abs(value - values[at]))) / largest;
}

const PRESET = {name: 'as they are', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]};

/** Twelve coloured noises of three classes. */
function noises([height, width]) {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const labels = Array.from({length: 12}, (_, index) => index % 3);
  const pixels = labels.map((label) =>
    Uint8Array.from({length: height * width * 3}, (_, at) => 150 * next() + (at % 3 === label ? 100 : 0)),
  );
  return uw.imagesFromPixels({name: 'noises', pixels, height, width, labels, preset: PRESET});
}

/** The channel with the highest share in any image. */
function strongest({shares: {channels, values}}) {
  return channels[values.indexOf(values.reduce((most, value) => Math.max(most, value), 0))];
}

/** One pass, a split, its proof, saving and loading, at the second, the middle and the last layer but one; '' where all went well. */
async function throughTheMethod(model) {
  const images = noises(model.inputShape);
  const layers = model.layers().map(({name}) => name);
  const faults = [];
  for (const layer of [layers[1], layers[layers.length >> 1], layers[layers.length - 2]]) {
    const folder = mkdtempSync(path.join(tmpdir(), 'unweave-network-'));
    try {
      const stats = await uw.collectRelevance(model, images, {layer, floor: 0, batchSize: 6, progress: false});
      const channel = strongest(stats);
      const split = await uw.disentangle(model, stats, {channel, concepts: [0, [1, 2]]}, {images, progress: false});
      await uw.saveSplit(split, path.join(folder, 'split'));
      const loaded = await uw.loadSplit(path.join(folder, 'split'), model);
      const proof = await uw.verifySplit(loaded, images, {progress: false});
      if (!proof.exact) faults.push(`${layer}: ${proof}`);
      loaded.dispose();
      split.dispose();
    } catch (error) {
      faults.push(`${layer}: ${error.message}`);
    }
    rmSync(folder, {recursive: true, force: true});
  }
  return faults.join('; ');
}

const method = process.env.METHOD !== '0';
process.stdout.write(
  '| network | Keras | .h5 | .keras | tfjs | layers | pass, split, proof, save, load |\n|---|---|---|---|---|---|---|\n',
);
for (const name of readdirSync(out).sort()) {
  const file = path.join(out, name, 'expected.json');
  if (!name.includes(only) || !existsSync(file)) continue;
  const expected = JSON.parse(readFileSync(file, 'utf8'));
  const cells = [];
  let layers = 0;
  let steps = '';
  for (const place of Object.values(FORMATS)) {
    try {
      const model = await uw.loadModel(path.join(out, name, place));
      cells.push(logitError(model, expected).toExponential(1));
      layers = model.layers().length;
      if (place === 'tfjs' && method) {
        steps = (await throughTheMethod(model)) || 'yes';
      }
      model.dispose();
    } catch (error) {
      cells.push(error.name === 'InputError' ? error.message : String(error.stack));
    }
  }
  process.stdout.write(`| ${name.slice(2)} | ${expected.keras} | ${cells.join(' | ')} | ${layers} | ${steps} |\n`);
}
