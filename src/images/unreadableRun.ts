import {access} from 'node:fs/promises';
import {InputError} from '../common/errors';
import {option} from '../common/options';
import type {ImageBatch, LabelledImages, SkippedImage} from './types';

/** Too many unreadable images in a row: what was computed before them counts, they do not. */
export class UnreadableRunError extends InputError {
  constructor(
    images: LabelledImages,
    readonly run: readonly SkippedImage[],
    readonly gone: boolean,
  ) {
    const [{path, reason}] = run;
    const first = `the first is ${path}: ${reason}`;
    super(
      gone
        ? `the images of ${images.name} are not there any more (${first}); make "${images.source}" available again, and run the same again to resume`
        : `${run.length} images of ${images.name} in a row cannot be read, ${first}; see whether their disk is there and run the same again to resume, or give a larger ${option('unreadableInARow')} to leave them out`,
    );
  }
}

/**
 * The longest run of unreadable images that touches a batch, and the one that the batch ends with.
 * @param before the run that the batch before ended with
 */
export function runsOf(
  {indices, skipped, next}: Pick<ImageBatch, 'indices' | 'skipped' | 'next'>,
  before: readonly SkippedImage[],
): {longest: SkippedImage[]; last: SkippedImage[]} {
  const readable = new Set(indices);
  let last = [...before];
  let longest = last;
  let at = 0;
  for (let index = next - indices.length - skipped.length; index < next; index++) {
    last = readable.has(index) ? [] : [...last, skipped[at++]];
    if (last.length > longest.length) longest = last;
  }
  return {longest, last};
}

/** Whether images are missing because the folder that they are in is. */
export async function sourceIsGone({source}: LabelledImages, run: readonly SkippedImage[]): Promise<boolean> {
  if (source === undefined || !run.some(({kind}) => kind === 'missing' || kind === 'unreachable')) return false;
  return access(source).then(
    () => false,
    () => true,
  );
}
