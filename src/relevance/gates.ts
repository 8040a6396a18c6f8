import {InputError} from '../common/errors';
import type {LinearLayer} from '../network/linearLayer';
import {firing, type Firing} from '../network/firing';
import {gatedEntry, GATES, loadGates, saveGates, type GatedEntry, type GatedSums} from '../numerics/gatedSums';
import type {Collector} from '../pass/types';
import {measureGates} from './gateProducts';

/**
 * Sums over the positions where channels fire, each weighted by how strongly, gathered in the same pass as the relevance. Where all (channel, class) pairs fit into the
 * bound on memory, every image counts; where they do not, only the images in which a channel's share reaches a floor count for its
 * class, and all others together make the channel's background.
 */

/** Memory that the sums may take, in bytes. */
export const GATE_BYTES = 256e6;

/**
 * @param shareFloor the smallest share that counts for a class, where the pairs of all channels and classes do not fit
 * @param bytes bound on memory
 */
function emptyGates(
  layer: Pick<LinearLayer, 'shape'>,
  classes: number,
  shareFloor: number,
  bytes = GATE_BYTES,
): GatedSums {
  return {
    floor: entryBytes(layer) * layer.shape[3] * classes <= bytes ? 0 : Math.max(shareFloor, Number.MIN_VALUE),
    entries: new Map(),
    background: new Map(),
    dropped: 0,
  };
}

const entryBytes = ({shape}: Pick<LinearLayer, 'shape'>) => 16 * shape[2] + 200;

/** Σ over a group's positions, as they come from the engine. */
interface GateValues {
  /** Half, class (−1: background) and channel of each row, [3, E] */
  rows: Int32Array;
  /** Σ of how far the channel is beyond its threshold, and images in which it fires, [2, E] */
  counts: Float32Array;
  /** Contributions, [E, Cin] */
  sums: Float32Array;
}

/** Adds a batch's sums in place; a new pair that the bound on memory leaves no room for is counted as dropped. */
function addGates(
  gates: GatedSums,
  values: GateValues,
  layer: Pick<LinearLayer, 'shape'>,
  classes: number,
  bytes = GATE_BYTES,
): void {
  const inputs = layer.shape[2];
  const length = values.rows.length / 3;
  const room = Math.floor(bytes / entryBytes(layer));
  const {sums: added} = values;
  for (let row = 0; row < length; row++) {
    const activity = values.counts[row];
    if (activity === 0) continue;
    const half = values.rows[row];
    const k = values.rows[length + row];
    const channel = values.rows[2 * length + row];
    const entry = k < 0 ? backgroundOf(gates, channel, inputs) : gatedEntry(gates, channel, k, {classes, inputs, room});
    if (!entry) {
      gates.dropped += 1;
      continue;
    }
    entry.activity[half] += activity;
    entry.images[half] += values.counts[length + row];
    const {sums} = entry;
    const [into, from] = [half * inputs, row * inputs];
    for (let i = 0; i < inputs; i++) sums[into + i] += added[from + i];
  }
}

function backgroundOf(gates: GatedSums, channel: number, inputs: number) {
  const known = gates.background.get(channel);
  if (known) return known;
  const entry = {
    channel,
    images: [0, 0] as [number, number],
    activity: [0, 0] as [number, number],
    sums: new Float64Array(2 * inputs),
  };
  gates.background.set(channel, entry);
  return entry;
}

/**
 * Adds other sums of the same layer in place.
 * @throws InputError where they were gathered with another floor
 */
export function mergeGates(into: GatedSums, other: GatedSums): void {
  if (into.floor !== other.floor)
    throw new InputError(
      `gated sums with the floors ${into.floor} and ${other.floor} cannot be merged; collect both with the same`,
    );
  const add = <E extends Omit<GatedEntry, 'class'>>(own: Map<number, E>, more: Map<number, E>) => {
    for (const [key, entry] of more) {
      const known = own.get(key);
      if (!known) {
        own.set(key, {...entry, images: [...entry.images], activity: [...entry.activity], sums: entry.sums.slice()});
        continue;
      }
      for (const half of [0, 1]) {
        known.images[half] += entry.images[half];
        known.activity[half] += entry.activity[half];
      }
      entry.sums.forEach((value, at) => (known.sums[at] += value));
    }
  };
  add(into.entries, other.entries);
  add(into.background, other.background);
  into.dropped += other.dropped;
}

interface GateState {
  gates: GatedSums;
  firing: Firing;
  shape: LinearLayer['shape'];
  classes: number;
}

/**
 * Gathers the gated sums of a layer.
 * @param options.floor share from which an image counts for a channel's class where not every pair fits
 * @param options.bytes bound on memory
 */
export function gatesCollector({
  floor,
  bytes = GATE_BYTES,
}: {
  floor: number;
  bytes?: number;
}): Collector<GateState, 'rows' | 'counts' | 'sums'> {
  const stateOf = (gates: GatedSums, {model, layer}: Parameters<Collector['init']>[0]): GateState => ({
    gates,
    firing: firing(model.graph, layer.name),
    shape: layer.shape,
    classes: model.classes,
  });
  return {
    name: GATES,
    init: (about) => stateOf(emptyGates(about.layer, about.model.classes, floor, bytes), about),
    measure: (batch, state) => measureGates(batch, state.firing, state.gates.floor),
    add: ({gates, shape, classes}, _, values) =>
      addGates(gates, values as unknown as GateValues, {shape}, classes, bytes),
    merge: (into, other) => mergeGates(into.gates, other.gates),
    save: ({gates, shape}) => saveGates(gates, shape[2]),
    load: (saved, about) => stateOf(loadGates(saved, {shape: about.layer.shape, classes: about.model.classes}), about),
  };
}
