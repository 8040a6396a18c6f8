import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {listed, type RelevanceStatistics} from '../numerics/statistics';
import {MANIFEST, readManifest, type Manifest} from './manifest';
import {mergeAll, type MergeCollected} from './merge';
import {loadStatistics} from './store';

/** The folder of one shard inside the folder of all. */
export const shardFolder = (folder: string, index: number, count: number) =>
  path.join(folder, `shard-${String(index).padStart(String(count - 1).length, '0')}-of-${count}`);

/**
 * Folders of shards: those given, and of a folder that holds none itself, the folders inside it.
 * @throws InputError where there are none
 */
export async function shardFolders(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(folder, {withFileTypes: true}).catch(() => {
      throw new InputError(`no folder "${folder}"; give folders that unweave collect made with a shard`);
    });
    if (entries.some(({name}) => name === MANIFEST)) {
      found.push(folder);
      continue;
    }
    const inside = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('shard-'));
    found.push(...inside.map(({name}) => path.join(folder, name)).sort());
  }
  if (found.length === 0)
    throw new InputError(
      `no statistics in ${folders.map((folder) => `"${folder}"`).join(', ')}; collect the shards first`,
    );
  return found;
}

/**
 * Adds up all shards of a run, in their order, whatever order they are given in: the same thresholds and splits as one pass, sums up to
 * rounding.
 * @throws InputError that names a shard that is missing, unfinished, there twice, of another run or of another partition
 */
export async function mergeShards(
  folders: readonly string[],
  {mergeCollected}: {mergeCollected?: MergeCollected} = {},
): Promise<RelevanceStatistics> {
  const places = await shardFolders(folders);
  const parts: {folder: string; manifest: Manifest}[] = [];
  for (const folder of places) parts.push({folder, manifest: await readManifest(folder)});
  refuseIncomplete(parts);
  parts.sort((a, b) => firstOf(a.manifest) - firstOf(b.manifest));
  const names = parts.map(({folder}) => `"${folder}"`);
  const stats: RelevanceStatistics[] = [];
  for (const {folder} of parts) stats.push(await loadStatistics(folder));
  return mergeAll(stats, {names, mergeCollected});
}

const firstOf = ({images}: Manifest) => images.shards?.indices[0] ?? 0;

function refuseIncomplete(parts: readonly {folder: string; manifest: Manifest}[]): void {
  const [{manifest: first}] = parts;
  const {shards, listHash} = first.images;
  const whole = parts.find(({manifest}) => !manifest.images.shards);
  if (whole && parts.length > 1) {
    throw new InputError(
      `"${whole.folder}" holds the statistics of all images and not of a shard; merge shards of one run`,
    );
  }
  const unfinished = parts.filter(({manifest: {images}}) => images.done < images.total);
  if (unfinished.length > 0) {
    const named = unfinished.map(
      ({folder, manifest: {images}}) => `"${folder}" (${images.done} of ${images.total} images)`,
    );
    throw new InputError(`unfinished: ${listed(named, 6)}; run the same collect again for each`);
  }
  // Of other runs: what differs is named where they are added up.
  if (
    !shards ||
    parts.some(({manifest: {images}}) => images.listHash !== listHash || images.shards?.count !== shards.count)
  )
    return;
  const there = new Set(parts.flatMap(({manifest: {images}}) => images.shards?.indices ?? []));
  const missing = Array.from({length: shards.count}, (_, index) => index).filter((index) => !there.has(index));
  if (missing.length > 0)
    throw new InputError(
      `missing: shard ${listed(missing, 12)} of ${shards.count}; collect ${missing.length === 1 ? 'it' : 'them'} first`,
    );
}
