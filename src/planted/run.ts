import {usualTau} from '../concepts/smallTau';
import {option} from '../common/options';
import {ensureBackend} from '../engine';
import {longCall} from '../engine/longCall';
import {imageListHash} from '../images';
import type {Model} from '../network/types';
import {linearLayer} from '../network/linearLayer';
import {inLockedFolder} from '../files/folderLock';
import {refuseInput} from '../files/output';
import {InputError, InterruptError} from '../common/errors';
import {listed} from '../numerics/statistics';
import {presetFor} from '../images/presetFor';
import {splitRule, SPLIT_RULES} from '../split/rules';
import type {SplitRule} from '../split/types';
import {choosePlants, negativesAnywhere, negativesFor, requirePlants, withThird} from './choosePlants';
import {describeBenchmark} from './describe';
import {openResults, type ResultStore} from './results';
import {preparePlant, runNegatives, runPlant} from './runPlant';
import {LEAST_IMAGES, studyLayer, type StudiedLayer} from './studiedLayer';
import {summarizeDetection, summarizeTiers} from './summarize';
import {tiersNamed, type Tier, type TierName} from './tiers';
import type {Plant, PlantedBenchmark, PlantedImages, PlantedOptions} from './types';

/** Stands for a plant's number where negatives are of no plant's class pair. */
const ANYWHERE = -1;

type NamedTier = Tier & {name: TierName};

/** What a run is about, once its options are checked. */
interface Run {
  options: PlantedOptions;
  tiers: readonly NamedTier[];
  rules: SplitRule[];
  count: number;
  skip: number;
  seed: number;
  tau: number;
  p: number;
}

/**
 * Plants channels whose meanings are known, divides them with every rule and control, and measures how well the parts follow the true
 * sources. A plant is the sum of two (or three) of the layer's channels that answer to different classes, with batch norm folded in:
 * W_m = W_a + α·W_b, on all inputs or on some (see `TIERS`). Rules see discovery images; recovery is measured on held-out ones.
 *
 * What it keeps of the images (X of all, and of the discovery images what passes the layer by) takes at most 6 GB, which is checked
 * before anything is kept, and second moments of classes at most 1 GB besides.
 *
 * With `out`, each plant is written down as it is done, and the same call resumes after an interrupt.
 * @throws InputError for an unknown layer, tier or rule, too few classes or images for a tier, images that take more memory, no channels that can be planted, or a folder
 *   of another run, or that another process writes to; InterruptError when stopped
 */
export async function runPlantedBenchmark(
  model: Model,
  images: PlantedImages,
  options: PlantedOptions,
): Promise<PlantedBenchmark> {
  const run = checkedRun(model, options);
  const {out} = options;
  if (out === undefined) return measured(model, images, run);
  await refuseInput(out, [model.source, images.discovery.source, images.heldOut.source]);
  return inLockedFolder(out, () => measured(model, images, run));
}

async function measured(model: Model, images: PlantedImages, run: Run): Promise<PlantedBenchmark> {
  const {options} = run;
  await ensureBackend();
  const perClass = {discovery: options.discoveryPerClass ?? 100, heldOut: options.heldOutPerClass ?? 60};
  const store = await openResults(
    options.out,
    {
      model: model.hash,
      layer: options.layer,
      discovery: imageListHash(images.discovery, images.discovery.labelsFor(model.classes)),
      heldOut: imageListHash(images.heldOut, images.heldOut.labelsFor(model.classes)),
      discoveryPerClass: perClass.discovery,
      heldOutPerClass: perClass.heldOut,
      tiers: run.tiers.map(({name}) => name),
      rules: run.rules.map(({name}) => name),
      plants: run.count,
      skipPlants: run.skip,
      seed: run.seed,
      tau: run.tau,
      p: run.p,
    },
    options.force,
  );
  const studied = await studyLayer(model, images, {
    layer: options.layer,
    tau: run.tau,
    p: run.p,
    discoveryPerClass: perClass.discovery,
    heldOutPerClass: perClass.heldOut,
    preset: presetFor(model, images.discovery, options.preset),
    batchSize: options.batchSize ?? 32,
    progress: options.progress,
    signal: options.signal,
  });
  try {
    checkClasses(studied, run, images);
    const {plants, notes} = plantsFor(studied, run);
    await runAll(studied, plants, run, store);
    return benchmarkOf(model, images, studied, run, store, notes);
  } finally {
    studied.dispose();
  }
}

function checkedRun(model: Model, options: PlantedOptions): Run {
  const {plants = 50, skipPlants = 0, seed = 0, p = 0.75} = options;
  const outputs = linearLayer(model.graph, options.layer).shape[3];
  const tau = options.tau ?? usualTau(outputs);
  const whole = (name: string, value: number, least: number) => {
    if (!Number.isSafeInteger(value) || value < least)
      throw new InputError(`invalid ${name}: ${value}; give a whole number from ${least}`);
  };
  whole('number of plants', plants, 1);
  whole('number of plants left out', skipPlants, 0);
  whole('seed', seed, 0);
  whole('number of discovery images per class', options.discoveryPerClass ?? 100, LEAST_IMAGES.discovery);
  whole('number of held-out images per class', options.heldOutPerClass ?? 60, LEAST_IMAGES.heldOut);
  if (!(tau > 0 && tau <= 1))
    throw new InputError(`invalid tau: ${tau}; give a share above 0 and up to 1, such as 0.03`);
  if (!(p > 0 && p <= 1)) throw new InputError(`invalid p: ${p}; give a fraction above 0 and up to 1, such as 0.75`);
  const named = (options.rules ?? Object.keys(SPLIT_RULES)).map(splitRule);
  const rules = [SPLIT_RULES.published, ...named.filter(({name}) => name !== SPLIT_RULES.published.name)];
  return {options, tiers: tiersNamed(options.tiers), rules, count: plants, skip: skipPlants, seed, tau, p};
}

/** A tier needs its concepts' classes, one more as background and one that no rule sees. */
function checkClasses({relevance}: StudiedLayer, {tiers}: Run, {discovery, heldOut}: PlantedImages): void {
  for (const {name, concepts} of tiers) {
    const needed = concepts + 2;
    if (relevance.classes.length >= needed) continue;
    throw new InputError(
      `tier "${name}" needs ${needed} classes (${concepts} for its concepts, one as background, one that no rule sees) with at least ${LEAST_IMAGES.discovery} discovery and ${LEAST_IMAGES.heldOut} held-out images each; ` +
        `${discovery.name} and ${heldOut.name} have ${relevance.classes.length} such classes${relevance.classes.length > 0 ? ` (${listed(relevance.classes, 8)})` : ''}; give images of more classes, or other tiers`,
    );
  }
}

/** The plants of each tier, and what the network does not offer. */
function plantsFor(studied: StudiedLayer, run: Run): {plants: Map<Plant, [NamedTier, Plant][]>; notes: string[]} {
  const {options, tiers, count, skip, seed, tau} = run;
  const all = choosePlants(studied.relevance, skip + count, seed);
  requirePlants(all, studied.relevance, options.layer, tau);
  const chosen = all.slice(skip);
  const notes: string[] = [];
  if (chosen.length === 0) {
    throw new InputError(`the network offers ${all.length} plants, and ${skip} are to be left out; leave out fewer`);
  }
  if (chosen.length < count)
    notes.push(`${chosen.length} plants instead of ${count}: the network offers no more pairs of channels`);
  const plants = new Map<Plant, [NamedTier, Plant][]>();
  let thirds = 0;
  for (const plant of chosen) {
    const third = withThird(studied.relevance, all, plant);
    if (third) thirds += 1;
    plants.set(
      plant,
      tiers.flatMap((tier): [NamedTier, Plant][] => {
        const of = tier.concepts === 3 ? third : plant;
        return of ? [[tier, of]] : [];
      }),
    );
  }
  const ofThree = tiers.filter(({concepts}) => concepts === 3).map(({name}) => name);
  if (ofThree.length > 0 && thirds < chosen.length) {
    if (thirds === 0 && ofThree.length === tiers.length) {
      throw new InputError(
        `tier "${ofThree[0]}" needs three channels that are relevant to three classes and rarely important for each other's; layer ${options.layer} has none at tau ${tau} and p ${run.p}; give images of more classes, another tau or p, or other tiers`,
      );
    }
    notes.push(`${thirds} plants of three concepts: the others have no third channel that keeps to a class of its own`);
  }
  return {plants, notes};
}

async function runAll(
  studied: StudiedLayer,
  plants: Map<Plant, [NamedTier, Plant][]>,
  {options, rules, seed, tau}: Run,
  store: ResultStore,
): Promise<void> {
  const known = new Set(store.rows.map(({tier, plant}) => `${tier} ${plant}`));
  const isDone = ([tier, {index}]: [NamedTier, Plant]) => known.has(`${tier.name} ${index}`);
  const jobs = [...plants.values()].flat();
  const about = {
    label: `planting in ${options.layer}`,
    total: jobs.length,
    unit: 'plants',
    done: jobs.filter(isDone).length,
  };
  try {
    await longCall(about, options, async (task, signal) => {
      if (!store.negativesDone.has(ANYWHERE)) {
        const negatives = negativesAnywhere(studied.relevance, seed);
        await store.addNegatives(ANYWHERE, await runNegatives(studied, negatives));
      }
      for (const [plant, tiers] of plants) {
        signal.throwIfAborted();
        if (!store.negativesDone.has(plant.index)) {
          const negatives = negativesFor(studied.relevance, plant, seed);
          await store.addNegatives(plant.index, await runNegatives(studied, negatives));
        }
        const left = tiers.filter((job) => !isDone(job));
        // Tiers of three concepts have other classes, and with them other images.
        for (const concepts of [2, 3]) {
          const same = left.filter(([tier]) => tier.concepts === concepts);
          if (same.length === 0) continue;
          const site = await preparePlant(studied, same[0][1], seed);
          for (const [tier] of same) {
            signal.throwIfAborted();
            await store.addRow(await runPlant(studied, site, tier, rules, {seed, tau}));
            task.advance(1, {note: tier.name});
            // The engine may compute without ever waiting; an interrupt needs a turn to be heard.
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      }
    });
  } catch (error) {
    if (!(error instanceof InterruptError)) throw error;
    throw new InterruptError(
      `interrupted after ${store.rows.length} of ${jobs.length} plants; ` +
        (options.out === undefined
          ? `nothing was kept, since no folder was named (${option('out')})`
          : `they are in "${options.out}", and the same call resumes from there`),
    );
  }
}

function benchmarkOf(
  model: Model,
  images: PlantedImages,
  studied: StudiedLayer,
  {options, seed, tau, p, tiers}: Run,
  store: ResultStore,
  notes: string[],
): PlantedBenchmark {
  const total = (inputs: StudiedLayer['discovery']) => [...inputs.values()].reduce((sum, {count}) => sum + count, 0);
  const place = (row: {tier: TierName}) => tiers.findIndex(({name}) => name === row.tier);
  // An interrupted run writes its plants in another order.
  const rows = [...store.rows].sort((a, b) => place(a) - place(b) || a.plant - b.plant);
  const benchmark: Omit<PlantedBenchmark, 'toString'> = {
    kind: 'planted benchmark',
    model: {name: model.name, hash: model.hash},
    layer: options.layer,
    images: {
      discovery: images.discovery.name,
      heldOut: images.heldOut.name,
      discoveryCount: total(studied.discovery),
      heldOutCount: total(studied.heldOut),
      classes: studied.relevance.classes.length,
    },
    top1: studied.top1,
    zeroInputShare: studied.zeroInputShare,
    tau,
    p,
    seed,
    tiers: summarizeTiers(rows),
    detection: summarizeDetection(rows, store.negatives),
    notes,
    rows,
    negatives: store.negatives,
  };
  return Object.defineProperty(benchmark, 'toString', {
    value: () => describeBenchmark(benchmark),
    enumerable: false,
  }) as PlantedBenchmark;
}
