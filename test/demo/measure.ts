import * as tf from '@tensorflow/tfjs-core';
import {DEMO_CLASSES, DEMO_SIZE, demoImage} from '../../src/demo/generator';
import {keyedRandom} from '../../src/common/random';
import {nodeOf, weightOf} from '../../src/network/graph';
import {compileGraph} from '../../src/network/run';
import type {Model} from '../../src/network/types';
import {
  averagedRelevance,
  bestRho,
  kernelOf,
  mostDifferent,
  ownersOf,
  relevantChannels,
  shares,
  summary,
  type Features,
  type Head,
} from '../reference/demoAnalysis';

/** The thresholds that the demo network is judged at. */
const [TAU, P, GAMMA] = [2 / 16, 0.75, 0.5];
const BATCH = 240;

/** conv5 and what follows, as plain numbers. */
export function headOf(model: Model): Head {
  const of = (node: string, weight: string) => weightOf(nodeOf(model.graph, node), weight)!.data;
  const [gamma, beta] = [of('bn5', 'gamma'), of('bn5', 'beta')];
  const [mean, variance] = [of('bn5', 'moving_mean'), of('bn5', 'moving_variance')];
  const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c] + 1e-3));
  const shift = Float64Array.from(beta, (b, c) => b - mean[c] * scale[c]);
  const shape = weightOf(nodeOf(model.graph, 'conv5'), 'kernel')!.shape; // [1, 1, M, C]
  const head = {kernel: of('conv5', 'kernel'), scale, shift, dense: of('logits', 'kernel')};
  return {...head, inputs: shape[2], channels: shape[3], classes: model.classes, positions: 36};
}

/** Inputs of conv5 for `perClass` images of each class, and the fraction whose highest logit is their class. */
export function featuresOf(model: Model, seed: number, perClass: number): Features & {accuracy: number} {
  const network = compileGraph(model.graph, {outputs: ['relu4', 'logits']});
  const count = perClass * DEMO_CLASSES.length;
  const labels = Array.from({length: count}, (_, n) => Math.floor(n / perClass));
  const size = DEMO_SIZE * DEMO_SIZE * 3;
  const images: Float32Array[] = [];
  let hits = 0;
  for (let from = 0; from < count; from += BATCH) {
    const part = labels.slice(from, from + BATCH);
    const input = new Float32Array(part.length * size);
    part.forEach((k, i) => {
      const pixels = demoImage(k, (from + i) % perClass, seed);
      for (let at = 0; at < size; at++) input[i * size + at] = pixels[at] / 255 - 0.5;
    });
    const x = tf.tensor4d(input, [part.length, DEMO_SIZE, DEMO_SIZE, 3]); // [B, 48, 48, 3]
    const {relu4, logits: y} = network.run(x); // [B, 6, 6, 96], [B, 24]
    const [features, logits] = [relu4.dataSync<'float32'>(), y.arraySync() as number[][]];
    tf.dispose([x, relu4, y]);
    const length = features.length / part.length;
    part.forEach((k, i) => {
      images.push(features.slice(i * length, (i + 1) * length));
      if (logits[i].indexOf(Math.max(...logits[i])) === k) hits++;
    });
  }
  network.dispose();
  return {images, labels, accuracy: hits / count};
}

/** One channel pulled apart, measured on held-out images. */
export interface SplitFigures {
  channel: number;
  classes: string[];
  cosine: number;
  rho: number;
  /** Sources that each concept owns. */
  sources: number[];
  /** [concept][part, …, residue]: Σ relu(part) ÷ Σ relu(original). */
  table: number[][];
  own: number;
  other: number;
  residue: number;
  random: {own: number; other: number};
  /** How many of the 20 images with the highest original or part are of each class. */
  top: {original: string; parts: string[]};
}

export interface DemoFigures {
  accuracy: number;
  /** Channels with two, with three classes of which no two have a cosine of GAMMA or more. */
  polysemantic: number;
  triple: number;
  /** Pairs of classes that a channel is relevant to, and how many of them are below GAMMA. */
  pairs: number;
  different: number;
  /** Share of conv5's inputs that are above 0. */
  active: number;
  splits: SplitFigures[];
}

/**
 * Everything that the demo network promises: channels are found on `probe` images and measured on `heldOut` ones; each is
 * split between its two, and where it has them its three, most different classes.
 */
export function measure(
  model: Model,
  {probe = 3, heldOut = 2, perClass = 60, draws = 100, triples = true} = {},
): DemoFigures {
  const head = headOf(model);
  const seen = featuresOf(model, probe, perClass);
  const unseen = featuresOf(model, heldOut, perClass);
  const relevant = relevantChannels(head, seen, TAU, P);
  const arv = averagedRelevance(head, seen);
  const figures = {accuracy: unseen.accuracy, polysemantic: 0, triple: 0, pairs: 0, different: 0};
  const splits: SplitFigures[] = [];
  for (let c = 0; c < head.channels; c++) {
    const classes = relevant[c].flatMap((yes, k) => (yes ? [k] : []));
    for (const [n, k] of classes.entries()) {
      for (const l of classes.slice(n + 1)) {
        figures.pairs++;
        if (mostDifferent(arv[c], [k, l], 2).cosine < GAMMA) figures.different++;
      }
    }
    for (const size of [2, 3] as const) {
      const best = mostDifferent(arv[c], classes, size);
      if (!(best.cosine < GAMMA)) continue;
      figures[size === 2 ? 'polysemantic' : 'triple']++;
      if (size === 2 || triples) splits.push(split(head, c, best, arv[c], seen, unseen, draws));
    }
  }
  const values = seen.images.length * seen.images[0].length;
  const active = seen.images.reduce((sum, image) => sum + image.reduce((n, v) => (v > 0 ? n + 1 : n), 0), 0) / values;
  return {...figures, active, splits};
}

function split(
  head: Head,
  channel: number,
  {classes, cosine}: {classes: number[]; cosine: number},
  arv: number[][],
  seen: Features,
  unseen: Features,
  draws: number,
): SplitFigures {
  const kernel = kernelOf(head, channel);
  const arvs = classes.map((k) => arv[k]);
  const of = (features: Features) => classes.map((k) => features.images.filter((_, n) => features.labels[n] === k));
  const rho = bestRho(head, kernel, arvs, of(seen));
  const owners = ownersOf(arvs, rho);
  const table = shares(head, kernel, owners, of(unseen));
  const random = {own: 0, other: 0};
  const stream = keyedRandom(channel, classes.length, 0);
  for (let draw = 0; draw < draws; draw++) {
    const shuffled = [...owners];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = stream.integer(0, i);
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    const {own, other} = summary(shares(head, kernel, shuffled, of(unseen)));
    random.own += own / draws;
    random.other += other / draws;
  }
  const parts = classes.map((_, j) => kernel.map((w, i) => (owners[i] === -1 || owners[i] === j ? w : 0)));
  return {
    channel,
    classes: classes.map((k) => DEMO_CLASSES[k]),
    cosine,
    rho,
    sources: classes.map((_, j) => owners.filter((owner) => owner === j).length),
    table,
    ...summary(table),
    random,
    top: {original: topClasses(head, unseen, kernel), parts: parts.map((part) => topClasses(head, unseen, part))},
  };
}

/** Classes of the 20 images with the highest Σ relu(kernel · X), most frequent first, as `20 leaf` or `13 bricks, 7 leaf`. */
function topClasses(head: Head, {images, labels}: Features, kernel: number[]): string {
  const sums = images.map((image) => {
    let sum = 0;
    for (let p = 0; p < head.positions; p++) {
      let z = 0;
      for (let i = 0; i < head.inputs; i++) z += kernel[i] * image[p * head.inputs + i];
      if (z > 0) sum += z;
    }
    return sum;
  });
  const top = [...sums.keys()].sort((a, b) => sums[b] - sums[a]).slice(0, 20);
  const count = new Map<string, number>();
  for (const n of top) count.set(DEMO_CLASSES[labels[n]], (count.get(DEMO_CLASSES[labels[n]]) ?? 0) + 1);
  return [...count]
    .sort((a, b) => b[1] - a[1])
    .map(([name, times]) => `${times} ${name}`)
    .join(', ');
}
