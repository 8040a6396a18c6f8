import {execFile} from 'node:child_process';
import path from 'node:path';
import {promisify} from 'node:util';
import {InputError} from '../common/errors';
import {collectCommand, mergeCommand, quoted, shardsOf, type CollectJob} from './job';

/** Slurm: batch scripts of an array and the merge that depends on it, and what its commands say. */

/** Flags of `sbatch`, e.g. `['--partition', 'gpu', '--time', '02:00:00']`. */
export type SlurmFlags = readonly string[];

const run = promisify(execFile);

/** A task that was killed goes on so often by itself; its files know where. */
const RESTARTS = 3;
/** So often where it was told to end, as at a time limit: each time it has come further. */
const CONTINUATIONS = 100;

/** Numbers as Slurm lists them: `0-3,7`. */
export function indexList(indices: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/**
 * The script of an array of shards. Slurm tells the script a minute before its time is over; it tells unweave, which leaves a checkpoint and
 * ends with 143, and the task is queued again. So it is after a kill, a few times; bad input (1) is not tried again.
 */
export function arrayScript(job: CollectJob, indices: readonly number[], flags: SlurmFlags = []): string {
  const logs = path.join(shardsOf(job), 'logs', 'shard-%a.log');
  return `#!/bin/sh
#SBATCH --job-name=unweave-collect
#SBATCH --array=${indexList(indices)}
#SBATCH --output=${logs}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
${flagLines(flags)}${collectCommand(job, 'auto').map(quoted).join(' ')} &
child=$!
trap 'kill -TERM "$child"' TERM
wait "$child"; code=$?
# A trapped signal ends the first wait; the second one has the command's own code.
if [ "$code" -gt 128 ]; then wait "$child"; last=$?; [ "$last" -ne 127 ] && code=$last; fi
[ "$code" -eq 0 ] && exit 0
[ "$code" -eq 1 ] && exit 1
most=${RESTARTS}; [ "$code" -eq 143 ] && most=${CONTINUATIONS}
if [ "\${SLURM_RESTART_COUNT:-0}" -lt "$most" ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}" && sleep 30
fi
exit "$code"
`;
}

/** The script of the merge, which looks at the shards' files and refuses a missing one by its number. */
export function mergeScript(job: CollectJob, flags: SlurmFlags = []): string {
  return `#!/bin/sh
#SBATCH --job-name=unweave-merge
#SBATCH --output=${path.join(shardsOf(job), 'logs', 'merge.log')}
#SBATCH --open-mode=append
${flagLines(flags)}exec ${mergeCommand(job).map(quoted).join(' ')}
`;
}

/** `--name value` pairs as the lines that sbatch reads. */
function flagLines(flags: SlurmFlags): string {
  const lines: string[] = [];
  for (const flag of flags) {
    if (flag.startsWith('-')) lines.push(`#SBATCH ${flag}`);
    else lines[lines.length - 1] += ` ${quoted(flag)}`;
  }
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * Hands a script to Slurm.
 * @param after the job that it waits for, however that one ends
 * @returns the job's number
 * @throws InputError with Slurm's own words
 */
export async function submitScript(script: string, after?: string): Promise<string> {
  const dependency = after === undefined ? [] : [`--dependency=afterany:${after}`];
  const child = run('sbatch', ['--parsable', ...dependency]);
  child.child.stdin?.end(script);
  const {stdout} = await child.catch((error: Error & {code?: unknown; stderr?: string}) => {
    if (error.code === 'ENOENT')
      throw new InputError(
        'there is no sbatch here, so this is no machine of a Slurm cluster; submit from one that is',
      );
    throw new InputError(`Slurm refused the job: ${(error.stderr ?? error.message).trim()}`);
  });
  return stdout.trim().split(';')[0];
}

/** Tasks of the jobs that wait or run; empty also where Slurm has forgotten them, undefined where it does not answer. */
export async function activeTasks(jobs: readonly string[]): Promise<{id: string; state: string}[] | undefined> {
  if (jobs.length === 0) return [];
  try {
    const {stdout} = await run('squeue', ['-h', '-r', '-o', '%i %T %r', '-j', jobs.join(',')]);
    return stdout
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => line.trim().split(' '))
      .filter(([, , reason]) => reason !== 'DependencyNeverSatisfied')
      .map(([id, state]) => ({id, state}));
  } catch (error) {
    // Of jobs that are long over, or that a restarted controller has lost.
    return /Invalid job id/i.test((error as {stderr?: string}).stderr ?? '') ? [] : undefined;
  }
}

export async function cancelJobs(jobs: readonly string[]): Promise<void> {
  if (jobs.length > 0) await run('scancel', [...jobs]).catch(() => {});
}
