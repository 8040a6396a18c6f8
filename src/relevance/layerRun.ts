import {InputError} from '../common/errors';
import {option} from '../common/options';
import type {LabelledImages} from '../images/types';
import type {RelevanceStatistics} from '../numerics/statistics';
import {stampsOf} from '../pass/stamps';
import type {PassAbout} from '../pass/types';
import {filesOf, readManifest, type Manifest} from './manifest';
import type {CollectOptions} from './options';
import {loadStatistics, openWriter, refuseOtherRun, type StatisticsWriter} from './store';
import {subjectOf} from './subject';

/** A layer's statistics on their way: in memory, and in a folder where there is one. */
export interface LayerRun {
  /** Added to in place; states of further collectors join them when they are saved. */
  stats: RelevanceStatistics;
  out?: string;
  /** States of the further collectors, in their order; made or loaded by `begin`. */
  states: unknown[];
  begin(about: PassAbout): void;
  /** Puts the further states into the statistics, and writes all that is new. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The statistics in `out` if they are of this run, else the empty ones. A folder of a run that is not finished is this process's alone.
 * @throws InputError where it holds something else or another run, an image has changed since, or another process writes to it
 */
export async function openRun(
  fresh: RelevanceStatistics,
  {
    out,
    list,
    force = false,
    retrySkipped = false,
    collectors = [],
  }: Pick<CollectOptions, 'force' | 'retrySkipped' | 'collectors' | 'out'> & {list: LabelledImages},
): Promise<LayerRun> {
  const subject = {...subjectOf(fresh), collected: collectors.map(({name}) => name).sort()};
  let writer: StatisticsWriter | undefined;
  let stats = fresh;
  let found: Manifest | undefined;
  if (out !== undefined) {
    const folder = out;
    const look = async () => {
      found = force ? undefined : await refuseOtherRun(subject, folder);
      stats = found ? await loadStatistics(folder) : fresh;
    };
    await look();
    if (stats.images.done < stats.images.total || (retrySkipped && stats.images.skipped.length > 0)) {
      writer = await openWriter(folder);
      const before = found;
      // Until the lock was taken, another process may have resumed the run.
      if (!force && (await changed(folder, before))) await look().catch(closeAndThrow(writer));
      if (found) writer.goOn(found);
    }
  }
  if (found) await refuseChangedImages(stats, list).catch(closeAndThrow(writer));
  const run: LayerRun = {
    stats,
    out,
    states: [],
    begin(about) {
      if (run.states.length > 0) return;
      const {collected} = stats;
      run.states = collectors.map((one) => {
        const saved = collected?.[one.name];
        return saved ? one.load(saved, about) : one.init(about);
      });
    },
    async checkpoint() {
      if (collectors.length > 0 && run.states.length > 0)
        stats.collected = Object.fromEntries(collectors.map((one, at) => [one.name, one.save(run.states[at])]));
      await writer?.checkpoint(stats);
    },
    async close() {
      await writer?.close();
    },
  };
  return run;
}

const closeAndThrow = (writer?: StatisticsWriter) => async (error: Error) => {
  await writer?.close();
  throw error;
};

async function changed(folder: string, before: Manifest | undefined): Promise<boolean> {
  const now = await readManifest(folder).catch(() => undefined);
  return now?.images.done !== before?.images.done || filesOfAny(now) !== filesOfAny(before);
}

const filesOfAny = (manifest: Manifest | undefined) => (manifest ? filesOf(manifest).join() : '');

/** Where sizes, times or contents of the images that count are recorded, they are compared with what is there now. */
async function refuseChangedImages({images}: RelevanceStatistics, list: LabelledImages): Promise<void> {
  const {check, stamps, paths} = images;
  if (!check || !stamps) return;
  const places = new Map(list.paths.map((path, index) => [path, index]));
  const indices = paths.map((path) => places.get(path) as number);
  const now = await stampsOf(list, indices, check);
  // 0 is of an image that was no file, or gone before it could be looked at.
  const at = now.findIndex((stamp, n) => stamp !== stamps[n] && stamps[n] !== 0);
  if (at < 0) return;
  const what =
    now[at] === 0 ? 'is gone' : `has changed (${check === 'files' ? 'size or time of its file' : 'content'})`;
  throw new InputError(
    `image ${paths[at]} ${what} since the statistics were collected; put it back, begin anew (${option('force')}), or look at content or nothing instead (${option('check')}: content, none)`,
  );
}

/** What an interrupt leaves, in words. */
export function whatWasKept({images: {done}}: RelevanceStatistics, out?: string, force?: boolean): string {
  if (out === undefined) return `nothing was kept, since no folder was named (${option('out')})`;
  if (done === 0) return 'there was nothing to keep yet';
  return `a checkpoint is in "${out}", and the same call${force ? ` without ${option('force')}` : ''} resumes from there`;
}
