import {readdir, stat} from 'node:fs/promises';
import path from 'node:path';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import {parseJson} from '../common/json';
import {
  checkFields,
  currentPreset,
  oneOf,
  optional,
  record,
  PRESET_FIELDS,
  records,
  share,
  sizes,
  text,
  texts,
  wholeFrom,
  wholeNumbers,
  type FieldRule,
} from '../common/fields';
import {decodeText, FileRefusal, readRegularFile} from '../files/regularFile';
import type {NamedFile} from '../files/transaction';
import {counted} from '../common/words';
import {GATES} from '../numerics/gatedSums';
import {listed, type RelevanceStatistics} from '../numerics/statistics';

/** `manifest.json`: what statistics are about and which files hold them. */
export const FORMAT = 'unweave relevance statistics';
export const MANIFEST = 'manifest.json';

/** Data of consecutive images; appended to, in files of bounded size, and never changed. */
export interface Chunk extends NamedFile {
  images: number;
  /** Shares that are kept of them. */
  entries: number;
}

interface About {
  format: string;
  model: RelevanceStatistics['model'];
  layer: RelevanceStatistics['layer'];
  classes: number;
  classNames: string[];
  preset: RelevanceStatistics['preset'];
  attribution?: string;
  batchSize?: number;
  floor: number;
  topCount: number;
  zeroInputs: RelevanceStatistics['zeroInputs'];
}

/** Version 1: all arrays in one file, the list of images in the manifest. */
export interface ManifestV1 extends About {
  formatVersion: 1;
  arrays: string;
  images: Omit<RelevanceStatistics['images'], 'labels' | 'stamps'>;
}

/** Version 2: chunks of images, the sums over them, and what does not change. */
export interface ManifestV2 extends About {
  formatVersion: 2;
  images: Omit<RelevanceStatistics['images'], 'labels' | 'stamps' | 'paths'> & {counted: number};
  chunks: Chunk[];
  sums: NamedFile;
  layerFile: NamedFile;
  /** Fields of further collectors' states, by name; their arrays are beside the sums. */
  collected?: Record<string, Record<string, unknown>>;
}

export type Manifest = ManifestV1 | ManifestV2;

const namedFile = {file: text, sha256: text};

const COMMON: Readonly<Record<string, FieldRule>> = {
  'model.name': text,
  'model.hash': text,
  'model.arch': optional(text),
  'layer.name': text,
  'layer.kind': oneOf('conv', 'dense'),
  'layer.shape': sizes(4),
  classes: wholeFrom(1),
  classNames: texts,
  ...PRESET_FIELDS,
  attribution: optional(text),
  batchSize: optional(wholeFrom(1)),
  'images.name': text,
  'images.listHash': text,
  'images.total': wholeFrom(1),
  'images.done': wholeFrom(0),
  'images.skipped': records({path: text, reason: text}),
  'images.labelsFile': optional(text),
  floor: share,
  topCount: wholeFrom(0),
  'zeroInputs.zeros': wholeFrom(0),
  'zeroInputs.total': wholeFrom(0),
};

const FIELDS: Readonly<Record<1 | 2, Readonly<Record<string, FieldRule>>>> = {
  1: {arrays: text, ...COMMON, 'images.paths': texts},
  2: {
    ...COMMON,
    'images.counted': wholeFrom(0),
    collected: optional(record),
    'images.check': optional(oneOf('files', 'content')),
    'images.shards.count': optional(wholeFrom(1)),
    'images.shards.indices': optional(wholeNumbers(1)),
    chunks: records({...namedFile, images: wholeFrom(0), entries: wholeFrom(0)}),
    'sums.file': text,
    'sums.sha256': text,
    'layerFile.file': text,
    'layerFile.sha256': text,
  },
};

/** A chunk of images takes some hundred bytes of it; version 1 listed every image. */
const MAX_BYTES = 2 ** 29 - 24;

/** What to do about a damaged folder; the option, since without it the folder is refused. */
export const collectAgain = () => `collect the statistics again, with ${option('force')}`;

/** The files that a manifest names, each inside its folder. */
export function filesOf(manifest: Manifest): string[] {
  if (manifest.formatVersion === 1) return [manifest.arrays];
  return [...manifest.chunks, manifest.sums, manifest.layerFile].map(({file}) => file);
}

/** The folder of a run in parts, as `collect --shard` names it. */
const SHARD = /^shard-\d+-of-\d+$/;

/** Why a folder holds no statistics itself, and what to do. */
async function whatIsInstead(folder: string): Promise<string> {
  const entries = await readdir(folder, {withFileTypes: true}).catch(() => undefined);
  const make = 'make them with collectRelevance (unweave collect)';
  if (!entries) return `there is no such folder; ${make}`;
  const inside: string[] = [];
  for (const entry of entries) {
    const holds = entry.isDirectory() && (await stat(path.join(folder, entry.name, MANIFEST)).catch(() => undefined));
    if (holds || (entry.isDirectory() && SHARD.test(entry.name))) inside.push(entry.name);
  }
  if (inside.length === 0) return `${MANIFEST} is missing; ${make}`;
  inside.sort();
  if (inside.every((name) => SHARD.test(name)))
    return `it holds ${counted(inside.length, 'shard')} of a run; add them up first with mergeShards (unweave merge ${folder} --out …)`;
  return `there are some in ${counted(inside.length, 'folder')} inside it (of several layers each has one of its own): ${listed(inside, 8)}; give one, such as "${path.join(folder, inside[0])}"`;
}

/** @throws InputError for a folder without statistics, another format version, or fields that do not fit together */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, MANIFEST);
  const content = await readRegularFile(file, MAX_BYTES).catch(async (error: Error) => {
    if (error instanceof FileRefusal)
      throw new InputError(`cannot read "${file}": ${error.message}; ${collectAgain()}`);
    throw new InputError(`no statistics in "${folder}": ${await whatIsInstead(folder)}`);
  });
  let manifest: Manifest | null;
  try {
    manifest = parseJson(decodeText(content)) as Manifest | null;
  } catch {
    throw new InputError(`"${file}" is not valid JSON; ${collectAgain()}`);
  }
  if (manifest?.format !== FORMAT) {
    throw new InputError(
      `"${folder}" holds no relevance statistics (its manifest's format is ${JSON.stringify(manifest?.format)?.slice(0, 60)})`,
    );
  }
  if (!Object.hasOwn(FIELDS, String(manifest.formatVersion))) {
    throw new InputError(
      `the statistics in "${folder}" have format version ${JSON.stringify(manifest.formatVersion)?.slice(0, 60)}, and this version of unweave reads 1 and 2; ${collectAgain()}`,
    );
  }
  manifest.preset = currentPreset(manifest.preset) as Manifest['preset'];
  checkFields(manifest, {...FIELDS[manifest.formatVersion], ...collectedRules(manifest)}, file, collectAgain());
  const wrong = misfit(manifest);
  if (wrong) throw new InputError(`"${file}" is damaged: ${wrong}; ${collectAgain()}`);
  for (const name of filesOf(manifest)) {
    if (path.dirname(path.resolve(folder, name)) !== path.resolve(folder)) {
      throw new InputError(
        `the manifest of "${folder}" names a file outside its folder: "${name}"; such statistics are refused`,
      );
    }
  }
  return manifest;
}

/** What the states of further collectors must have. */
function collectedRules(manifest: Manifest): Record<string, FieldRule> {
  const collected = manifest.formatVersion === 2 ? manifest.collected : undefined;
  const rules = Object.keys(collected ?? {}).map((name) => [`collected.${name}`, record] as const);
  const ofGates = {[`collected.${GATES}.floor`]: share, [`collected.${GATES}.dropped`]: wholeFrom(0)};
  return {...Object.fromEntries(rules), ...(Object.hasOwn(collected ?? {}, GATES) && ofGates)};
}

function misfit(manifest: Manifest): string | undefined {
  const {classes, classNames, images, zeroInputs} = manifest;
  if (classNames.length !== classes) return `classNames has ${classNames.length} names, and classes is ${classes}`;
  if (images.done > images.total) return `images.done is ${images.done}, and images.total is ${images.total}`;
  if (zeroInputs.zeros > zeroInputs.total)
    return `zeroInputs.zeros is ${zeroInputs.zeros}, and zeroInputs.total is ${zeroInputs.total}`;
  const {skipped} = images;
  if (manifest.formatVersion === 1) {
    const listed = manifest.images.paths.length + skipped.length;
    return listed === images.done
      ? undefined
      : `images.paths and images.skipped have ${listed} entries, and images.done is ${images.done}`;
  }
  const {counted, shards} = manifest.images;
  if (counted + skipped.length !== images.done)
    return `images.counted and images.skipped are ${counted} and ${skipped.length}, and images.done is ${images.done}`;
  const inChunks = manifest.chunks.reduce((sum, chunk) => sum + chunk.images, 0);
  if (inChunks !== counted) return `its chunks hold ${inChunks} images, and images.counted is ${counted}`;
  if (
    shards &&
    !(shards.indices?.every((index) => index < shards.count) && new Set(shards.indices).size === shards.indices.length)
  )
    // prettier-ignore
    return `images.shards has the indices ${shards.indices?.join(', ')} of ${shards.count}`;
  return undefined;
}
