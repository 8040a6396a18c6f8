import path from 'node:path';

/** A collect that many machines share: what is run for each shard, and for the merge. Paths are as the machines see them. */
export interface CollectJob {
  /** Model and images, as `unweave collect` takes them. */
  model: string;
  images: string;
  layer: string;
  /** Folder for the merged statistics; the shards' are beside it, in `<out>.shards`. */
  out: string;
  /** Parts of the list, each a task of its own; tasks of some minutes are best. */
  shards: number;
  /** Further flags of `unweave collect`, e.g. `['--batch', '64']`. @default none */
  flags?: readonly string[];
  /** What runs unweave there. @default this installation, by this Node */
  command?: readonly string[];
}

/** This installation's command line, by this Node. */
const OWN_COMMAND = [process.execPath, path.join(__dirname, '../cli/main.js')];

/** The folder that holds the shards' folders, and what is written about their jobs. */
export const shardsOf = ({out}: Pick<CollectJob, 'out'>) => `${out.replace(/[\\/]+$/, '')}.shards`;

/** The command for one shard; `auto` takes the number that the scheduler gives the task. */
export function collectCommand(job: CollectJob, shard: number | 'auto'): string[] {
  const {model, images, layer, shards, flags = [], command = OWN_COMMAND} = job;
  const own = ['--layer', layer, '--out', shardsOf(job), '--shard', `${shard}/${shards}`];
  return [...command, 'collect', model, images, ...own, ...flags];
}

export function mergeCommand(job: CollectJob, {wait = false}: {wait?: boolean} = {}): string[] {
  const {command = OWN_COMMAND} = job;
  return [...command, 'merge', shardsOf(job), '--out', job.out, ...(wait ? ['--wait', String(job.shards)] : [])];
}

/** A word as a shell takes it literally. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
