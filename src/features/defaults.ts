import {jitter, rotate, scale, type Transform} from './transforms';

export function defaultTransforms([height, width]: readonly [number, number]): Transform[] {
  const side = Math.min(height, width);
  return [jitter(Math.round(side / 16)), scale(0.9, 1.1), rotate(10), jitter(Math.round(side / 32))];
}
