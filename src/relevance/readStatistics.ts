import {stat} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {readCheckedArrays} from '../files/checkedArrays';
import {readSafetensors, type SafetensorsArray} from '../files/safetensors';
import type {RelevanceStatistics, SavedState} from '../numerics/statistics';
import {withText} from './accumulate';
import {checkStatistics} from './checkStatistics';
import {readRegularFile} from '../files/regularFile';
import {collectAgain, MANIFEST, readManifest, type Manifest, type ManifestV1, type ManifestV2} from './manifest';

/** Types of the arrays that are not float32. */
const DTYPES: Readonly<Record<string, SafetensorsArray['dtype']>> = {
  paths: 'uint8',
  labels: 'int32',
  stamps: 'int32',
  counts: 'float64',
  input_sums: 'float64',
  share_offsets: 'int32',
  share_counts: 'int32',
  share_channels: 'int32',
  top_relevance_images: 'int32',
  top_activation_images: 'int32',
  hits: 'float64',
  confidence: 'float64',
};

/** Shapes of the arrays that do not grow with the images, by name. */
export function sumShapes({layer, classes, topCount}: Pick<Manifest, 'layer' | 'classes' | 'topCount'>) {
  const [kh, kw, inputs, outputs] = layer.shape;
  const top = [outputs, topCount];
  return {
    counts: [2, classes],
    input_sums: [2, classes, kh * kw, inputs],
    top_relevance_images: top,
    top_relevance_values: top,
    top_activation_images: top,
    top_activation_values: top,
    hits: [classes],
  };
}

export function kernelShape({layer: {shape}}: Pick<Manifest, 'layer'>): number[] {
  return [shape[0] * shape[1], shape[2], shape[3]];
}

/** Where the arrays of a state of a further collector are, beside the sums. */
export const collectedName = (collector: string, array: string) => `collected/${collector}/${array}`;

/**
 * Loads statistics of either format version. Every file is compared with its checksum, every index and number with its range.
 * @param retries how often it begins anew where a running pass replaced the files meanwhile
 * @throws InputError for a folder without statistics, another format version, or files that are damaged or do not fit together
 */
export async function loadStatistics(folder: string, retries = 3): Promise<RelevanceStatistics> {
  const before = await manifestText(folder);
  const manifest = await readManifest(folder);
  try {
    const stats = await (manifest.formatVersion === 1 ? readV1(folder, manifest) : readV2(folder, manifest));
    checkStatistics(stats, folder);
    return stats;
  } catch (error) {
    // A pass that goes on meanwhile takes files away that its manifest of before named: then there is a new manifest.
    if ((await manifestText(folder)) !== before && retries > 0) return loadStatistics(folder, retries - 1);
    throw error;
  }
}

const manifestText = (folder: string) => readRegularFile(path.join(folder, MANIFEST), 2 ** 30).then(String, () => '');

type Arrays = Map<string, SafetensorsArray>;

/** Takes arrays out of what was read, each checked against the shape that the manifest needs. */
function taker(folder: string, arrays: Arrays) {
  return <A>(name: string, shape: readonly number[]): A => {
    const found = arrays.get(name);
    const dtype = DTYPES[name] ?? 'float32';
    if (found?.shape.join() !== shape.join() || found.dtype !== dtype) {
      throw new InputError(
        `the statistics in "${folder}" do not fit together: ${name} is ${found ? `${found.dtype} [${found.shape.join(', ')}]` : 'absent'}, but the manifest needs ${dtype} [${shape.join(', ')}]; collect them again`,
      );
    }
    return found.data as A;
  };
}

function common(manifest: Manifest, kernel: Float32Array, take: ReturnType<typeof taker>) {
  const shapes = sumShapes(manifest);
  const read = <A>(name: keyof typeof shapes) => take<A>(name, shapes[name]);
  return {
    kind: 'relevance statistics' as const,
    model: manifest.model,
    layer: manifest.layer,
    kernel,
    classes: manifest.classes,
    classNames: manifest.classNames,
    preset: manifest.preset,
    ...(manifest.attribution !== undefined && {attribution: manifest.attribution}),
    ...(manifest.batchSize !== undefined && {batchSize: manifest.batchSize}),
    counts: read<Float64Array>('counts'),
    inputSums: read<Float64Array>('input_sums'),
    top: {
      count: manifest.topCount,
      relevance: {
        images: read<Int32Array>('top_relevance_images'),
        values: read<Float32Array>('top_relevance_values'),
      },
      activation: {
        images: read<Int32Array>('top_activation_images'),
        values: read<Float32Array>('top_activation_values'),
      },
    },
    hits: read<Float64Array>('hits'),
    zeroInputs: manifest.zeroInputs,
  };
}

async function readV1(folder: string, manifest: ManifestV1): Promise<RelevanceStatistics> {
  const {arrays} = await readSafetensors(path.join(folder, manifest.arrays));
  const take = taker(folder, arrays);
  const entries = arrays.get('share_values')?.data.length ?? 0;
  const images = manifest.images.paths.length;
  return withText({
    ...common(manifest, take('kernel', kernelShape(manifest)), take),
    images: {...manifest.images, labels: take('labels', [images])},
    shares: {
      floor: manifest.floor,
      offsets: take('share_offsets', [images + 1]),
      channels: take('share_channels', [entries]),
      values: take('share_values', [entries]),
    },
  });
}

async function readV2(folder: string, manifest: ManifestV2): Promise<RelevanceStatistics> {
  const {counted, ...images} = manifest.images;
  const entries = manifest.chunks.reduce((sum, chunk) => sum + chunk.entries, 0);
  await refuseOversize(folder, manifest, 8 * entries + 8 * counted);
  const labels = new Int32Array(counted);
  const stamps = images.check ? new Int32Array(counted) : undefined;
  const offsets = new Int32Array(counted + 1);
  const channels = new Int32Array(entries);
  const values = new Float32Array(entries);
  const paths: string[] = [];
  const read = ahead(manifest.chunks, (chunk) => readCheckedArrays(folder, chunk, collectAgain()));
  for await (const [chunk, arrays] of read) {
    const take = taker(folder, arrays);
    const first = paths.length;
    const before = offsets[first];
    labels.set(take<Int32Array>('labels', [chunk.images]), first);
    stamps?.set(take<Int32Array>('stamps', [chunk.images]), first);
    channels.set(take<Int32Array>('share_channels', [chunk.entries]), before);
    values.set(take<Float32Array>('share_values', [chunk.entries]), before);
    let end = before;
    const counts = take<Int32Array>('share_counts', [chunk.images]);
    for (let at = 0; at < counts.length; at++) offsets[first + at + 1] = end += counts[at];
    const listed = textsOf(arrays.get('paths')?.data as Uint8Array<ArrayBuffer> | undefined);
    if (end - before !== chunk.entries || listed.length !== chunk.images) {
      throw new InputError(
        `the statistics in "${folder}" do not fit together: ${chunk.file} lists ${listed.length} images with ${end - before} shares, and the manifest ${chunk.images} with ${chunk.entries}; collect them again`,
      );
    }
    for (const name of listed) paths.push(name);
  }
  const sums = await readCheckedArrays(folder, manifest.sums, collectAgain());
  const take = taker(folder, sums);
  const kernel = taker(folder, await readCheckedArrays(folder, manifest.layerFile, collectAgain()))<Float32Array>('kernel', kernelShape(manifest)); // prettier-ignore
  const collected = collectedOf(manifest, sums);
  return withText({
    ...common(manifest, kernel, take),
    ...(sums.has('confidence') && {confidence: take<Float64Array>('confidence', [manifest.classes])}),
    images: {...images, paths, labels, ...(stamps && {stamps})},
    shares: {floor: manifest.floor, offsets, channels, values},
    ...(collected && {collected}),
  });
}

/** Files that are read and hashed while the one before is taken in. */
const AHEAD = 3;

async function* ahead<A, B>(list: readonly A[], read: (one: A) => Promise<B>): AsyncGenerator<[A, B]> {
  const begun: Promise<B>[] = [];
  for (const [at, one] of list.entries()) {
    while (begun.length <= AHEAD && at + begun.length < list.length) {
      const next = read(list[at + begun.length]);
      next.catch(() => {}); // Reported when its turn comes, which it may never.
      begun.push(next);
    }
    yield [one, await (begun.shift() as Promise<B>)];
  }
}

function collectedOf({collected}: ManifestV2, sums: Arrays): Record<string, SavedState> | undefined {
  if (!collected) return undefined;
  const states = Object.entries(collected).map(([name, fields]): [string, SavedState] => {
    const prefix = collectedName(name, '');
    const own = [...sums].filter(([array]) => array.startsWith(prefix));
    const arrays = own.map(([array, {shape, data}]) => [array.slice(prefix.length), {shape, data}] as const);
    return [name, {fields, arrays: Object.fromEntries(arrays)}];
  });
  return Object.fromEntries(states);
}

/** Strings that each end in a NUL byte. */
function textsOf(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)): string[] {
  const list = new TextDecoder().decode(bytes).split('\0');
  list.pop();
  return list;
}

/** Memory is taken for what the manifest says; it cannot be more than its files hold. */
async function refuseOversize(folder: string, {chunks}: ManifestV2, bytes: number): Promise<void> {
  let size = 0;
  for (const {file} of chunks) size += (await stat(path.join(folder, file)).catch(() => ({size: 0}))).size;
  if (bytes > size) {
    throw new InputError(
      `the statistics in "${folder}" do not fit together: the manifest needs ${bytes} bytes of images and shares, and its files have ${size}; collect them again`,
    );
  }
}
