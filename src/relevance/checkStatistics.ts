import {InputError} from '../common/errors';
import type {RelevanceStatistics} from '../numerics/statistics';

/**
 * Every index in its range, every number finite, every sum what its parts say: what was damaged or made by hand is refused where it is read.
 * @throws InputError that names the array, the place, the value and what it must be
 */
export function checkStatistics(stats: RelevanceStatistics, folder: string): void {
  const {layer, classes, counts, hits, shares, top, images} = stats;
  const outputs = layer.shape[3];
  const refuse = (what: string, at: number, value: number, wanted: string) => {
    throw new InputError(
      `the statistics in "${folder}" are damaged: ${what}[${at}] is ${value}, and it must be ${wanted}; collect them again`,
    );
  };
  const each = (
    what: string,
    values: ArrayLike<number>,
    ok: (value: number, at: number) => boolean,
    wanted: string,
  ) => {
    for (let at = 0; at < values.length; at++) if (!ok(values[at], at)) refuse(what, at, values[at], wanted);
  };
  each('kernel', stats.kernel, Number.isFinite, 'finite');
  each('input_sums', stats.inputSums, Number.isFinite, 'finite');
  each('labels', images.labels, (k) => k >= 0 && k < classes, `a class from 0 to ${classes - 1}`);
  const perClass = new Float64Array(classes);
  for (const k of images.labels) perClass[k] += 1;
  each('counts', counts, (count) => Number.isSafeInteger(count) && count >= 0, 'a whole number from 0');
  each('counts by class', perClass, (n, k) => n === counts[k] + counts[classes + k], 'the images of that class');
  each(
    'hits',
    hits,
    (n, k) => Number.isSafeInteger(n) && n >= 0 && n <= perClass[k],
    'at most the images of the class',
  );
  if (stats.confidence) {
    const bound = (sum: number, k: number) => sum >= 0 && sum <= perClass[k] * (1 + 1e-6);
    each('confidence', stats.confidence, bound, 'between 0 and the images of the class');
  }
  const {offsets, channels, values} = shares;
  each('share_offsets', offsets, (end, at) => (at === 0 ? end === 0 : end >= offsets[at - 1]), 'rising from 0');
  if (offsets[offsets.length - 1] !== channels.length)
    refuse(
      'share_offsets',
      offsets.length - 1,
      offsets[offsets.length - 1],
      `the number of shares, ${channels.length}`,
    );
  const within = (what: string, list: Int32Array | Float32Array, least: number, most: number, wanted: string) => {
    const at = firstOutside(list, least, most);
    if (at >= 0) refuse(what, at, list[at], wanted);
  };
  within('share_channels', channels, 0, outputs - 1, `a channel from 0 to ${outputs - 1}`);
  within('share_values', values, Math.fround(shares.floor), 1, `a share from ${shares.floor} to 1`);
  for (const kind of ['relevance', 'activation'] as const) {
    const {images: best, values: highest} = top[kind];
    const last = images.paths.length;
    each(`top_${kind}_images`, best, (image) => image >= -1 && image < last, `an image from 0 to ${last - 1}, or −1`);
    each(`top_${kind}_values`, highest, (value) => Number.isFinite(value) && value >= 0, 'finite and at least 0');
  }
}

/** Index of the first value that is not from `least` to `most`, or −1. By itself and plain: there are tens of millions of shares. */
function firstOutside(values: Int32Array | Float32Array, least: number, most: number): number {
  for (let at = 0; at < values.length; at++) if (!(values[at] >= least && values[at] <= most)) return at;
  return -1;
}
