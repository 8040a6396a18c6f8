import {InputError} from '../common/errors';
import {GATES, loadGates, saveGates} from '../numerics/gatedSums';
import {appended} from '../numerics/growing';
import {listed, type RelevanceStatistics, type TopImages} from '../numerics/statistics';
import {insertTop, withText} from './accumulate';
import {mergeGates} from './gates';
import {differences, shardText, subjectOf} from './subject';

/** Adds the states of a further collector, which the statistics hold by its name. */
export type MergeCollected = (
  name: string,
  into: NonNullable<RelevanceStatistics['collected']>[string],
  other: NonNullable<RelevanceStatistics['collected']>[string],
) => NonNullable<RelevanceStatistics['collected']>[string];

/**
 * The statistics of both: of shards of one run, or of two lists of images. The first one's images come first.
 * @throws InputError that names what differs, where they are of different models, layers, presets or attributions; for an image or a shard
 *   that is in both
 */
export function mergeStatistics(a: RelevanceStatistics, b: RelevanceStatistics): RelevanceStatistics {
  return mergeAll([a, b]);
}

/**
 * The statistics of all, in the order given.
 * @throws InputError as {@link mergeStatistics}
 */
export function mergeAll(
  parts: readonly RelevanceStatistics[],
  {names, mergeCollected}: {names?: readonly string[]; mergeCollected?: MergeCollected} = {},
): RelevanceStatistics {
  if (parts.length === 0) throw new InputError('no statistics to merge; give at least one');
  const nameOf = (at: number) => names?.[at] ?? `statistics ${at + 1}`;
  const merged = copyOf(parts[0]);
  const owners = new Map(merged.images.paths.map((path) => [path, 0]));
  parts.slice(1).forEach((part, before) => {
    const at = before + 1;
    const differ = differences(subjectOf(merged), subjectOf(part), {lists: false});
    if (differ.length > 0) {
      throw new InputError(
        `${nameOf(at)} and ${nameOf(0)} are of different runs, which cannot be merged: they differ in ${listed(differ, 6)}`,
      );
    }
    refuseTwice(merged, part, nameOf(at));
    for (const path of part.images.paths) {
      const owner = owners.get(path);
      if (owner !== undefined)
        throw new InputError(`image "${path}" is in both ${nameOf(owner)} and ${nameOf(at)}; it would count twice`);
    }
    for (const path of part.images.paths) owners.set(path, at);
    addStatistics(merged, part, mergeCollected ?? collectedOf(merged));
  });
  return merged;
}

/** Knows how to merge what this package collects by itself: the gated sums. */
function collectedOf({layer: {shape}, classes}: RelevanceStatistics): MergeCollected {
  return (name, into, other) => {
    if (name !== GATES) {
      throw new InputError(`the statistics hold "${name}", which this version of unweave does not know how to merge`);
    }
    const gates = loadGates(into, {shape, classes});
    mergeGates(gates, loadGates(other, {shape, classes}));
    return saveGates(gates, shape[2]);
  };
}

function refuseTwice({images: a}: RelevanceStatistics, {images: b}: RelevanceStatistics, name: string): void {
  if (a.listHash !== b.listHash || !a.shards || !b.shards) return;
  const {shards} = a;
  if (shards.count !== b.shards.count) {
    throw new InputError(
      `${name} is shard ${shardText(b.shards)}, and the others are of ${shards.count}; merge shards of one partition`,
    );
  }
  const twice = b.shards.indices.filter((index) => shards.indices.includes(index));
  if (twice.length > 0)
    throw new InputError(`shard ${twice.join(', ')} of ${shards.count} is there twice, the second time in ${name}`);
}

function copyOf(stats: RelevanceStatistics): RelevanceStatistics {
  const top = ({images, values}: TopImages) => ({images: images.slice(), values: values.slice()});
  return withText({
    ...stats,
    images: {...stats.images, paths: [...stats.images.paths], skipped: [...stats.images.skipped]},
    counts: stats.counts.slice(),
    inputSums: stats.inputSums.slice(),
    shares: {...stats.shares},
    top: {count: stats.top.count, relevance: top(stats.top.relevance), activation: top(stats.top.activation)},
    hits: stats.hits.slice(),
    ...(stats.confidence && {confidence: stats.confidence.slice()}),
  });
}

/** Adds `part` in place. */
function addStatistics(into: RelevanceStatistics, part: RelevanceStatistics, mergeCollected: MergeCollected): void {
  const {images: a, shares} = into;
  const {images: b} = part;
  const shift = a.paths.length;
  const entries = shares.channels.length;
  const sameRun = a.listHash === b.listHash;
  for (const path of b.paths) a.paths.push(path);
  into.images = {
    ...a,
    name: a.name === b.name ? a.name : `${a.name} + ${b.name}`,
    listHash: sameRun ? a.listHash : `${a.listHash}+${b.listHash}`,
    // Shards count their own images, a part of the same list that is no shard the whole list.
    total: sameRun && !a.shards ? a.total : a.total + b.total,
    done: a.done + b.done,
    labels: appended(a.labels, b.labels),
    skipped: [...a.skipped, ...b.skipped],
    ...(a.stamps && b.stamps && {stamps: appended(a.stamps, b.stamps)}),
    ...joinedShards(a, b),
  };
  if (!b.stamps || !a.stamps) {
    delete into.images.stamps;
    delete into.images.check;
  }
  addTo(into.counts, part.counts);
  addTo(into.inputSums, part.inputSums);
  addTo(into.hits, part.hits);
  if (into.confidence && part.confidence) addTo(into.confidence, part.confidence);
  else delete into.confidence;
  into.shares = {
    floor: shares.floor,
    offsets: appended(
      shares.offsets,
      part.shares.offsets.subarray(1).map((offset) => offset + entries),
    ),
    channels: appended(shares.channels, part.shares.channels),
    values: appended(shares.values, part.shares.values),
  };
  for (const kind of ['relevance', 'activation'] as const) {
    const {count} = into.top;
    part.top[kind].images.forEach((image, at) => {
      if (image >= 0)
        insertTop(into.top[kind], count, Math.floor(at / count), image + shift, part.top[kind].values[at]);
    });
  }
  into.zeroInputs = {
    zeros: into.zeroInputs.zeros + part.zeroInputs.zeros,
    total: into.zeroInputs.total + part.zeroInputs.total,
  };
  if (into.collected && part.collected) {
    const {collected} = part;
    into.collected = Object.fromEntries(
      Object.entries(into.collected).map(([name, state]) => [name, mergeCollected(name, state, collected[name])]),
    );
  }
}

function joinedShards(a: RelevanceStatistics['images'], b: RelevanceStatistics['images']) {
  if (!a.shards || !b.shards || a.listHash !== b.listHash) return {shards: undefined};
  const indices = [...a.shards.indices, ...b.shards.indices].sort((x, y) => x - y);
  return {shards: indices.length === a.shards.count ? undefined : {indices, count: a.shards.count}};
}

function addTo(sums: Float64Array, more: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += more[i];
}
