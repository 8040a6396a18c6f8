import {checkArgument} from '../common/argument';
import {InputError, InterruptError} from '../common/errors';
import {option} from '../common/options';
import {startTask} from '../common/progress';
import {ensureBackend} from '../engine';
import {refuseInput} from '../files/output';
import {imageListHash, presetFor, subset} from '../images';
import type {LabelledImages, Preset} from '../images/types';
import {linearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';
import type {RelevanceStatistics} from '../numerics/statistics';
import {actGrad} from '../pass/attribution/actGrad';
import {checkBatchSize} from '../pass/batches';
import {predictedLabels} from '../pass/predictedLabels';
import {DEFAULT_FLOOR, emptyStatistics} from './accumulate';
import {GATES} from '../numerics/gatedSums';
import {fastestBatch} from '../pass/fastestBatch';
import {gatesCollector} from './gates';
import {readManifest} from './manifest';
import {collectedIn} from './store';
import {openRun, whatWasKept, type LayerRun} from './layerRun';
import type {CollectOptions} from './options';
import {passInto, type PassInto} from './passInto';

export type {CollectOptions} from './options';

/**
 * One pass over the images: a forward pass, and the gradient of each image's own logit back to the layer, never to the image.
 * Gathers per class the layer's summed inputs (from which every averaged relevance vector follows, since the layer is linear) and
 * the channels' shares of relevance (Hesse et al. 2025, section 3.1; formulas in `RelevanceStatistics`).
 *
 * An interrupt stops it at the next batch; with `out`, what was computed is kept and the same call resumes.
 * @throws InputError for an unknown layer, labels beyond the outputs, images that do not fit or have changed, an `out` that holds something
 *   else, lies in an input or is written to by another process; InterruptError when stopped
 */
export async function collectRelevance(
  model: Model,
  images: LabelledImages,
  options: CollectOptions,
): Promise<RelevanceStatistics> {
  const [stats] = await collect(model, images, [{layer: options.layer, out: options.out}], options);
  return stats;
}

/** Where a layer's statistics go. */
export interface LayerTarget {
  layer: string;
  out?: string;
}

/** One pass for several layers, each with a folder of its own. */
export async function collect(
  model: Model,
  given: LabelledImages,
  targets: readonly LayerTarget[],
  {gates: asked, ...rest}: Omit<CollectOptions, 'layer' | 'out'>,
): Promise<RelevanceStatistics[]> {
  checkNumbers(rest);
  const {floor = DEFAULT_FLOOR, collectors = []} = rest;
  const gates = asked ?? (rest.force || !(await beganWithoutGates(targets)));
  const options = {...rest, collectors: gates ? [gatesCollector({floor}), ...collectors] : collectors};
  checkArgument('model', model, 'graph', 'loadModel(…)');
  checkArgument('images', given, 'labelsFor', 'imageFolder(…)');
  for (const {out} of targets) if (out !== undefined) await refuseInput(out, [model.source, given.source]);
  await ensureBackend();
  const {batchSize: size} = rest;
  const batchSize = size === 'auto' ? await batchSizeFor(model, targets, rest.force) : size;
  const images = rest.labels === 'predicted' ? await predictedLabels(model, given, {...rest, batchSize}) : given;
  const preset = presetFor(model, images, options.preset);
  const {limit, perClass} = options;
  const some = limit !== undefined || perClass !== undefined;
  const whole = some ? subset(images, {limit, perClass, classCount: model.classes}) : images;
  const list = options.shard ? shardOf(whole, options.shard) : whole;
  const about = {model, images, whole, list, preset, options, batchSize, measured: size === 'auto'};
  const runs: LayerRun[] = [];
  try {
    for (const {layer, out} of targets) {
      const fresh = emptyFor(layer, about);
      runs.push(await openRun(fresh, {...options, out, list}));
    }
    await go(runs, {...about, label: `collecting relevance of ${targets.map(({layer}) => layer).join(', ')}`});
    return runs.map(({stats}) => stats);
  } finally {
    for (const run of runs) await run.close();
  }
}

/** The size that an earlier call of the run chose, else the fastest one now. */
async function batchSizeFor(model: Model, targets: readonly LayerTarget[], force?: boolean): Promise<number> {
  for (const {out} of force ? [] : targets) {
    const manifest = out === undefined ? undefined : await readManifest(out).catch(() => undefined);
    if (manifest?.formatVersion === 2 && manifest.batchSize !== undefined) return manifest.batchSize;
  }
  return fastestBatch(model);
}

/** Whether a run that may be resumed in one of the folders gathers no gated sums: it ends as it began. */
async function beganWithoutGates(targets: readonly LayerTarget[]): Promise<boolean> {
  for (const {out} of targets) {
    const manifest = out === undefined ? undefined : await readManifest(out).catch(() => undefined);
    if (manifest) return !collectedIn(manifest).includes(GATES);
  }
  return false;
}

interface About {
  batchSize?: number;
  /** Whether the size of a batch was measured. */
  measured: boolean;
  model: Model;
  images: LabelledImages;
  /** All images that the run and its shards are about, and those of this call. */
  whole: LabelledImages;
  list: LabelledImages;
  preset: Preset;
  options: Omit<CollectOptions, 'layer' | 'out'>;
}

function emptyFor(
  layerName: string,
  {model, images, whole, list, preset, options, batchSize, measured}: About,
): RelevanceStatistics {
  const {check = 'files', shard, attribution = actGrad, floor = DEFAULT_FLOOR, topCount = 16} = options;
  return emptyStatistics({
    model: {name: model.name, hash: model.hash, arch: model.arch},
    layer: linearLayer(model.graph, layerName),
    classes: model.classes,
    classNames: [...(model.classNames ?? list.classNamesFor(model.classes))],
    preset,
    attribution: attribution.name,
    ...(measured && {batchSize}),
    images: {
      name: images.name,
      listHash: imageListHash(whole, whole.labelsFor(model.classes)),
      total: list.paths.length,
      labelsFile: images.labelsFile,
      ...(shard && shard.count > 1 && {shards: {indices: [shard.index], count: shard.count}}),
      ...(check !== 'none' && images.sourceOf && {check}),
    },
    floor,
    topCount,
  });
}

/** The images of a shard: consecutive ones, so that archives are read in one piece and merged shards keep the list's order. */
function shardOf(images: LabelledImages, {index, count}: {index: number; count: number}): LabelledImages {
  const total = images.paths.length;
  if (!Number.isSafeInteger(count) || count < 1 || count > total)
    throw new InputError(`invalid number of shards: ${count}; give a whole number from 1 to the images, ${total}`);
  if (!Number.isSafeInteger(index) || index < 0 || index >= count)
    throw new InputError(`invalid shard: ${index}; shards of ${count} are 0 to ${count - 1}`);
  const [from, to] = [index, index + 1].map((at) => Math.floor((at * total) / count));
  return subset(images, {indices: Array.from({length: to - from}, (_, at) => from + at)});
}

async function go(
  runs: LayerRun[],
  {model, list, preset, options, batchSize, label}: About & {label: string},
): Promise<void> {
  const total = list.paths.length;
  const done = Math.min(...runs.map(({stats}) => stats.images.done));
  const [{stats, out}] = runs;
  const pass: PassInto = {...options, batchSize, label, preset};
  const again = options.retrySkipped ? [...stats.images.skipped] : [];
  if (done < total) await passInto(runs, model, list, pass).catch(interruptedAs(runs, total, options.force));
  if (again.length > 0) {
    const unread = new Set(again.map(({path}) => path));
    const indices = [...list.paths.keys()].filter((index) => unread.has(list.paths[index]));
    const retry = {...pass, label: `${label}: images that were skipped`, retry: true};
    await passInto(runs, model, subset(list, {indices}), retry).catch(interruptedAs(runs, total, options.force));
  } else if (done >= total) {
    const about = {label, total, unit: 'images', done};
    startTask(about, options.progress).finish('done', `read from "${out}"`);
    return;
  }
  if (runs.some((run) => run.stats.images.paths.length === 0))
    throw new InputError(`none of the ${total} images of ${list.name} can be read`);
  for (const run of runs) await run.checkpoint();
}

function interruptedAs([{stats, out}]: LayerRun[], total: number, force?: boolean) {
  return (error: Error) => {
    if (!(error instanceof InterruptError)) throw error;
    const kept = whatWasKept(stats, out, force);
    throw new InterruptError(`interrupted after ${stats.images.done} of ${total} images; ${kept}`, error.signal);
  };
}

function checkNumbers(options: Omit<CollectOptions, 'layer'>): void {
  const {batchSize = 32, limit, floor = DEFAULT_FLOOR, topCount = 16, checkpointSeconds = 20} = options;
  const whole = (value: number, least: number) => Number.isSafeInteger(value) && value >= least;
  if (batchSize !== 'auto') checkBatchSize(batchSize);
  if (limit !== undefined && !whole(limit, 1))
    throw new InputError(`invalid limit: ${limit}; give a whole number of images from 1`);
  if (!(floor >= 0 && floor < 1))
    throw new InputError(`invalid floor: ${floor}; give a share from 0 to below 1, such as 0.005`);
  if (!whole(topCount, 0))
    throw new InputError(`invalid top count: ${topCount}; give a whole number from 0, such as 16`);
  if (!(checkpointSeconds >= 0))
    throw new InputError(
      `invalid ${option('checkpointSeconds')}: ${checkpointSeconds}; give seconds from 0, such as 20`,
    );
  if (options.unreadableInARow !== undefined && !whole(options.unreadableInARow, 1))
    throw new InputError(
      `invalid ${option('unreadableInARow')}: ${options.unreadableInARow}; give a whole number of images from 1`,
    );
}
