/**
 * Compares the networks that keras_applications.py wrote with Keras' own logits and its autodiff's relevances, and takes each through the method:
 * one pass at an early, a middle and a late layer, a split, its proof, saving, loading. Prints the table of docs/networks-keras.md.
 *
 *     node --import tsx scripts/networks/keras.ts OUT [GENERATION-NAME …]
 */
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

import * as uw from '../../src';
import {chosenLayers, throughTheMethod} from './method';
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
  const [out, ...only] = process.argv.slice(2);
  const write = (line: string) => process.stdout.write(`${line}\n`);
  write(
    '| network | Keras | logits: .h5 | .keras | tfjs | the same network | layers | relevances: early, middle, late | pass, split, proof, save, load |',
  );
  write(`|${'---|'.repeat(9)}`);
  for (const name of readdirSync(out).sort()) {
    if ((only.length === 0 || only.includes(name)) && existsSync(path.join(out, name, 'relevances.json')))
      write(await row(out, name));
  }
}

void main();
