import {option} from '../../common/options';
import {PRESETS} from '../../images/presets';
import type {Preset} from '../../images/types';
import {consumersOf, nodeOf, weightOf, type Graph} from '../../network/graph';

/** Move pixels, and leave their values. */
const MOVES_PIXELS = new Set(['Resize', 'Slice', 'Pad', 'Reshape', 'Permute']);
/** Pixels of 0..255 are divided by some 50 to 255; of 0..1 they are not divided. */
const LEAST_OF_UNIT_RANGE = 0.1;

/** What the user should know of a network whose first layer is its own preprocessing, where the range that it was made for is a guess. */
export function insideNotes(preset: Preset | undefined): string[] {
  if (!preset?.assumed) return [];
  return [
    `the network begins with its own Rescaling or Normalization, which is computed as a part of it; by its scale it takes pixels from 0 to 1. Where it was trained on other values, give ${option('preset')} (raw: 0 to 255)`,
  ];
}

/**
 * The preset of a network that begins with its own preprocessing (Keras' Rescaling and Normalization): pixels as they are, 0..255, or
 * 0..1 where its scale says that it was built for these; undefined for one that begins with a layer of its own.
 */
export function presetInside(graph: Graph): Preset | undefined {
  let [name] = graph.inputs;
  for (;;) {
    const readers = consumersOf(graph, name);
    if (readers.length !== 1) return undefined;
    const [reader] = readers;
    if (MOVES_PIXELS.has(reader.operator)) {
      name = reader.name;
      continue;
    }
    if (reader.operator !== 'Rescaling') return undefined;
    const scale = weightOf(nodeOf(graph, reader.name), 'scale')?.data ?? new Float32Array();
    const mean = scale.reduce((sum, value) => sum + Math.abs(value), 0) / scale.length;
    if (mean < LEAST_OF_UNIT_RANGE) return PRESETS.raw;
    return {...PRESETS.raw, name: '0..1', std: [1, 1, 1], assumed: true};
  }
}
