import type {LabelledImages, Preset} from '../images/types';
import {linearLayer} from '../network/linearLayer';
import type {Model} from '../network/types';
import {appended} from '../numerics/growing';
import type {RelevanceStatistics} from '../numerics/statistics';
import {runPass, type BatchCollector, type PassedBatch} from '../pass/runPass';
import {stampsOf} from '../pass/stamps';
import {addRelevance, measureRelevance} from './collector';
import {whatWasKept, type LayerRun} from './layerRun';
import type {CollectOptions} from './options';

export interface PassInto extends Omit<CollectOptions, 'layer' | 'out' | 'preset' | 'batchSize'> {
  batchSize?: number;
  label: string;
  preset: Preset;
  /** The list is of images that were skipped: those that can be read now count, the others stay where they are. */
  retry?: boolean;
}

/** A checkpoint may take one part in so many of the time. */
const CHECKPOINT_SHARE = 20;

const relevance: BatchCollector = {
  init: () => undefined,
  measure: measureRelevance,
  add: (state, batch, values) => addRelevance(state as RelevanceStatistics, batch, values as never),
};

/** Goes through the list and adds to the runs, with a checkpoint now and then, and one whatever stops it. */
export async function passInto(
  runs: readonly LayerRun[],
  model: Model,
  list: LabelledImages,
  {collectors = [], checkpointSeconds = 20, retry = false, ...options}: PassInto,
): Promise<void> {
  for (const run of runs) {
    const layer = linearLayer(model.graph, run.stats.layer.name);
    run.begin({model, layer, classNames: run.stats.classNames});
  }
  const sizeOf = ({stats: {images}}: LayerRun) => images.done + images.paths.length;
  const before = runs.map(sizeOf);
  // A clock that nobody sets decides.
  let next = performance.now() + 1000 * checkpointSeconds;
  const afterBatch = async ({images, layers, skipped}: PassedBatch) => {
    const {check} = runs[0].stats.images;
    const stamps = check && (await stampsOf(list, images.indices, check));
    for (const n of layers) settle(runs[n].stats, images.paths, skipped, {stamps, retry});
    const start = performance.now();
    if (start < next) return;
    for (const run of runs) await run.checkpoint();
    const end = performance.now();
    const pause = checkpointSeconds === 0 ? 0 : Math.max(1000 * checkpointSeconds, CHECKPOINT_SHARE * (end - start));
    next = end + pause;
  };
  const layers = runs.map(({stats}) => stats.layer.name);
  const resume = {
    from: runs.map(({stats}) => (retry ? 0 : stats.images.done)),
    states: runs.map(({stats, states}) => [stats, ...states]),
  };
  const onStop = async () => {
    // Whatever stopped it: what was computed is kept.
    for (const [n, run] of runs.entries()) if (sizeOf(run) > before[n]) await run.checkpoint();
    return whatWasKept(runs[0].stats, runs[0].out, options.force);
  };
  const retrying = retry ? {refuseNone: false, unreadableInARow: Infinity} : {};
  await runPass(model, list, {...options, ...retrying, layers, resume, afterBatch, onStop}, [relevance, ...collectors]);
}

/** What of a batch is not the collectors' affair. */
function settle(
  {images}: RelevanceStatistics,
  paths: readonly string[],
  skipped: RelevanceStatistics['images']['skipped'],
  {stamps, retry}: {stamps?: Int32Array; retry: boolean},
): void {
  if (images.stamps && stamps) images.stamps = appended(images.stamps, stamps);
  if (!retry) {
    images.skipped.push(...skipped);
    images.done += skipped.length;
    return;
  }
  // They were gone through before.
  const read = new Set(paths);
  images.skipped = images.skipped.filter(({path}) => !read.has(path));
  images.done -= paths.length;
}
