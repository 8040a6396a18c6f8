import {channelKernel} from '../network/linearLayer';
import * as tf from '@tensorflow/tfjs-core';
import type {Concept} from '../concepts/types';
import {kernelsFromOwnership, kernelsFromParts, type PartKernels} from '../split/kernels';
import {published} from '../split/rules/published';
import type {ConceptInputs, SecondMoment, SplitProblem, SplitRule, SplitSolution} from '../split/types';
import {plantedImportance} from './candidate';
import {otherClasses, type Negative} from './choosePlants';
import {inputTensors, takeImages, type ClassInputs} from './classInputs';
import {byWeight, evenShares, kMeansClusters, noSplit, randomOwners, trueOwners} from './controls';
import {detectionScores} from './detection';
import {contributionSizes, plantKernel, type PlantedKernel} from './plantKernels';
import {shuffled} from '../common/random';
import {seedFor} from './seedFor';
import {edgeAgreement, leakShare, measureRecovery} from './recovery';
import type {StudiedLayer} from './studiedLayer';
import type {Tier, TierName} from './tiers';
import {IMAGE_SETS, type ImageSet, type NegativeRow, type Plant, type PlantRow, type RuleScore} from './types';

/** Images of other classes that the pool is made of, and of each unseen class. */
const POOL = 60;
const UNSEEN_PER_CLASS = 25;

/** What all tiers of one plant share. */
export interface PlantSite {
  plant: Plant;
  sets: Record<ImageSet, ClassInputs[]>;
  /** Mean |contribution| of each input to each channel, on images that no rule sees. */
  sizes: Float64Array[];
  background: SecondMoment | undefined;
}

export async function preparePlant(studied: StudiedLayer, plant: Plant, seed: number): Promise<PlantSite> {
  const {relevance, heldOut} = studied;
  const others = otherClasses(relevance, plant, seed);
  const heldOutOf = (k: number) => heldOut.get(k)!;
  const foreign = relevance.classes
    .filter((k) => !plant.classes.includes(k))
    .flatMap((k) => Array.from({length: heldOutOf(k).count}, (_, n) => [k, n] as const));
  const pool = shuffled(foreign, seedFor('pool', seed, plant.index)).slice(0, POOL);
  const sets: PlantSite['sets'] = {
    two: plant.classes.map(heldOutOf),
    pool: relevance.classes
      .map((k) => ({k, indices: pool.filter(([of]) => of === k).map(([, n]) => n)}))
      .filter(({indices}) => indices.length > 0)
      .map(({k, indices}) => takeImages(heldOutOf(k), indices)),
    unseen: others.unseen.map((k) => takeImages(heldOutOf(k), firstOf(heldOutOf(k).count, UNSEEN_PER_CLASS))),
    served: others.served.map(heldOutOf),
  };
  return {
    plant,
    sets,
    sizes: await contributionSizes(studied, plant.channels, [...sets.two, ...sets.pool]),
    background: await studied.moment(others.background),
  };
}

const firstOf = (count: number, most: number) => Array.from({length: Math.min(count, most)}, (_, n) => n);

/** Plants in one tier, divides with every rule and control, and measures. */
export async function runPlant(
  studied: StudiedLayer,
  site: PlantSite,
  tier: Tier & {name: TierName},
  rules: readonly SplitRule[],
  {seed, tau}: {seed: number; tau: number},
): Promise<PlantRow> {
  const {plant, sets} = site;
  const planted = plantKernel(studied, plant, tier, site.sizes, seed);
  const problem = problemOf(studied, site, planted);
  const divided = await divide(problem, rules, planted, seedFor('control', seed, tier.name, plant.index));
  const kernels = divided.map(({kernels: one}) => one);
  const measured = {} as Record<ImageSet, Awaited<ReturnType<typeof measureRecovery>>>;
  for (const set of IMAGE_SETS) {
    measured[set] = await measureRecovery(studied.layer, sets[set], kernels, planted.sources, planted.kernel);
  }
  const bySet = (of: (set: ImageSet) => number) =>
    Object.fromEntries(IMAGE_SETS.map((set) => [set, of(set)])) as Record<ImageSet, number>;
  const scores = divided.map(({rule, seconds, chosen}, n): [string, RuleScore] => {
    const edges = edgeAgreement(kernels[n].parts, planted.kernel, planted.owner);
    return [
      rule.name,
      {
        r: bySet((set) => measured[set].rules[n].r),
        r2: bySet((set) => measured[set].rules[n].r2),
        leakShare: leakShare(measured.two.strength[n]),
        edgeAccuracy: edges.accuracy,
        adjustedRandIndex: edges.adjustedRandIndex,
        exactness: measured.two.exactness[n],
        seconds,
        ...(chosen ? {chosen} : {}),
      },
    ];
  });
  const importance = await plantedImportance(studied, plant, planted.kernel, tau);
  return {
    tier: tier.name,
    plant: plant.index,
    channels: plant.channels,
    classes: plant.classes,
    importance,
    candidate: importance.every((fraction) => fraction >= studied.relevance.p - 1e-12),
    trueLeakShare: leakShare(measured.two.trueStrength),
    rules: Object.fromEntries(scores),
    ...(plant.classes.length === 2 ? {detection: await detect(studied, plant, planted.kernel, seed)} : {}),
  };
}

/** Detection scores of channels that are no plants. */
export async function runNegatives(studied: StudiedLayer, negatives: readonly Negative[]): Promise<NegativeRow[]> {
  const rows: NegativeRow[] = [];
  for (const negative of negatives) {
    const kernels = negative.channels.map((c) => channelKernel(studied.layer, c));
    const kernel = kernels[0].map((_, at) => kernels.reduce((sum, one) => sum + one[at], 0));
    rows.push({...negative, ...(await detectionScores(studied.layer, kernel, pairOf(studied, negative)))});
  }
  return rows;
}

const pairOf = ({discovery}: StudiedLayer, {classes: [k, l]}: {classes: readonly number[]}) =>
  [discovery.get(k)!, discovery.get(l)!] as const;

async function detect(studied: StudiedLayer, plant: Plant, kernel: Float32Array, seed: number) {
  const pair = pairOf(studied, plant);
  return {
    ...(await detectionScores(studied.layer, kernel, pair)),
    permuted: await detectionScores(studied.layer, kernel, pair, seedFor('permute', seed, plant.index)),
  };
}

/** The plant as a rule is given any channel: it takes the place of its source channels in the layer. */
function problemOf(studied: StudiedLayer, {plant, background}: PlantSite, {kernel}: PlantedKernel): SplitProblem {
  const {layer, discovery} = studied;
  const [kh, kw, sources, outputs] = layer.shape;
  const kept = Array.from({length: outputs}, (_, c) => c).filter((c) => !plant.channels.includes(c));
  const width = kept.length + 1;
  const weights = new Float32Array(kernel.length * width);
  for (let at = 0; at < kernel.length; at++) {
    weights[at * width] = kernel[at];
    kept.forEach((c, n) => (weights[at * width + n + 1] = layer.kernel[at * outputs + c]));
  }
  const images = plant.classes.map((k) => discovery.get(k)!);
  return {
    layer: {...layer, shape: [kh, kw, sources, width], kernel: weights, groups: 1},
    channel: 0,
    kernel,
    bias: 0,
    concepts: plant.classes.map((k, j) => conceptOf(k, images[j], kernel, sources)),
    inputs: inputsOf(images),
    background: async () => background,
    rho: 'auto',
  };
}

/** Its ARV is the mean over the class's images of Σ_taps w·T. */
function conceptOf(k: number, {sums, count}: ClassInputs, kernel: Float32Array, sources: number): Concept {
  const arv = new Float64Array(sources);
  for (let n = 0; n < count; n++) {
    for (let at = 0; at < kernel.length; at++) {
      arv[at % sources] += (kernel[at] * sums[n * kernel.length + at]) / count;
    }
  }
  return {classes: [k], classNames: [`class ${k}`], arv};
}

function inputsOf(images: readonly ClassInputs[]): ConceptInputs {
  return {
    counts: images.map(({count}) => count),
    async *[Symbol.asyncIterator](): AsyncGenerator<{concept: number; input: tf.Tensor}> {
      for (const [concept, one] of images.entries()) {
        for await (const {input} of inputTensors(one)) yield {concept, input};
      }
    },
  };
}

interface Divided {
  rule: SplitRule;
  kernels: PartKernels;
  seconds: number;
  chosen?: Readonly<Record<string, number>>;
}

/** Controls, rules, and the true owners last. */
async function divide(
  problem: SplitProblem,
  rules: readonly SplitRule[],
  {owner}: PlantedKernel,
  seed: number,
): Promise<Divided[]> {
  const divided = new Map<string, Divided>();
  let sizes = problem.concepts.map(() => 0);
  const apply = async (rule: SplitRule) => {
    const started = performance.now();
    const solution = await rule.solve(problem);
    const seconds = (performance.now() - started) / 1000;
    if (rule.name === published.name) sizes = ownSizes(solution);
    divided.set(rule.name, {rule, kernels: kernelsOf(problem, solution), seconds, chosen: solution.chosen});
  };
  for (const rule of rules) await apply(rule);
  const controls = [noSplit, evenShares, randomOwners(sizes, seed), byWeight, kMeansClusters(seed)];
  for (const control of controls) await apply(control);
  await apply(trueOwners(owner));
  const order = [...controls.map(({name}) => name), ...rules.map(({name}) => name), 'trueOwners'];
  return order.map((name) => divided.get(name)!);
}

function kernelsOf({kernel}: SplitProblem, solution: SplitSolution): PartKernels {
  return 'kernels' in solution
    ? kernelsFromParts(kernel, solution.kernels)
    : kernelsFromOwnership(kernel, solution.ownership);
}

/** Sources that one concept alone owns, by concept. */
function ownSizes(solution: SplitSolution): number[] {
  if (!('ownership' in solution)) return [];
  const {ownership} = solution;
  return ownership.map(
    (own, j) =>
      own.filter((share, i) => share === 1 && ownership.every((other, l) => l === j || other[i] === 0)).length,
  );
}
