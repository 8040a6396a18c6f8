import {option} from '../common/options';
import {access, constants, readdir, readFile, rm} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {
  checkFields,
  currentPreset,
  oneOf,
  optional,
  PRESET_FIELDS,
  records,
  share,
  sizes,
  text,
  texts,
  wholeFrom,
  type FieldRule,
} from '../common/fields';
import {listed, type RelevanceStatistics} from '../numerics/statistics';
import {readSafetensors, writeSafetensors, type SafetensorsArray} from '../files/safetensors';
import {cannotWrite, entriesOf, holdsSomethingElse, makeFolder, replaceFile} from '../files/output';
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

const FIELDS: Readonly<Record<string, FieldRule>> = {
  arrays: text,
  'model.name': text,
  'model.hash': text,
  'model.arch': optional(text),
  'layer.name': text,
  'layer.kind': oneOf('conv', 'dense'),
  'layer.shape': sizes(4),
  classes: wholeFrom(1),
  classNames: texts,
  ...PRESET_FIELDS,
  'images.name': text,
  'images.listHash': text,
  'images.total': wholeFrom(1),
  'images.done': wholeFrom(0),
  'images.paths': texts,
  'images.skipped': records({path: text, reason: text}),
  'images.labelsFile': optional(text),
  floor: share,
  topCount: wholeFrom(0),
  'zeroInputs.zeros': wholeFrom(0),
  'zeroInputs.total': wholeFrom(0),
};

/** Types of the arrays that are not float32. */
const DTYPES: Readonly<Record<string, SafetensorsArray['dtype']>> = {
  labels: 'int32',
  counts: 'float64',
  input_sums: 'float64',
  share_offsets: 'int32',
  share_channels: 'int32',
  top_relevance_images: 'int32',
  top_activation_images: 'int32',
  hits: 'float64',
};

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
 * @param options.force write whatever the folder holds
 * @throws InputError where the folder holds something else or the statistics of another run, unless `force`, or cannot be written
 */
export async function saveStatistics(
  stats: RelevanceStatistics,
  folder: string,
  {force = false}: {force?: boolean} = {},
): Promise<void> {
  if (!force) await refuseOtherRun(stats, folder);
  const takeAway = await ensureWritable(folder);
  try {
    await writeStatistics(stats, folder);
  } finally {
    await takeAway();
  }
}

async function writeStatistics(stats: RelevanceStatistics, folder: string): Promise<void> {
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
  await replaceFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest)).catch(async (error: Error) => {
    await rm(path.join(folder, manifest.arrays), {force: true}).catch(() => {});
    throw error;
  });
  for (const name of await readdir(folder)) {
    if (/^statistics-.*\.safetensors$/.test(name) && name !== manifest.arrays)
      await rm(path.join(folder, name), {force: true});
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
 * @returns whether the folder holds statistics of the same run
 * @throws InputError where it holds something else, or statistics of another run
 */
export async function refuseOtherRun(stats: RelevanceStatistics, folder: string): Promise<boolean> {
  const entries = await entriesOf(folder);
  if (!entries.includes('manifest.json')) {
    // Remains of a first write that was cut short are ours.
    const foreign = entries.filter((name) => !/^(statistics-.*\.safetensors|manifest\.json)/.test(name));
    if (foreign.length > 0) throw holdsSomethingElse(folder, foreign);
    return false;
  }
  const found = await readManifest(folder);
  const differences: string[] = [];
  const compare = (what: string, mine: unknown, theirs: unknown) => {
    if (JSON.stringify(mine) !== JSON.stringify(theirs)) differences.push(what);
  };
  compare('model', stats.model.hash, found.model.hash);
  compare(`layer (${found.layer.name})`, stats.layer.name, found.layer.name);
  compare('image list', stats.images.listHash, found.images.listHash);
  const named = {assumed: undefined}; // A preset that was assumed is the same where it is named.
  compare(`preset (${found.preset.name})`, {...stats.preset, ...named}, {...found.preset, ...named});
  compare(`floor (${found.floor})`, stats.shares.floor, found.floor);
  compare(`top count (${found.topCount})`, stats.top.count, found.topCount);
  if (differences.length > 0) {
    throw new InputError(
      `"${folder}" holds the statistics of another run, which differs in ${listed(differences, 6)}; choose another folder, or overwrite it (${option('force')})`,
    );
  }
  return true;
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
    const found = arrays.get(name);
    const dtype = DTYPES[name] ?? 'float32';
    if (found?.shape.join() !== shape.join() || found.dtype !== dtype) {
      throw new InputError(
        `the statistics in "${folder}" do not fit together: ${name} is ${found ? `${found.dtype} [${found.shape.join(', ')}]` : 'absent'}, but the manifest needs ${dtype} [${shape.join(', ')}]; collect them again`,
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
  const file = path.join(folder, 'manifest.json');
  const content = await readFile(file, 'utf8').catch(() => {
    throw new InputError(
      `no statistics in "${folder}": manifest.json is missing; make them with collectRelevance (unweave collect)`,
    );
  });
  let manifest: Manifest | null;
  try {
    manifest = JSON.parse(content) as Manifest | null;
  } catch {
    throw new InputError(`"${file}" is not valid JSON; collect the statistics again`);
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
  manifest.preset = currentPreset(manifest.preset) as Manifest['preset'];
  checkFields(manifest, FIELDS, file, 'collect the statistics again');
  const {classes, classNames, images} = manifest;
  const misfit =
    classNames.length !== classes
      ? `classNames has ${classNames.length} names, and classes is ${classes}`
      : images.done > images.total
        ? `images.done is ${images.done}, and images.total is ${images.total}`
        : images.paths.length + images.skipped.length !== images.done
          ? `images.paths and images.skipped have ${images.paths.length + images.skipped.length} entries, and images.done is ${images.done}`
          : undefined;
  if (misfit) throw new InputError(`"${file}" is damaged: ${misfit}; collect the statistics again`);
  return manifest;
}
