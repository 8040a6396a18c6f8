import {access, constants, mkdir, readdir, readFile, rm} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../numerics/errors';
import type {RelevanceStatistics} from '../numerics/statistics';
import {readSafetensors, writeSafetensors, type SafetensorsArray} from '../models/checkpoint/safetensors';
import {replaceFile} from '../models/save';
import {withText} from './accumulate';

/**
 * Statistics on disk: `manifest.json` (what they are about) and one `.safetensors` file that it names, so that Python opens them
 * too. The arrays are written under a new name before the manifest that names them, so a reader never meets a mixture.
 */
const FORMAT = 'unweave relevance statistics';
const FORMAT_VERSION = 1;

interface Manifest {
  format: string;
  formatVersion: number;
  arrays: string;
  model: RelevanceStatistics['model'];
  layer: RelevanceStatistics['layer'];
  classes: number;
  classNames: string[];
  preset: RelevanceStatistics['preset'];
  images: Omit<RelevanceStatistics['images'], 'labels'>;
  floor: number;
  topCount: number;
  zeroInputs: RelevanceStatistics['zeroInputs'];
}

/** Shapes of the arrays, by name. */
function arrayShapes(manifest: Manifest, entries: number): Record<string, number[]> {
  const [kh, kw, inputs, outputs] = manifest.layer.shape;
  const images = manifest.images.paths.length;
  const top = [outputs, manifest.topCount];
  return {
    kernel: [kh * kw, inputs, outputs],
    labels: [images],
    counts: [2, manifest.classes],
    input_sums: [2, manifest.classes, kh * kw, inputs],
    share_offsets: [images + 1],
    share_channels: [entries],
    share_values: [entries],
    top_relevance_images: top,
    top_relevance_values: top,
    top_activation_images: top,
    top_activation_values: top,
    hits: [manifest.classes],
  };
}

/**
 * Saves statistics into a folder, made where it is absent; statistics of the same run are replaced.
 * @throws InputError where the folder holds something else, or cannot be written
 */
export async function saveStatistics(stats: RelevanceStatistics, folder: string): Promise<void> {
  await refuseForeignFolder(folder);
  await ensureWritable(folder);
  const {labels, ...images} = stats.images;
  const manifest: Manifest = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    arrays: `statistics-${images.done}-${Date.now().toString(36)}.safetensors`,
    model: stats.model,
    layer: stats.layer,
    classes: stats.classes,
    classNames: stats.classNames,
    preset: stats.preset,
    images,
    floor: stats.shares.floor,
    topCount: stats.top.count,
    zeroInputs: stats.zeroInputs,
  };
  const data: Record<string, SafetensorsArray['data']> = {
    kernel: stats.kernel,
    labels,
    counts: stats.counts,
    input_sums: stats.inputSums,
    share_offsets: stats.shares.offsets,
    share_channels: stats.shares.channels,
    share_values: stats.shares.values,
    top_relevance_images: stats.top.relevance.images,
    top_relevance_values: stats.top.relevance.values,
    top_activation_images: stats.top.activation.images,
    top_activation_values: stats.top.activation.values,
    hits: stats.hits,
  };
  const shapes = arrayShapes(manifest, stats.shares.channels.length);
  const arrays = Object.fromEntries(
    Object.entries(data).map(([name, values]) => [name, {shape: shapes[name], data: values}]),
  );
  await writeSafetensors(path.join(folder, manifest.arrays), arrays, {format: FORMAT});
  await replaceFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  for (const name of await readdir(folder)) {
    if (/^statistics-.*\.safetensors$/.test(name) && name !== manifest.arrays)
      await rm(path.join(folder, name), {force: true});
  }
}

/**
 * Makes the folder where it is absent, before long work is done for it.
 * @throws InputError where nothing can be written there
 */
export async function ensureWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, {recursive: true});
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new InputError(
      `cannot write to the folder "${folder}": ${(error as Error).message}; choose one that you may write to`,
    );
  }
}

/** @throws InputError where a folder holds files but no statistics */
export async function refuseForeignFolder(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`cannot write statistics to "${folder}": it is not a folder; choose another path`);
  });
  // Remains of a first write that was cut short are ours.
  const foreign = entries.filter((name) => !/^(statistics-.*\.safetensors|manifest\.json)/.test(name));
  if (entries.includes('manifest.json')) await readManifest(folder);
  else if (foreign.length > 0) {
    throw new InputError(
      `"${folder}" holds something else (${foreign.slice(0, 3).join(', ')}); choose an empty or new folder for the statistics`,
    );
  }
}

/**
 * Loads statistics that `saveStatistics` wrote.
 * @throws InputError for a folder without statistics, another format version, or files that do not fit together
 */
export async function loadStatistics(folder: string): Promise<RelevanceStatistics> {
  const manifest = await readManifest(folder);
  const file = path.resolve(folder, manifest.arrays);
  if (path.dirname(file) !== path.resolve(folder)) {
    throw new InputError(
      `the manifest of "${folder}" names a file outside its folder: "${manifest.arrays}"; such statistics are refused`,
    );
  }
  const {arrays} = await readSafetensors(file);
  const entries = arrays.get('share_values')?.data.length ?? 0;
  for (const [name, shape] of Object.entries(arrayShapes(manifest, entries))) {
    const found = arrays.get(name)?.shape;
    if (!found || found.join() !== shape.join()) {
      throw new InputError(
        `the statistics in "${folder}" do not fit together: ${name} has shape [${found?.join(', ') ?? 'absent'}], but the manifest needs [${shape.join(', ')}]; collect them again`,
      );
    }
  }
  const read = <A>(name: string) => arrays.get(name)?.data as A;
  return withText({
    kind: 'relevance statistics',
    model: manifest.model,
    layer: manifest.layer,
    kernel: read('kernel'),
    classes: manifest.classes,
    classNames: manifest.classNames,
    preset: manifest.preset,
    images: {...manifest.images, labels: read('labels')},
    counts: read('counts'),
    inputSums: read('input_sums'),
    shares: {
      floor: manifest.floor,
      offsets: read('share_offsets'),
      channels: read('share_channels'),
      values: read('share_values'),
    },
    top: {
      count: manifest.topCount,
      relevance: {images: read('top_relevance_images'), values: read('top_relevance_values')},
      activation: {images: read('top_activation_images'), values: read('top_activation_values')},
    },
    hits: read('hits'),
    zeroInputs: manifest.zeroInputs,
  });
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(path.join(folder, 'manifest.json'), 'utf8').catch(() => {
    throw new InputError(
      `no statistics in "${folder}": manifest.json is missing; make them with collectRelevance (unweave collect)`,
    );
  });
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch {
    throw new InputError(`"${path.join(folder, 'manifest.json')}" is not valid JSON; collect the statistics again`);
  }
  if (manifest?.format !== FORMAT) {
    throw new InputError(
      `"${folder}" holds no relevance statistics (its manifest's format is ${JSON.stringify(manifest?.format)})`,
    );
  }
  if (manifest.formatVersion !== FORMAT_VERSION) {
    throw new InputError(
      `the statistics in "${folder}" have format version ${manifest.formatVersion}, and this version of unweave reads ${FORMAT_VERSION}; collect them again`,
    );
  }
  const sizes = [...(manifest.layer?.shape ?? []), manifest.classes, manifest.topCount];
  const sound =
    sizes.length === 6 &&
    sizes.every((size) => Number.isSafeInteger(size) && size >= 0) &&
    Array.isArray(manifest.images?.paths) &&
    Array.isArray(manifest.classNames) &&
    typeof manifest.arrays === 'string' &&
    typeof manifest.model?.hash === 'string';
  if (!sound) throw new InputError(`the manifest of "${folder}" is damaged; collect the statistics again`);
  return manifest;
}
