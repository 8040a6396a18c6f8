/**
 * Networks × what unweave does with them, as rows of docs/networks.md:
 *
 *     python3 scripts/networks/export.py FOLDER            # once: torch, torchvision, timm, onnx, onnxscript, onnxruntime
 *     node --import tsx scripts/networks/table.ts FOLDER [NAME …]
 *
 * Each network is loaded, its logits compared with onnxruntime's, relevances with PyTorch's autograd through the whole network, one pass made at an early, a middle and a late layer, a channel of each divided
 * at random, and the model with all three divisions saved as ONNX and as a LayersModel, loaded again and compared.
 */
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {collectRelevance, imagesFromPixels, loadModel, saveModel, saveOnnx, type Model} from '../../src';
import {linearLayer} from '../../src/network/linearLayer';
import {makeModel} from '../../src/network/model';
import {compileGraph} from '../../src/network/run';
import {divideChannel} from '../../src/split/rewrite';
import {relevanceError, type ExpectedRelevances} from './relevances';

interface Record {
  name: string;
  exporter: string;
  shape: [number, number, number, number];
  input: string;
  logits: number[][];
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Largest difference, relative to the largest logit. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  return largest(Array.from(found, (value, at) => value - expected[at])) / largest(expected);
}

function logitsOf(model: Model, images: tf.Tensor4D): Float32Array {
  const logits = model.logits(images);
  const values = logits.dataSync() as Float32Array;
  logits.dispose();
  return values;
}

/** The channel in two parts that own every third input each, and a residue: Z = d1 + d2 − r. */
function atRandom(model: Model, layer: string): Model {
  const {kernel, shape} = linearLayer(model.graph, layer); // grouped or not, [kh, kw, Cin, Cout]
  const [kh, kw, inputs, outputs] = shape;
  const channel = Math.floor(outputs / 2);
  const column = Float32Array.from({length: kh * kw * inputs}, (_, at) => kernel[at * outputs + channel]); // [taps, Cin]
  const owned = (j: number) => column.map((weight, at) => ((at % inputs) % 3 === j ? 0 : weight));
  const residue = column.map((weight, at) => ((at % inputs) % 3 === 2 ? weight : 0));
  const graph = divideChannel(model.graph, layer, channel, {parts: [owned(0), owned(1)], residue});
  const {name, preset, source} = model;
  return makeModel(graph, {name, preset, source, origins: [model.hash]});
}

/** Values of one node. */
function valueOf(model: Model, node: string, images: tf.Tensor4D): Float32Array {
  return tf.tidy(() => {
    const run = compileGraph(model.graph, {outputs: [node]});
    const values = run.run(images)[node].dataSync() as Float32Array;
    run.dispose();
    return values;
  });
}

/** How much of a layer's outputs Z, and of the logits, a division changes. */
function splitError(before: Model, after: Model, layer: string, images: tf.Tensor4D): number {
  const merge = after.graph.nodes.filter(({mark}) => mark?.kind === 'merge' && mark.of === layer).at(-1);
  const z = difference(valueOf(after, merge?.name ?? layer, images), valueOf(before, layer, images));
  return Math.max(z, difference(logitsOf(after, images), logitsOf(before, images)));
}

async function attempt(work: () => Promise<string> | string): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return `no: ${(error as Error).message.slice(0, 160)}`;
  }
}

const figure = (error: number) => (error <= 1e-4 ? error.toExponential(0) : `**${error.toExponential(1)}**`);

const relevanceFigure = (error: number | undefined) =>
  error === undefined ? '–' : error <= 1e-3 ? error.toExponential(0) : `**${error.toExponential(1)}**`;

async function row(folder: string, file: string, place: string): Promise<string> {
  const {name, exporter, shape, input, logits} = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Record;
  const start = performance.now();
  const model = await loadModel(path.join(folder, file.replace(/json$/, 'onnx')), {preset: 'raw'});
  const seconds = (performance.now() - start) / 1000;
  const layers = model.layers();
  const chosen = [1, Math.floor(layers.length / 2), layers.length - 2].map((at) => layers[at].name);
  const images = tf.tensor4d(new Float32Array(Uint8Array.from(Buffer.from(input, 'base64')).buffer), shape);
  const own = logitsOf(model, images);
  const pixels = Array.from({length: 4}, (_, n) =>
    Uint8Array.from({length: shape[1] * shape[2] * 3}, (_unused, at) => (at * 7919 + n * 31) % 256),
  );
  const source = imagesFromPixels({
    name: 'noise',
    pixels,
    height: shape[1],
    width: shape[2],
    labels: [0, 0, 1, 1],
    preset: 'raw',
  });
  const expected = path.join(folder, file.replace(/\.[^.]+\.json$/, '.relevances'));
  const relevances = existsSync(expected)
    ? await attempt(() => {
        const read = JSON.parse(readFileSync(expected, 'utf8')) as ExpectedRelevances;
        return chosen.map((layer) => relevanceFigure(relevanceError(model, layer, images, read))).join(', ');
      })
    : '';
  const passes = await attempt(async () => {
    for (const layer of chosen) await collectRelevance(model, source, {layer, onProgress: () => undefined});
    return 'Y';
  });
  const splits: string[] = [];
  let whole = model;
  for (const layer of chosen) {
    splits.push(
      await attempt(() => {
        const single = atRandom(model, layer);
        const error = splitError(model, single, layer, images);
        single.dispose();
        whole = atRandom(whole, layer);
        return figure(error);
      }),
    );
  }
  const saved = async (save: () => Promise<string>) =>
    attempt(async () => {
      const again = await loadModel(await save(), {preset: 'raw'});
      const error = difference(logitsOf(again, images), own);
      again.dispose();
      return figure(error);
    });
  const onnx = await saved(async () => {
    const target = path.join(place, 'divided.onnx');
    await saveOnnx(whole, target, {force: true});
    return target;
  });
  const layersModel = await saved(async () => {
    const target = path.join(place, `${file}-layers`);
    await saveModel(whole, target, {force: true});
    return target;
  });
  const error = difference(own, logits.flat());
  images.dispose();
  model.dispose();
  for (const entry of readdirSync(place)) rmSync(path.join(place, entry), {recursive: true});
  const cells = [
    `${name}, ${exporter}`,
    `${seconds.toFixed(1)} s`,
    layers.length,
    figure(error),
    relevances,
    passes,
    splits.join(', '),
    onnx,
    layersModel,
  ];
  return `| ${cells.join(' | ')} |`;
}

async function main(): Promise<void> {
  const [folder, ...names] = process.argv.slice(2);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const place = mkdtempSync(path.join(tmpdir(), 'unweave-networks-'));
  const write = (line: string) => process.stdout.write(`${line}\n`);
  write(
    '| network, exporter | load | layers | logits | relevances: early, middle, late | one pass | split: early, middle, late | ONNX and back | LayersModel and back |',
  );
  write('|---|---|---|---|---|---|---|---|---|');
  try {
    const chosen = names.length === 0 ? files : names.flatMap((name) => files.filter((file) => file.startsWith(name)));
    for (const file of chosen) {
      write(await row(folder, file, place).catch((error: Error) => `| ${file} | no: ${error.message} |`));
    }
  } finally {
    rmSync(place, {recursive: true});
  }
}

void main();
