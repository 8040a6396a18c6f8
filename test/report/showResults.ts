import {ensureBackend} from '../../src/engine';
import {findPolysemantic} from '../../src/concepts/find';
import {ablate, activationMaps, densities, evaluateSplit, topImages} from '../../src/evaluate';
import type {PlantedBenchmark} from '../../src/planted/types';
import {channel as channelObjective, type FeatureVisualization, type SplitVisualization} from '../../src/features';
import type {LabelledImages} from '../../src/images/types';
import type {Model} from '../../src/network/types';
import type {RelevanceStatistics} from '../../src/numerics/statistics';
import {teaser} from '../../src/report/show';
import {collectRelevance} from '../../src/relevance/collect';
import type {Split} from '../../src/split/types';
import {verifySplit} from '../../src/split/verify';
import {examplePlanted, exampleSummary, HOSTILE_NAMES} from '../plots/examples';
import {CLASSES, smallImages} from '../reference/smallNetworks';
import {relevantChannel, smallSplit} from '../reference/smallSplits';

const quiet = {progress: false as const};

/** One result of every kind, of a small network whose classes have names that are not safe in a page. */
export interface ManyResults {
  model: Model;
  images: LabelledImages;
  stats: RelevanceStatistics;
  split: Split;
  results: Record<string, unknown>;
  dispose(): void;
}

export async function manyResults(given: readonly string[] = HOSTILE_NAMES): Promise<ManyResults> {
  await ensureBackend();
  const names = given.slice(0, CLASSES);
  const plain = smallImages(24);
  const images: LabelledImages = {...plain, classNamesFor: () => names, toString: () => String(plain)};
  const {network, channel} = await relevantChannel({kind: 'conv', size: 3}, [[0], [1]], images, 0.1);
  const split = smallSplit(network, {channel});
  for (const concept of split.concepts) concept.classNames = concept.classes.map((k) => names[k]);
  const model = split.before;
  const stats = await collectRelevance(model, images, {layer: 'studied', ...quiet});
  const found = findPolysemantic(stats, {tau: 0.05, p: 0.2, gamma: 0.9, allPairs: true});
  const top = await topImages(split, images, {count: 5, randomSplits: 3, ...quiet});
  const results = {
    'a network': model,
    images: images,
    statistics: stats,
    'found channels': found,
    'a channel': found[0],
    'a concept': found[0].concepts[0],
    'a split': Object.assign(split, {rho: {rho: 0.5, scores: [{rho: 0.5, score: 2}], zeroDenominators: 0}}),
    'a proof': await verifySplit(split, images, quiet),
    'an evaluation': await evaluateSplit(split, images, {tau: 0.05, randomSplits: 3, ...quiet}),
    densities: await densities(split, images, {points: 40, ...quiet}),
    'an ablation': await ablate(split, images, {randomSplits: 2, ...quiet}),
    'top images': top,
    'a teaser': await teaser({...exampleSplitFeatures(names), layer: split.layer, channel: split.channel}, top, images),
    'activation maps': await activationMaps(split, images, {perConcept: 2, ...quiet}),
    'a visualisation': exampleFeature(names[0]),
    'visualisations of a split': exampleSplitFeatures(names),
    'a benchmark': exampleBenchmark(),
    'an engine': {
      name: 'wasm',
      version: '4',
      reason: '<b>asked for</b>',
      toString: () => 'WebAssembly 4 (<b>asked for</b>)',
    },
  };
  return {
    model,
    images,
    stats,
    split,
    results,
    dispose() {
      split.dispose();
      model.dispose();
    },
  };
}

function exampleFeature(text: string): FeatureVisualization {
  const image = {data: Uint8Array.from({length: 16 * 16 * 3}, (_, i) => i % 251), width: 16, height: 16};
  return {
    kind: 'feature',
    model: 'small',
    objective: channelObjective('studied', 0),
    text,
    image,
    images: [image],
    value: 1.5,
    history: Float32Array.of(0, 1, 1.5),
    looks: [{step: 3, value: 1.5}],
    seed: 0,
    steps: 3,
    seconds: 0.1,
    interrupted: false,
    toString: () => text,
  };
}

function exampleSplitFeatures(names: readonly string[]): SplitVisualization {
  const [original, ...parts] = names.map(exampleFeature);
  return {
    kind: 'split-features',
    layer: 'studied',
    channel: 0,
    original,
    parts,
    interrupted: true,
    toString: () => names.join('\n'),
  };
}

function exampleBenchmark(): PlantedBenchmark {
  const {layer, tiers} = examplePlanted();
  return {
    kind: 'planted benchmark',
    model: {name: '<b>resnet20</b>', hash: ''},
    layer,
    images: {discovery: 'a', heldOut: 'b', discoveryCount: 100, heldOutCount: 60, classes: 10},
    top1: 0.8,
    zeroInputShare: 0.5,
    tau: 0.03,
    p: 0.75,
    seed: 0,
    tiers: tiers.map((tier) => ({
      ...tier,
      candidates: exampleSummary(0.2, 0.1),
      trueLeakShare: exampleSummary(0.1, 0.02),
      rules: tier.rules.map((rule) => ({
        ...rule,
        leakShare: exampleSummary(0.3, 0.02),
        edgeAccuracy: exampleSummary(0.7, 0.02),
        adjustedRandIndex: exampleSummary(0.1, 0.02),
        exactness: 1e-6,
        seconds: exampleSummary(0.01, 0.001),
      })),
    })) as unknown as PlantedBenchmark['tiers'],
    detection: [
      {
        tier: 'A',
        score: 'negativeLeak',
        against: 'natural',
        positives: 5,
        negatives: 5,
        auroc: 0.8,
        averagePrecision: 0.8,
        wins: exampleSummary(0.8, 0.1),
      } as unknown as PlantedBenchmark['detection'][number],
    ],
    notes: ['only 5 plants'],
    rows: [],
    negatives: [],
    toString: () => 'planted benchmark',
  };
}
