import {studyLayer, type StudiedLayer} from '../../src/planted/studiedLayer';
import type {ClassInputs} from '../../src/planted/classInputs';
import {TIERS} from '../../src/planted/tiers';
import type {Model} from '../../src/network/types';
import {colourImages} from './plantedNetwork';
import {slowPatches} from './ruleOracles';

/** A planted network's layer with its inputs, and those as lists. */

const discovery = colourImages(10);
const heldOut = colourImages(6, {seed: 2});

export async function study(model: Model): Promise<StudiedLayer> {
  return studyLayer(
    model,
    {discovery, heldOut},
    {
      layer: 'studied',
      tau: 0.1,
      p: 0.75,
      discoveryPerClass: 100,
      heldOutPerClass: 100,
      preset: discovery.preset!,
      batchSize: 7,
      progress: false,
    },
  );
}

export const tierOf = (name: string) => TIERS.find((tier) => tier.name === name)!;

/** The patch list of one class's inputs. */
export function patchesOf({layer}: StudiedLayer, {input, shape, count}: ClassInputs): number[][] {
  const [height, width] = shape;
  const size = shape.reduce((product, length) => product * length, 1);
  const images = Array.from({length: count}, (_, n) => input.subarray(n * size, (n + 1) * size));
  return slowPatches(layer, {images, height, width});
}

export const times = (rows: number[][], kernel: ArrayLike<number>) =>
  rows.map((row) => row.reduce((sum, value, at) => sum + value * kernel[at], 0));
