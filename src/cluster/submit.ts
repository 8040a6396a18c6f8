import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import {InputError, InterruptError} from '../common/errors';
import {parseJson} from '../common/json';
import {option} from '../common/options';
import type {LongCallOptions} from '../common/progress';
import {replaceFile} from '../files/output';
import {longCall} from '../engine/longCall';
import type {RelevanceStatistics} from '../numerics/statistics';
import {readManifest, type Manifest} from '../relevance/manifest';
import {shardFolder} from '../relevance/shards';
import {loadStatistics} from '../relevance/store';
import {shardsOf, type CollectJob} from './job';
import {activeTasks, arrayScript, cancelJobs, mergeScript, submitScript, type SlurmFlags} from './slurm';

export interface SubmitOptions extends CollectJob, LongCallOptions {
  /** Flags of `sbatch` for the tasks, e.g. `['--partition', 'gpu', '--time', '02:00:00']`. @default none */
  slurm?: SlurmFlags;
  /** How often shards that are missing when all tasks have ended are submitted again. @default 3 */
  attempts?: number;
  /** Seconds between two looks. @default 5 */
  pollSeconds?: number;
}

/** Progress of the shards, by what is on the disk: a scheduler can forget what it accepted. */
interface ShardProgress {
  done: number;
  total: number;
  /** Shards that are not finished. */
  missing: number[];
  /** What one of the shards is about. */
  about?: Manifest;
}

/**
 * Collects on a Slurm cluster: submits an array of shards and the merge that depends on it, follows them with one bar, and submits shards
 * again that are missing when all tasks have ended. Running the same call again follows what runs already, and does only what is missing.
 * An interrupt stops following; the jobs go on.
 * @returns the merged statistics
 * @throws InputError where Slurm refuses a job or shards are missing after the last attempt, with the end of a log; InterruptError
 */
export async function submitCollect(options: SubmitOptions): Promise<RelevanceStatistics> {
  const {layer, shards, out, attempts = 3, pollSeconds = 5} = options;
  if (!Number.isSafeInteger(shards) || shards < 1)
    throw new InputError(`invalid number of shards: ${shards}; give a whole number from 1`);
  const folder = shardsOf(options);
  await mkdir(path.join(folder, 'logs'), {recursive: true});
  const jobsFile = path.join(folder, 'jobs.json');
  const recorded = await recordedJobs(jobsFile);
  refuseOtherJob(options, recorded, folder);
  let jobs = recorded?.jobs ?? [];
  let submitted = 0;
  const about = {label: `collecting relevance of ${layer} in ${shards} shards`, total: 1, unit: 'images'};
  await longCall(about, options, async (task, signal) => {
    let shown = 0;
    for (;;) {
      const progress = await progressOf(options);
      if (await isMerged(out, progress)) return;
      const active = await activeTasks(jobs);
      const running = active?.filter(({state}) => state === 'RUNNING').length ?? 0;
      const note = `${running} tasks running, ${shards - progress.missing.length} of ${shards} shards done`;
      task.advance(progress.done - shown, {note, total: Math.max(progress.total, 1)});
      shown = progress.done;
      if (active?.length === 0) {
        if (submitted === attempts) throw await gaveUp(options, progress);
        await cancelJobs(jobs);
        jobs = await submitMissing(options, progress.missing);
        await replaceFile(jobsFile, JSON.stringify({jobs, of: subjectOfJob(options)}));
        submitted += 1;
      }
      await wait(1000 * pollSeconds, undefined, {signal}).catch(() => {});
      if (signal.aborted) throw new InterruptError('stopped following');
    }
  }).catch((error: Error) => {
    if (!(error instanceof InterruptError)) throw error;
    throw new InterruptError(
      `stopped following job ${jobs.join(', ')}, which keeps running; the same call follows it again, and scancel ends it`,
      error.signal,
    );
  });
  return loadStatistics(out);
}

async function submitMissing(options: SubmitOptions, missing: readonly number[]): Promise<string[]> {
  const {slurm = []} = options;
  const folder = shardsOf(options);
  const array = missing.length > 0 ? arrayScript(options, missing, slurm) : undefined;
  const merge = mergeScript(options, slurm);
  // Kept for who wants to see, or submit, them.
  if (array !== undefined) await writeFile(path.join(folder, 'collect.sh'), array);
  await writeFile(path.join(folder, 'merge.sh'), merge);
  const first = array === undefined ? undefined : await submitScript(array);
  return [...(first === undefined ? [] : [first]), await submitScript(merge, first)];
}

interface RecordedJobs {
  jobs: string[];
  /** What they were submitted for. */
  of: Record<string, unknown>;
}

/** What of a job makes it another one. */
const subjectOfJob = ({model, images, layer, shards, flags = []}: CollectJob) => ({
  model,
  images,
  layer,
  shards,
  flags,
});

async function recordedJobs(file: string): Promise<RecordedJobs | undefined> {
  try {
    const {jobs, of} = parseJson(await readFile(file, 'utf8')) as RecordedJobs;
    const sound = Array.isArray(jobs) && jobs.every((job) => typeof job === 'string' && /^\d+$/.test(job));
    return sound && typeof of === 'object' && of !== null ? {jobs, of} : undefined;
  } catch {
    return undefined;
  }
}

function refuseOtherJob(job: CollectJob, recorded: RecordedJobs | undefined, folder: string): void {
  const differ = Object.entries(subjectOfJob(job)).filter(
    ([name, value]) => recorded && JSON.stringify(recorded.of[name]) !== JSON.stringify(value),
  );
  if (differ.length > 0) {
    throw new InputError(
      `"${folder}" holds the shards of another collect, which differs in ${differ.map(([name]) => name).join(', ')}; choose another ${option('out')}, or remove that folder`,
    );
  }
}

async function progressOf(job: CollectJob): Promise<ShardProgress> {
  const progress: ShardProgress = {done: 0, total: 0, missing: []};
  let seen = 0;
  for (let index = 0; index < job.shards; index++) {
    const manifest = await readManifest(shardFolder(shardsOf(job), index, job.shards)).catch(() => undefined);
    if (!manifest || manifest.images.done < manifest.images.total) progress.missing.push(index);
    if (!manifest) continue;
    seen += 1;
    progress.about = manifest;
    progress.done += manifest.images.done;
    progress.total += manifest.images.total;
  }
  // Shards are equal but for one image: those that have not begun are as the others.
  if (seen > 0) progress.total = Math.round((progress.total / seen) * job.shards);
  return progress;
}

async function isMerged(out: string, {missing, about}: ShardProgress): Promise<boolean> {
  if (missing.length > 0 || !about) return false;
  const merged = await readManifest(out).catch(() => undefined);
  const subject = ({model, layer, attribution, images}: Manifest) =>
    JSON.stringify([model.hash, layer.name, attribution, images.listHash]);
  return merged !== undefined && !merged.images.shards && subject(merged) === subject(about);
}

async function gaveUp(job: CollectJob, {missing}: ShardProgress): Promise<InputError> {
  const [index] = missing;
  const log = path.join(shardsOf(job), 'logs', index === undefined ? 'merge.log' : `shard-${index}.log`);
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n');
  const what = index === undefined ? 'the merge failed' : `shard ${missing.join(', ')} of ${job.shards} failed`;
  return new InputError(`${what}; the end of "${log}" says: ${lines.at(-1)?.slice(0, 300)}`);
}
