import {jitter, rotate, scale, type Transform} from './transforms';

/**
 * Views as far apart as those of one thing in several photographs. They were chosen by how often two other networks recognise the images of half
 * of the demo's classes: narrower views leave patterns that only their own network knows. Whether the network of
 * `test/bench/featureTransfer.ts`, which measures it for all classes, was one of the two is not on record: its number may be optimistic.
 */
export function defaultTransforms([height, width]: readonly [number, number]): Transform[] {
  return [jitter(Math.round(Math.min(height, width) / 8)), scale(0.6, 1.4), rotate(30)];
}
