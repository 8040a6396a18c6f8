import {createHash} from 'node:crypto';
import {stat} from 'node:fs/promises';
import {readRegularFile} from '../files/regularFile';
import type {LabelledImages} from '../images/types';
import {pathHash} from '../numerics/pathHash';

/** How a run notices that an image is not what it was: by its file's size and time, or by every byte of it. */
export type ImageCheck = 'files' | 'content';

/** Files that are looked at at a time. */
const AT_ONCE = 64;

/**
 * A number for each image that changes with its file, [N]; 0 where the image is no file of its own or cannot be read.
 * @param indices images of the list
 */
export async function stampsOf(
  images: LabelledImages,
  indices: readonly number[],
  check: ImageCheck,
): Promise<Int32Array> {
  const stamps = new Int32Array(indices.length);
  for (let first = 0; first < indices.length; first += AT_ONCE) {
    await Promise.all(
      indices.slice(first, first + AT_ONCE).map(async (index, at) => {
        stamps[first + at] = await stampOf(images.fileOf?.(index), check).catch(() => 0);
      }),
    );
  }
  return stamps;
}

async function stampOf(file: string | undefined, check: ImageCheck): Promise<number> {
  if (file === undefined) return 0;
  if (check === 'content')
    return createHash('sha256')
      .update(await readRegularFile(file, 2 ** 31))
      .digest()
      .readInt32LE();
  const {size, mtimeMs} = await stat(file);
  return pathHash(`${size} ${mtimeMs}`) | 0;
}
