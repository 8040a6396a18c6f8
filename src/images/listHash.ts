import {createHash} from 'node:crypto';
import type {LabelledImages} from './types';

/**
 * SHA-256, hexadecimal, of the images' paths in their order, of how they are decoded and, where given, of their labels: equal
 * for the same list wherever its folder lies, whatever the files hold.
 */
export function imageListHash(images: LabelledImages, labels?: ArrayLike<number>): string {
  const hash = createHash('sha256');
  hash.update(`${images.paths.length} ${images.decoding ?? ''}\n`);
  // A path holds no NUL, so that no two lists are written alike.
  images.paths.forEach((path, i) => hash.update(labels ? `${path}\0${labels[i]}\0` : `${path}\0`));
  return hash.digest('hex');
}
