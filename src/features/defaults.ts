import {jitter, rotate, scale, type Transform} from './transforms';

/**
 * Views that differ about as much as photographs of one thing do. Tuned on half of the demo's classes, by how often two other networks
 * recognise the image: weaker views leave patterns that only their own network knows.
 */
export function defaultTransforms([height, width]: readonly [number, number]): Transform[] {
  return [jitter(Math.round(Math.min(height, width) / 8)), scale(0.7, 1.2), rotate(20)];
}
