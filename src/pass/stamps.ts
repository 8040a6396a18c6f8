import {createHash} from 'node:crypto';
import {stat} from 'node:fs/promises';
import {readRegularFile} from '../files/regularFile';
import type {ImageSource} from '../images/decode';
import type {LabelledImages} from '../images/types';
import {pathHash} from '../numerics/pathHash';

/**
 * How a run notices that an image is not what it was: by the size and time of its file, which is the archive where it is in one, or by every byte
 * of it alone.
 */
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
        stamps[first + at] = await stampOf(images.sourceOf?.(index), check).catch(() => 0);
      }),
    );
  }
  return stamps;
}

async function stampOf(source: ImageSource | undefined, check: ImageCheck): Promise<number> {
  if (source === undefined) return 0;
  const {file, position, length} = source;
  if (check === 'content') {
    const part = position === undefined || length === undefined ? undefined : {position, length};
    const bytes = await readRegularFile(file, 2 ** 31, part);
    return createHash('sha256').update(bytes).digest().readInt32LE();
  }
  const {size, mtimeMs} = await stat(file);
  return pathHash(`${size} ${mtimeMs}`) | 0;
}
