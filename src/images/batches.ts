import {setImmediate as nextTurn} from 'node:timers/promises';
import {InputError, InterruptError} from '../common/errors';
import {option} from '../common/options';
import {pixelSize, resolvePreset} from './presets';
import type {ImageBatch, LabelledImages, Preset, PresetOption, SkippedImage} from './types';
import {UnreadableImageError} from './unreadable';
import {runsOf, sourceIsGone, UnreadableRunError} from './unreadableRun';

export interface ImageBatchOptions {
  /** The network's input: [H, W, C], with 3 channels, or 1 for luma. */
  inputShape: readonly [number, number, number];
  /** @default the images' own */
  preset?: PresetOption;
  batchSize: number;
  /** First image, and the image after the last. @default 0 and all */
  from?: number;
  to?: number;
  /** Images asked for at a time. @default the images' own, else 4 */
  concurrency?: number;
  /** Whether an unreadable image is left out and named in its batch, or ends the run. @default 'skip' */
  unreadable?: 'skip' | 'fail';
  /**
   * So many unreadable images in a row end the run: a folder has gone, or a disk, rather than an image. No batch of them is handed out
   * then, so that a later run begins with them. `Infinity` goes on whatever happens.
   * @default 1 in 100 of the list, at least 16
   */
  unreadableInARow?: number;
  /** Aborting it ends the run with an `InterruptError`. */
  signal?: AbortSignal;
}

/** Batches that are decoded, or being decoded, while the network computes on another. */
const AHEAD = 2;

/**
 * Decodes and preprocesses images in order, two batches ahead of the one that the network computes on. Memory holds those three batches
 * and the `concurrency` images that are being decoded.
 * @throws InputError where no image can be read, an image has the wrong size or no preset is known
 * @throws UnreadableImageError with `unreadable: 'fail'`
 * @throws UnreadableRunError after too many unreadable images in a row
 */
export async function* imageBatches(
  images: LabelledImages,
  options: ImageBatchOptions,
): AsyncGenerator<ImageBatch, void, undefined> {
  const {
    inputShape,
    batchSize,
    from = 0,
    to = images.paths.length,
    concurrency = images.concurrency ?? 4,
    unreadable = 'skip',
    signal,
  } = options;
  const {unreadableInARow = defaultRun(to)} = options;
  const preset = options.preset === undefined ? images.preset : resolvePreset(options.preset);
  if (!preset) throw new InputError(`no preset for ${images.name}; name one: torch-imagenet, tf, cifar or your own`);
  const fill = filler(images, preset, inputShape);
  for (const [name, value] of Object.entries({batchSize, concurrency})) {
    if (!Number.isInteger(value) || value < 1)
      throw new InputError(`invalid ${name}: ${value}; it is a whole number from 1`);
  }
  if (!(unreadableInARow >= 1)) {
    throw new InputError(
      `invalid ${option('unreadableInARow')}: ${unreadableInARow}; it is a number of images from 1, or Infinity`,
    );
  }

  const stop = {requested: false};
  const limit = limiter(concurrency, stop);
  const decode = async (start: number): Promise<ImageBatch> => {
    const next = Math.min(start + batchSize, to);
    const one = inputShape[0] * inputShape[1] * inputShape[2];
    const pixels = new Float32Array((next - start) * one);
    const failures = await Promise.all(
      Array.from({length: next - start}, (_, i) =>
        limit(async () => {
          try {
            await fill(start + i, pixels.subarray(i * one, (i + 1) * one));
          } catch (error) {
            if (unreadable === 'skip' && error instanceof UnreadableImageError) return error;
            throw error;
          }
        }),
      ),
    );
    return withoutFailures(start, pixels, one, failures, inputShape);
  };

  const pending: Promise<ImageBatch>[] = [];
  const unread: ImageBatch['skipped'] = [];
  // Batches that end with unreadable images wait until one can be read.
  const held: ImageBatch[] = [];
  let run: SkippedImage[] = [];
  let read = 0;
  let start = from;
  try {
    while (start < to || pending.length) {
      for (; start < to && pending.length <= AHEAD; start += batchSize) {
        const batch = decode(start);
        batch.catch(() => {}); // Reported when the batch is awaited, which may be never.
        pending.push(batch);
      }
      const batch = await pending.shift()!;
      // Images in memory are decoded without waiting for anything; an interrupt and a progress bar need a turn as well.
      await nextTurn();
      if (signal?.aborted)
        throw new InterruptError(
          `decoding ${images.name} was interrupted before image ${batch.indices[0] ?? batch.next} of ${to}`,
        );
      read += batch.indices.length;
      if (unread.length === 0) unread.push(...batch.skipped);
      const {longest, last} = runsOf(batch, run);
      if (longest[0] !== run[0]) yield* held.splice(0); // Another run than the one that they end with.
      run = last;
      const gone = await sourceIsGone(images, last);
      if (gone || longest.length >= unreadableInARow) throw new UnreadableRunError(images, gone ? last : longest, gone);
      if (batch.indices.length > 0) yield* held.splice(0);
      held.push(batch);
      if (last.length === 0) yield* held.splice(0);
    }
    yield* held;
  } finally {
    stop.requested = true;
  }
  if (read === 0 && from === 0 && unread.length) {
    throw new InputError(
      `none of the ${to} images of ${images.name} can be read; the first is ${unread[0].path}: ${unread[0].reason}`,
    );
  }
}

function defaultRun(images: number): number {
  return Math.max(16, Math.ceil(images / 100));
}

/** Writes the preprocessed pixels of one image to `out`, [H, W, C]. */
function filler(images: LabelledImages, preset: Preset, [height, width, channels]: readonly [number, number, number]) {
  if (channels !== 3 && channels !== 1) {
    throw new InputError(`the network takes images of ${channels} channels; images here have 3, or 1 as luma`);
  }
  const size = pixelSize(preset, height, width);
  // [C][256]
  const value = Array.from({length: channels}, (_, c) =>
    Float32Array.from({length: 256}, (_, level) => (level / 255 - preset.mean[c]) / preset.std[c]),
  );
  const [red, green, blue] = value;
  const writeLuma = (rgb: Uint8Array, out: Float32Array) => {
    for (let i = 0; i < out.length; i++) out[i] = red[luma(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2])];
  };
  // Not inside the asynchronous function, where the engine of JavaScript makes a slower loop of it.
  const writeColours = (rgb: Uint8Array, out: Float32Array) => {
    for (let i = 0; i < out.length; i += 3) {
      out[i] = red[rgb[i]];
      out[i + 1] = green[rgb[i + 1]];
      out[i + 2] = blue[rgb[i + 2]];
    }
  };
  return async (index: number, out: Float32Array): Promise<void> => {
    const rgb = await images.pixels(index, size); // [H, W, 3]
    if (rgb.length !== height * width * 3) {
      throw new InputError(
        `image ${images.paths[index]} of ${images.name} has ${rgb.length} values; ${height} × ${width} × 3 are needed`,
      );
    }
    if (channels === 1) writeLuma(rgb, out);
    else writeColours(rgb, out);
  };
}

/** ITU-R 601 luma in Pillow's fixed point (`L24` in Convert.c). */
function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

function withoutFailures(
  start: number,
  pixels: Float32Array,
  one: number,
  failures: (UnreadableImageError | undefined)[],
  inputShape: readonly [number, number, number],
): ImageBatch {
  const indices: number[] = [];
  failures.forEach((failure, i) => {
    if (failure) return;
    if (indices.length < i) pixels.copyWithin(indices.length * one, i * one, (i + 1) * one);
    indices.push(start + i);
  });
  return {
    indices,
    // An empty view would keep the whole batch in memory while it waits.
    pixels: indices.length > 0 ? pixels.subarray(0, indices.length * one) : new Float32Array(0),
    shape: [indices.length, ...inputShape],
    skipped: failures.flatMap((failure) =>
      failure ? [{path: failure.path, reason: failure.reason, kind: failure.kind}] : [],
    ),
    next: start + failures.length,
  };
}

/** Runs at most `count` tasks at a time, in the order given; after a stop, the ones that have not begun never do. */
function limiter(count: number, stop: {readonly requested: boolean}) {
  const waiting: (() => void)[] = [];
  let free = count;
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((begin) => waiting.push(begin)); // Woken by the task whose place it takes.
    try {
      if (stop.requested) throw new InterruptError('decoding was stopped');
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
