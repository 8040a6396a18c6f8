import {InputError} from '../common/errors';
import type {RelevanceStatistics, SavedState} from './statistics';

/** What a channel reads at the positions where it fires, for the images of one class. Each of two halves of the images has its own. */
export interface GatedEntry {
  channel: number;
  class: number;
  /** Images in which the channel fires, by half. */
  images: [number, number];
  /** Σ over positions of how far it is beyond its threshold of firing, by half. */
  activity: [number, number];
  /** Σ over positions of the contributions Σ_taps W[tap, i, c]·X_i, each times that activity, [2, Cin]. */
  sums: Float64Array;
}

/** Sums over the positions where channels fire, weighted by how strongly: what `gatedVectors` follow from. Plain data, and mergeable. */
export interface GatedSums {
  /** Share of relevance from which an image counts for a channel's class; 0: every image, whatever its share. */
  floor: number;
  /** Key channel·K + class. */
  entries: Map<number, GatedEntry>;
  /** The same sums over all images below the floor, whatever their class, by channel; where the floor is 0 they are empty. */
  background: Map<number, Omit<GatedEntry, 'class'>>;
  /** Entries that the bound on memory left no room for. */
  dropped: number;
}

/** No sums yet. */
export const emptyGates = (): GatedSums => ({floor: 0, entries: new Map(), background: new Map(), dropped: 0});

/** The sums of a channel for a class, new ones where there are none; undefined where the sums have no room for them. */
export function gatedEntry(
  gates: GatedSums,
  channel: number,
  k: number,
  {classes, inputs, room = Infinity}: {classes: number; inputs: number; room?: number},
): GatedEntry | undefined {
  const key = channel * classes + k;
  const known = gates.entries.get(key);
  if (known || gates.entries.size >= room) return known;
  const entry: GatedEntry = {channel, class: k, images: [0, 0], activity: [0, 0], sums: new Float64Array(2 * inputs)};
  gates.entries.set(key, entry);
  return entry;
}

/** Name of the sums among what a pass collects. */
export const GATES = 'gates';

/** The sums as files hold them: rows of (channel, class or −1 for background), ascending, with their counts and sums. */
export function saveGates(gates: GatedSums, inputs: number): SavedState {
  const all = [
    ...[...gates.entries.values()].map((entry) => ({...entry})),
    ...[...gates.background.values()].map((entry) => ({...entry, class: -1})),
  ].sort((a, b) => a.channel - b.channel || a.class - b.class);
  const sums = new Float64Array(2 * inputs * all.length);
  all.forEach((entry, at) => sums.set(entry.sums, 2 * inputs * at));
  return {
    fields: {floor: gates.floor, dropped: gates.dropped},
    arrays: {
      rows: {shape: [all.length, 2], data: Int32Array.from(all.flatMap((entry) => [entry.channel, entry.class]))},
      counts: {
        shape: [all.length, 4],
        data: Float64Array.from(all.flatMap(({images, activity}) => [...images, ...activity])),
      },
      sums: {shape: [all.length, 2, inputs], data: sums},
    },
  };
}

/**
 * The sums that `saveGates` wrote.
 * @throws InputError where the arrays do not fit together, or name a channel or class that does not exist
 */
export function loadGates(
  {fields, arrays}: SavedState,
  {shape: [, , inputs, outputs], classes}: {shape: readonly number[]; classes: number},
): GatedSums {
  const damaged = (why: string) => new InputError(`the gated sums are damaged: ${why}; collect the statistics again`);
  const [rows, counts, sums] = ['rows', 'counts', 'sums'].map((name) => arrays[name]?.data);
  const {floor, dropped} = fields as {floor: number; dropped: number};
  const float64 = counts instanceof Float64Array && sums instanceof Float64Array;
  if (!(rows instanceof Int32Array && float64 && floor >= 0 && dropped >= 0)) throw damaged('a part is missing');
  const length = rows.length / 2;
  if (counts.length !== 4 * length || sums.length !== 2 * inputs * length)
    throw damaged('their arrays differ in length');
  const gates: GatedSums = {floor, entries: new Map(), background: new Map(), dropped};
  for (let row = 0; row < length; row++) {
    const [channel, k] = [rows[2 * row], rows[2 * row + 1]];
    if (!(channel >= 0 && channel < outputs && k >= -1 && k < classes))
      throw damaged(`row ${row} is of channel ${channel} and class ${k}`);
    const [a, b, c, d] = counts.subarray(4 * row, 4 * row + 4);
    const entry = {
      channel,
      images: [a, b] as [number, number],
      activity: [c, d] as [number, number],
      sums: sums.slice(2 * inputs * row, 2 * inputs * (row + 1)),
    };
    if (k < 0) gates.background.set(channel, entry);
    else gates.entries.set(channel * classes + k, {...entry, class: k});
  }
  return gates;
}

/** Read once for each state: statistics hold the sums as files do. */
const read = new WeakMap<SavedState, GatedSums>();

/** The gated sums of statistics; undefined of a pass that was asked not to gather them. */
export function gatesOf(stats: Pick<RelevanceStatistics, 'collected' | 'layer' | 'classes'>): GatedSums | undefined {
  const saved = stats.collected?.[GATES];
  if (!saved) return undefined;
  let gates = read.get(saved);
  if (!gates) {
    gates = loadGates(saved, {shape: stats.layer.shape, classes: stats.classes});
    read.set(saved, gates);
  }
  return gates;
}
