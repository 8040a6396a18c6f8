/**
 * Clusters without labels on the known networks: their agreement with the true parts, with and without what the network predicts, and what
 * tells channels of several parts from those of one. Usage: withoutLabels.ts [KIND-SEED …]
 */
import {existsSync} from 'node:fs';
import path from 'node:path';
import {
  classActivations,
  POSITIONS,
  shows,
  singleActivations,
  type KnownActivations,
} from '../../src/known/activations';
import {measuredMeanings} from '../../src/known/meanings';
import {KNOWN_KINDS, knownNetwork, type KnownKind} from '../../src/known/networks';
import {CODES} from '../../src/known/parts';
import {KNOWN_FOLDER} from '../../src/known/weights';
import type {Model} from '../../src/network/types';
import {adjustedRandIndex} from '../../src/numerics/agreement';
import {sphericalClusters} from '../../src/numerics/kmeans';
import {auroc} from '../../src/numerics/ranking';
import {severalMeanings, type SeveralMeanings} from '../../src/numerics/severalMeanings';
import {mean} from '../../src/numerics/vectors';
import {clusteredVectors, sampleStrata} from '../../src/split/discover';

const PER_CLASS = 24;
const MOST = 160;
const SEEDS = [0, 1, 2, 3, 4, 5];
const MEASURES = ['silhouette', 'dip', 'likelihood', 'stability'] as const;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const all = KNOWN_KINDS.flatMap((kind) => SEEDS.map((seed) => `${kind}-${seed}`));
  const asked = process.argv.length > 2 ? process.argv.slice(2) : all;
  const names = asked.filter((name) => existsSync(path.join(KNOWN_FOLDER, `${name}.safetensors`)));
  say(`| network | adjusted Rand, alone: mean (worst) | with predictions | AUROC ${MEASURES.join(' | AUROC ')} |`);
  say(`| --- | --- | --- |${' --- |'.repeat(MEASURES.length)}`);
  for (const name of names) {
    const at = name.lastIndexOf('-');
    const kind = name.slice(0, at) as KnownKind;
    const model = await knownNetwork(kind, Number(name.slice(at + 1)));
    const held = classActivations(model, 'test', PER_CLASS);
    const meanings =
      kind === 'none-plain'
        ? measuredMeanings(singleActivations(model, PER_CLASS)).parts
        : CODES.map((code) => [...code]);
    const predicted = predictions(model, held);
    model.dispose();
    const agreements: {alone: number[]; predicted: number[]} = {alone: [], predicted: []};
    const found: {several: boolean; scores: SeveralMeanings}[] = [];
    for (const [channel, meaning] of meanings.entries()) {
      if (!meaning || meaning.length === 0) continue;
      const sample = sampleStrata(strongest(held, channel, predicted), MOST);
      if (sample.length < 16) continue;
      found.push({several: meaning.length > 1, scores: severalMeanings(clusteredVectors(sample, false))});
      if (meaning.length < 2) continue;
      const truth = sample.map(({picture, position}) =>
        meaning.findIndex((part) => shows(held, picture, position, [part])),
      );
      const known = [...truth.keys()].filter((n) => truth[n] >= 0);
      for (const way of ['alone', 'predicted'] as const) {
        const {owners} = sphericalClusters(clusteredVectors(sample, way === 'predicted'), meaning.length);
        const [a, b] = [known.map((n) => truth[n]), known.map((n) => owners[n])];
        agreements[way].push(adjustedRandIndex(a, b));
      }
    }
    const cell = (values: number[]) => `${mean(values).toFixed(2)} (${Math.min(...values).toFixed(2)})`;
    const told = MEASURES.map((measure) => {
      const of = (several: boolean) =>
        found.filter((one) => one.several === several).map(({scores}) => scores[measure]);
      return auroc(of(true), of(false)).toFixed(2);
    });
    say(`| ${[name, cell(agreements.alone), cell(agreements.predicted), ...told].join(' | ')} |`);
  }
}

/** The class of the highest logit of each picture: the network's head is a mean of relu(Z) and a dense layer. */
function predictions(model: Model, {outputs, channels, labels}: KnownActivations): number[] {
  const {weights} = model.graph.nodes.find(({name}) => name === 'logits')!;
  const [kernel, bias] = weights.map(({data}) => data);
  const K = bias.length;
  return Array.from(labels, (_, n) => {
    const logits = Float64Array.from(bias);
    for (let p = 0; p < POSITIONS; p++) {
      for (let c = 0; c < channels.outputs; c++) {
        const z = outputs[(n * POSITIONS + p) * channels.outputs + c];
        if (z > 0) for (let k = 0; k < K; k++) logits[k] += (z * kernel[c * K + k]) / POSITIONS;
      }
    }
    return logits.indexOf(Math.max(...logits));
  });
}

/** The strongest position of each picture in which the channel fires, and what it reads there. */
function strongest(held: KnownActivations, channel: number, predicted: readonly number[]) {
  const {inputs: I, outputs: C} = held.channels;
  return Array.from(held.labels.keys()).flatMap((picture) => {
    let [position, value] = [0, -Infinity];
    for (let p = 0; p < POSITIONS; p++) {
      const z = held.outputs[(picture * POSITIONS + p) * C + channel];
      if (z > value) [position, value] = [p, z];
    }
    if (!(value > 0)) return [];
    const row = (picture * POSITIONS + position) * I;
    const contribution = Float64Array.from({length: I}, (_, i) => held.kernel[i * C + channel] * held.inputs[row + i]);
    return [{picture, position, value, contribution, predicted: predicted[picture]}];
  });
}

void main();
