/**
 * Pillow's antialiased bilinear resize, to the bit, of the part that a crop keeps: a triangle filter whose width grows with
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

/** Weights of output samples `start` … `start + length − 1` of `from` samples resized to `to`. */
function triangleWeights(from: number, to: number, start: number, length: number): Weights {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const steepness = 1 / support; // Multiplied, not divided by: at simple ratios the last bit decides many ties.
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
      exact[tap] = Math.max(1 - Math.abs((tap + low[i] - centre(i) + 0.5) * steepness), 0);
      sum += exact[tap];
    }
    const begin = i * taps + low[i] - first[i];
    for (let tap = 0; tap < count[i]; tap++) {
      weight[begin + tap] = Math.trunc(0.5 + (exact[tap] / sum) * (1 << PRECISION));
    }
  }
  return {first, weight, taps};
}

/**
 * The rectangle `crop` of `image` resized to `width` × `height`.
 * @see Pillow, src/libImaging/Resample.c (bilinear filter, reducing gap off)
 */
export function resizeAndCrop(
  image: RgbImage,
  {width, height}: {width: number; height: number},
  crop: Crop,
): Uint8Array {
  if (image.height === height) return resizeColumns(image, crop.top, crop.top + crop.height, width, crop);
  const {first, weight, taps} = triangleWeights(image.height, height, crop.top, crop.height);
  const firstRow = first[0];
  const lastRow = Math.min(first[crop.height - 1] + taps, image.height);
  const narrow = resizeColumns(image, firstRow, lastRow, width, crop); // [lastRow − firstRow, crop.width, 3]
  const length = crop.width * 3;
  const out = new Uint8Array(crop.height * length);
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
  return out; // [crop.height, crop.width, 3]
}

/** Rows `firstRow` … `lastRow − 1`, each resized to `newWidth` and cropped: [lastRow − firstRow, crop.width, 3]. */
function resizeColumns(image: RgbImage, firstRow: number, lastRow: number, newWidth: number, crop: Crop): Uint8Array {
  const {data, width} = image;
  const out = new Uint8Array((lastRow - firstRow) * crop.width * 3);
  if (width === newWidth) {
    for (let y = firstRow; y < lastRow; y++) {
      const at = (y * width + crop.left) * 3;
      out.set(data.subarray(at, at + crop.width * 3), (y - firstRow) * crop.width * 3);
    }
    return out;
  }
  const {first, weight, taps} = triangleWeights(width, newWidth, crop.left, crop.width);
  let to = 0;
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = 0; x < crop.width; x++) {
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
  return out;
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
