import type {LinearLayer} from '../../src/network/linearLayer';
import {slowPatches} from './ruleOracles';

/** One image as the layer sees it. */
export interface SlowImage {
  /** X, [H, W, Cin] */
  input: Float32Array;
  height: number;
  width: number;
  label: number;
  half: number;
  /** Share of relevance of each channel. */
  shares: ArrayLike<number>;
}

/** Σ activity and Σ activity × contributions of a channel and class where the channel fires, position by position, tap by tap. */
export function slowGate(
  layer: LinearLayer,
  images: readonly SlowImage[],
  about: {channel: number; half: number; counts: (image: SlowImage) => boolean; activity: (z: number) => number},
): {activity: number; images: number; sums: number[]} {
  const [, , inputs, outputs] = layer.shape;
  const result = {activity: 0, images: 0, sums: new Array<number>(inputs).fill(0)};
  for (const image of images) {
    if (image.half !== about.half || !about.counts(image)) continue;
    let any = false;
    for (const patch of slowPatches(layer, {images: [image.input], height: image.height, width: image.width})) {
      const parts = patch.map((x, at) => x * layer.kernel[at * outputs + about.channel]);
      const z = parts.reduce((sum, value) => sum + value, layer.bias?.[about.channel] ?? 0);
      const activity = about.activity(z);
      if (!(activity > 0)) continue;
      any = true;
      result.activity += activity;
      parts.forEach((value, at) => (result.sums[at % inputs] += activity * value));
    }
    if (any) result.images += 1;
  }
  return result;
}
