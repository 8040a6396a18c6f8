import {pathHash} from '../numerics/pathHash';

/** A seed for one purpose: the same for the same words, so that a resumed run draws what the first would have. */
export function seedFor(...words: readonly (string | number)[]): number {
  return pathHash(words.join('/')) | 0;
}
