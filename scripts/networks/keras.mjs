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

/** Convolutions at the start, in the middle and at the end. */
function threeLayers(model) {
  const layers = model.layers().filter(({kind}) => kind === 'conv');
  return [0, Math.floor(layers.length / 2), layers.length - 1].map((at) => layers[at].name);
}

/** Writes a network split at a channel of one layer, loads it and compares. */
async function throughTheMethod(model, expected) {
  const [count, height, width, channels] = expected.shape;
  const images = {
    name: 'random',
    paths: Array.from({length: 8}, (_, i) => `${i}`),
    preset: {name: 'as they are', mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255]},
    labelsFor: () => Int32Array.from({length: 8}, (_, i) => i % 2),
    classNamesFor: (k) => Array.from({length: k}, (_, i) => `class ${i}`),
    pixels: async (index) =>
      Uint8Array.from({length: height * width * channels}, (_, i) => (i * 37 + index * 101 + ((i * i) % 251)) % 256),
  };
  void count;
  const results = [];
  for (const layer of threeLayers(model)) {
    const stats = await uw.collectRelevance(model, images, {layer, progress: false});
    const split = await uw.disentangle(
      model,
      stats,
      {channel: 0, concepts: [{classes: [0]}, {classes: [1]}]},
      {images, rho: 0.5},
    );
    const check = await uw.verifySplit(split, images);
    const folder = mkdtempSync(path.join(tmpdir(), 'unweave-network-'));
    let saved;
    try {
      await uw.saveModel(split.model, folder, {force: true});
      const again = await uw.loadModel(folder);
      saved = again.hash === split.model.hash ? 'yes' : 'another hash';
      again.dispose();
    } catch (error) {
      saved = error.message;
    }
    rmSync(folder, {recursive: true, force: true});
    results.push({layer, verified: check, saved});
    split.dispose();
  }
  return results;
}

const method = process.env.METHOD !== '0';
process.stdout.write(
  '| network | Keras | .h5 | .keras | tfjs | layers | pass, split, save, load |\n|---|---|---|---|---|---|---|\n',
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
        const results = await throughTheMethod(model, expected);
        steps = results.map(({layer, saved}) => `${layer}: ${saved}`).join('; ');
      }
      model.dispose();
    } catch (error) {
      cells.push(error.name === 'InputError' ? error.message : String(error.stack));
    }
  }
  process.stdout.write(`| ${name.slice(2)} | ${expected.keras} | ${cells.join(' | ')} | ${layers} | ${steps} |\n`);
}
