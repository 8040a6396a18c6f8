/**
 * Pillow's antialiased bilinear and bicubic resize, to the bit, of the part that a crop keeps: a filter whose width grows with
 * the reduction, columns then rows, each rounded to 8 bits. libvips, which decodes, cannot stand in for it: its linear kernel
 * shifts an enlarged image by half a pixel and averages blocks before it reduces by four or more.
 */

/** Pixels, [height, width, 3], 0..255. */
export interface RgbImage {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A rectangle of the resized image. */
export interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Bits after the point: 8 for the pixel and 2 for the sum of weights are left of 32 (`ImagingResample` in Pillow's Resample.c). */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

/** Taps are computed so many at a time: of that many there is one for reductions up to 1.5, which photographs usually need. */
const STEP = 4;

interface Weights {
  /** First source sample of each output sample. */
  first: Int32Array;
  /** Fixed-point weights, `taps` for each output sample; beyond those of the filter they are 0. */
  weight: Int32Array;
  /** A multiple of `STEP`. */
  taps: number;
}

export type Interpolation = 'bilinear' | 'bicubic';

/** Pillow's filters: a triangle; Catmull and Rom's cubic (a = −1/2). `reach`: where it becomes 0, in samples. */
const FILTERS: Readonly<Record<Interpolation, {reach: number; value(distance: number): number}>> = {
  bilinear: {reach: 1, value: (distance) => Math.max(1 - distance, 0)},
  bicubic: {
    reach: 2,
    value: (x) => {
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
};

/** A stretch of the output along one axis: samples `start` … `start + length − 1` of `from` samples resized to `to`. */
interface Stretch {
  from: number;
  to: number;
  start: number;
  length: number;
}

function filterWeights({from, to, start, length}: Stretch, interpolation: Interpolation): Weights {
  const {reach, value} = FILTERS[interpolation];
  const scale = from / to;
  const support = reach * Math.max(scale, 1);
  const steepness = 1 / Math.max(scale, 1); // Multiplied, not divided by: at simple ratios the last bit decides many ties.
  const centre = (i: number) => (start + i + 0.5) * scale;
  const low = Int32Array.from({length}, (_, i) => Math.max(Math.trunc(centre(i) - support + 0.5), 0));
  const count = low.map((at, i) => Math.min(Math.trunc(centre(i) + support + 0.5), from) - at);
  const taps = STEP * Math.ceil(count.reduce((most, one) => Math.max(most, one), 1) / STEP);
  // Where it can be, all taps are inside the source; those of weight 0 may be outside it.
  const first = low.map((at) => Math.max(0, Math.min(at, from - taps)));
  const weight = new Int32Array(length * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let tap = 0; tap < count[i]; tap++) {
      exact[tap] = value(Math.abs((tap + low[i] - centre(i) + 0.5) * steepness));
      sum += exact[tap];
    }
    const begin = i * taps + low[i] - first[i];
    for (let tap = 0; tap < count[i]; tap++) {
      // Away from 0, as Pillow rounds: a cubic has weights below it.
      weight[begin + tap] = Math.trunc((exact[tap] < 0 ? -0.5 : 0.5) + (exact[tap] / sum) * (1 << PRECISION));
    }
  }
  return {first, weight, taps};
}

/**
 * The rectangle `crop` of `image` resized to `width` × `height`.
 * @see Pillow, src/libImaging/Resample.c (reducing gap off)
 */
export function resizeAndCrop(
  image: RgbImage,
  {width, height}: {width: number; height: number},
  crop: Crop,
  interpolation: Interpolation = 'bilinear',
): Uint8Array {
  const columns = {from: image.width, to: width, start: crop.left, length: crop.width};
  if (image.height === height) return resizeColumns(image, crop.top, crop.top + crop.height, columns, interpolation);
  const rows = {from: image.height, to: height, start: crop.top, length: crop.height};
  const {first, weight, taps} = filterWeights(rows, interpolation);
  const firstRow = first[0];
  const lastRow = Math.min(first[crop.height - 1] + taps, image.height);
  const narrow = resizeColumns(image, firstRow, lastRow, columns, interpolation); // [lastRow − firstRow, crop.width, 3]
  const length = crop.width * 3;
  const out = new Uint8ClampedArray(crop.height * length); // a cubic overshoots
  const sums = new Int32Array(length).fill(HALF);
  for (let y = 0; y < crop.height; y++) {
    const end = (y + 1) * taps - STEP;
    let w = y * taps;
    let p = (first[y] - firstRow) * length;
    if (w < end) sums.fill(HALF);
    for (; w < end; w += STEP, p += STEP * length) {
      for (let x = 0; x < length; x++) sums[x] += products(weight, w, narrow, p + x, length);
    }
    const [wa, wb, wc, wd] = [weight[w], weight[w + 1], weight[w + 2], weight[w + 3]];
    const [pb, pc, pd] = [p + length, p + 2 * length, p + 3 * length];
    const to = y * length;
    for (let x = 0; x < length; x++) {
      out[to + x] =
        (sums[x] +
          Math.imul(wa, narrow[p + x]) +
          Math.imul(wb, narrow[pb + x]) +
          Math.imul(wc, narrow[pc + x]) +
          Math.imul(wd, narrow[pd + x])) >>
        PRECISION;
    }
  }
  return new Uint8Array(out.buffer); // [crop.height, crop.width, 3]
}

/** Rows `firstRow` … `lastRow − 1`, each resized and cropped: [lastRow − firstRow, length, 3]. */
function resizeColumns(
  {data, width}: RgbImage,
  firstRow: number,
  lastRow: number,
  stretch: Stretch,
  interpolation: Interpolation,
): Uint8Array {
  const {to: newWidth, start, length} = stretch;
  const out = new Uint8ClampedArray((lastRow - firstRow) * length * 3);
  if (width === newWidth) {
    for (let y = firstRow; y < lastRow; y++) {
      const at = (y * width + start) * 3;
      out.set(data.subarray(at, at + length * 3), (y - firstRow) * length * 3);
    }
    return new Uint8Array(out.buffer);
  }
  const {first, weight, taps} = filterWeights(stretch, interpolation);
  let to = 0;
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = 0; x < length; x++) {
      const end = (x + 1) * taps - STEP;
      let w = x * taps;
      let p = (y * width + first[x]) * 3;
      let r = HALF;
      let g = HALF;
      let b = HALF;
      for (; w < end; w += STEP, p += 3 * STEP) {
        r += products(weight, w, data, p, 3);
        g += products(weight, w, data, p + 1, 3);
        b += products(weight, w, data, p + 2, 3);
      }
      // The last taps, for most images all of them, are spelled out: twice as fast.
      const [wa, wb, wc, wd] = [weight[w], weight[w + 1], weight[w + 2], weight[w + 3]];
      out[to] =
        (r +
          Math.imul(wa, data[p]) +
          Math.imul(wb, data[p + 3]) +
          Math.imul(wc, data[p + 6]) +
          Math.imul(wd, data[p + 9])) >>
        PRECISION;
      out[to + 1] =
        (g +
          Math.imul(wa, data[p + 1]) +
          Math.imul(wb, data[p + 4]) +
          Math.imul(wc, data[p + 7]) +
          Math.imul(wd, data[p + 10])) >>
        PRECISION;
      out[to + 2] =
        (b +
          Math.imul(wa, data[p + 2]) +
          Math.imul(wb, data[p + 5]) +
          Math.imul(wc, data[p + 8]) +
          Math.imul(wd, data[p + 11])) >>
        PRECISION;
      to += 3;
    }
  }
  return new Uint8Array(out.buffer);
}

/** Σ weight · pixel over `STEP` taps, that are `stride` apart in the pixels. */
function products(weight: Int32Array, w: number, data: Uint8Array, p: number, stride: number): number {
  return (
    (Math.imul(weight[w], data[p]) +
      Math.imul(weight[w + 1], data[p + stride]) +
      Math.imul(weight[w + 2], data[p + 2 * stride]) +
      Math.imul(weight[w + 3], data[p + 3 * stride])) |
    0
  );
}
