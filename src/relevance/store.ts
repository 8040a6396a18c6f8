import {access, constants} from 'node:fs/promises';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {LOCK_ENTRIES, lockFolder} from '../files/folderLock';
import {cannotWrite, entriesOf, holdsSomethingElse, makeFolder} from '../files/output';
import {safetensorsPieces, type SafetensorsArrays} from '../files/safetensors';
import {commitFolder, isOwnEntry, namedByContent, removeLeftovers, type NewFile} from '../files/transaction';
import {listed, type RelevanceStatistics} from '../numerics/statistics';
import {filesOf, FORMAT, MANIFEST, readManifest, type Chunk, type Manifest, type ManifestV2} from './manifest';
import {collectedName, kernelShape, sumShapes} from './readStatistics';
import {differences, subjectOf, type Subject} from './subject';

export {loadStatistics} from './readStatistics';

/**
 * Statistics on disk: `manifest.json` (what they are about, and the SHA-256 of every file), chunks of images with their shares, which are
 * appended and never changed, one file of sums, and one of what never changes. All arrays are `.safetensors`, so that Python opens them
 * too. A checkpoint writes the images that are new, the sums and the manifest, and nothing else.
 */
const KINDS = ['images', 'sums', 'layer'] as const;

/** Version 1 wrote all arrays into one such file. */
const VERSION_1 = /^statistics-[0-9a-z-]+\.safetensors$/;

/** A chunk is closed when its arrays have so many bytes. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** A folder of statistics that this process alone writes to. */
export interface StatisticsWriter {
  /** Goes on from the manifest there, of the same run, with statistics that begin with its images: its chunks stay. */
  goOn(manifest: Manifest): void;
  /** Writes what is new; a reader finds the checkpoint before or this one. */
  checkpoint(stats: RelevanceStatistics): Promise<void>;
  /** Lets others write, and takes the folder away again where it was made and nothing was written. */
  close(): Promise<void>;
}

/**
 * Opens a folder for checkpoints of one run.
 * @throws InputError where another process writes to it, or nothing can be written
 */
export async function openWriter(folder: string): Promise<StatisticsWriter> {
  const takeAway = await ensureWritable(folder);
  const release = await lockFolder(folder).catch(async (error: Error) => {
    await takeAway();
    throw error;
  });
  const there = await readManifest(folder).catch(() => undefined);
  let named = there ? filesOf(there) : [];
  await removeLeftovers(folder, {kinds: KINDS, manifests: [MANIFEST], named});
  let closed: Chunk[] = [];
  return {
    goOn(manifest) {
      // The last one may still grow.
      closed = manifest.formatVersion === 2 ? manifest.chunks.slice(0, -1) : [];
    },
    async checkpoint(stats) {
      const {chunks, files, open} = newChunks(stats, closed);
      const sums = arrayFile('sums', sumsOf(stats));
      const layerFile = arrayFile('layer', {kernel: {shape: kernelShape(stats), data: stats.kernel}});
      const manifest = manifestOf(stats, chunks, sums, layerFile);
      await commitFolder(folder, {
        files: [...files, sums, layerFile],
        manifest: {file: MANIFEST, content: JSON.stringify(manifest)},
        obsolete: named,
        kept: filesOf(manifest),
      });
      named = filesOf(manifest);
      closed = open ? chunks.slice(0, -1) : chunks;
    },
    async close() {
      await release();
      await takeAway();
    },
  };
}

function arrayFile(kind: (typeof KINDS)[number], arrays: SafetensorsArrays): NewFile {
  return namedByContent(kind, 'safetensors', safetensorsPieces(kind, arrays, {format: FORMAT}));
}

function manifestOf(
  stats: RelevanceStatistics,
  chunks: Chunk[],
  {file: sumsFile, sha256: sumsHash}: NewFile,
  {file: layerFile, sha256: layerHash}: NewFile,
): ManifestV2 {
  const {name, listHash, total, done, skipped, labelsFile, shards, check, paths} = stats.images;
  return {
    format: FORMAT,
    formatVersion: 2,
    model: stats.model,
    layer: stats.layer,
    classes: stats.classes,
    classNames: stats.classNames,
    preset: stats.preset,
    attribution: stats.attribution,
    batchSize: stats.batchSize,
    images: {name, listHash, total, done, counted: paths.length, skipped, labelsFile, shards, check},
    floor: stats.shares.floor,
    topCount: stats.top.count,
    zeroInputs: stats.zeroInputs,
    chunks,
    sums: {file: sumsFile, sha256: sumsHash},
    layerFile: {file: layerFile, sha256: layerHash},
    collected:
      stats.collected &&
      Object.fromEntries(Object.entries(stats.collected).map(([name, {fields}]) => [name, fields] as const)),
  };
}

function sumsOf(stats: RelevanceStatistics): SafetensorsArrays {
  const shapes = sumShapes({layer: stats.layer, classes: stats.classes, topCount: stats.top.count});
  const {relevance, activation} = stats.top;
  const data = {
    counts: stats.counts,
    input_sums: stats.inputSums,
    top_relevance_images: relevance.images,
    top_relevance_values: relevance.values,
    top_activation_images: activation.images,
    top_activation_values: activation.values,
    hits: stats.hits,
  };
  const sums = Object.entries(data).map(
    ([name, values]) => [name, {shape: shapes[name as keyof typeof shapes], data: values}] as const,
  );
  const collected = Object.entries(stats.collected ?? {}).flatMap(([name, {arrays}]) =>
    Object.entries(arrays).map(([array, value]) => [collectedName(name, array), value] as const),
  );
  const {confidence} = stats;
  return {
    ...Object.fromEntries([...sums, ...collected]),
    ...(confidence && {confidence: {shape: [stats.classes], data: confidence}}),
  };
}

/**
 * The images after the closed chunks, cut where a chunk is full: at the same places, however often a checkpoint was written.
 * @returns all chunks, the files of those that are not written yet, and whether the last one may still grow
 */
function newChunks(stats: RelevanceStatistics, closed: readonly Chunk[]) {
  const {paths, labels, stamps} = stats.images;
  const {offsets, channels, values} = stats.shares;
  const chunks = [...closed];
  const files: NewFile[] = [];
  let open = false;
  let first = closed.reduce((sum, chunk) => sum + chunk.images, 0);
  while (first < paths.length) {
    let end = first;
    for (let bytes = 0; end < paths.length && bytes < CHUNK_BYTES; end++)
      bytes += 12 + paths[end].length + 8 * (offsets[end + 1] - offsets[end]);
    const images = end - first;
    const [from, to] = [offsets[first], offsets[end]];
    const file = arrayFile('images', {
      paths: textArray(paths.slice(first, end)),
      labels: {shape: [images], data: labels.subarray(first, end)},
      ...(stamps && {stamps: {shape: [images], data: stamps.subarray(first, end)}}),
      share_counts: {
        shape: [images],
        data: Int32Array.from({length: images}, (_, at) => offsets[first + at + 1] - offsets[first + at]),
      },
      share_channels: {shape: [to - from], data: channels.subarray(from, to)},
      share_values: {shape: [to - from], data: values.subarray(from, to)},
    });
    files.push(file);
    chunks.push({file: file.file, sha256: file.sha256, images, entries: to - from});
    open = end === paths.length;
    first = end;
  }
  return {chunks, files, open};
}

/** Strings as UTF-8, each with a NUL byte behind it. */
function textArray(texts: readonly string[]): {shape: number[]; data: Uint8Array} {
  const wrong = texts.find((text) => text.includes('\0'));
  if (wrong !== undefined)
    throw new InputError(`image ${JSON.stringify(wrong)} has a NUL character in its name; rename it`);
  const data = new TextEncoder().encode(texts.map((text) => `${text}\0`).join(''));
  return {shape: [data.length], data};
}

/**
 * Saves statistics into a folder, made where it is absent; statistics of the same run are replaced.
 * @param options.force write whatever the folder holds
 * @throws InputError where the folder holds something else or the statistics of another run, unless `force`, or cannot be written
 */
export async function saveStatistics(
  stats: RelevanceStatistics,
  folder: string,
  {force = false}: {force?: boolean} = {},
): Promise<void> {
  if (!force) await refuseOtherRun(subjectOf(stats), folder);
  const writer = await openWriter(folder);
  try {
    await writer.checkpoint(stats);
  } finally {
    await writer.close();
  }
}

/**
 * Makes the folder where it is absent, before long work is done for it.
 * @returns takes it away again where it was made and nothing is in it
 * @throws InputError where nothing can be written there
 */
export async function ensureWritable(folder: string): Promise<() => Promise<void>> {
  const takeAway = await makeFolder(folder);
  await access(folder, constants.W_OK).catch((error: Error) => {
    throw cannotWrite(folder, error);
  });
  return takeAway;
}

/**
 * @returns the manifest there, where the folder holds statistics of the same run
 * @throws InputError where it holds something else, or statistics of another run
 */
export async function refuseOtherRun(subject: Subject, folder: string): Promise<Manifest | undefined> {
  const entries = (await entriesOf(folder)).filter((name) => !LOCK_ENTRIES.some((own) => name.startsWith(own)));
  if (!entries.includes(MANIFEST)) {
    // Remains of a first write that was cut short are ours.
    const foreign = entries.filter((name) => !isOwnEntry(name, KINDS, MANIFEST) && !VERSION_1.test(name));
    if (foreign.length > 0) throw holdsSomethingElse(folder, foreign);
    return undefined;
  }
  const found = await readManifest(folder);
  const differ = differences(subject, {...found, collected: collectedIn(found)}, {lists: true});
  if (differ.length > 0) {
    const older =
      found.formatVersion === 1 ? ' (it was made by version 0.1, which named networks by another hash)' : '';
    throw new InputError(
      `"${folder}" holds the statistics of another run${older}, which differs in ${listed(differ, 6)}; choose another folder, or overwrite it (${option('force')})`,
    );
  }
  return found;
}

/** Names of the collectors whose states a folder holds. */
export function collectedIn(manifest: Manifest): string[] {
  return manifest.formatVersion === 2 ? Object.keys(manifest.collected ?? {}) : [];
}
