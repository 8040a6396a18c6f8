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

interface Weights {
  /** First source sample of each output sample. */
  first: Int32Array;
  /** Number of source samples of each output sample. */
  count: Int32Array;
  /** Fixed-point weights, `taps` for each output sample. */
  weight: Int32Array;
  taps: number;
}

/** Weights of output samples `start` … `start + length − 1` of `from` samples resized to `to`. */
function triangleWeights(from: number, to: number, start: number, length: number): Weights {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const steepness = 1 / support; // Multiplied, not divided by: at simple ratios the last bit decides many ties.
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weight = new Int32Array(length * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < length; i++) {
    const centre = (start + i + 0.5) * scale;
    const low = Math.max(Math.trunc(centre - support + 0.5), 0);
    const high = Math.min(Math.trunc(centre + support + 0.5), from);
    let sum = 0;
    for (let tap = 0; tap < high - low; tap++) {
      exact[tap] = Math.max(1 - Math.abs((tap + low - centre + 0.5) * steepness), 0);
      sum += exact[tap];
    }
    first[i] = low;
    count[i] = high - low;
    for (let tap = 0; tap < high - low; tap++) {
      weight[i * taps + tap] = Math.trunc(0.5 + (exact[tap] / sum) * (1 << PRECISION));
    }
  }
  return {first, count, weight, taps};
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
  const rows = triangleWeights(image.height, height, crop.top, crop.height);
  const firstRow = rows.first[0];
  const lastRow = rows.first[crop.height - 1] + rows.count[crop.height - 1];
  const narrow = resizeColumns(image, firstRow, lastRow, width, crop); // [lastRow − firstRow, crop.width, 3]
  const rowLength = crop.width * 3;
  const out = new Uint8Array(crop.height * rowLength);
  for (let y = 0; y < crop.height; y++) {
    const begin = y * rows.taps;
    const end = begin + rows.count[y];
    const above = (rows.first[y] - firstRow) * rowLength;
    for (let x = 0; x < rowLength; x++) {
      let sum = HALF;
      for (let tap = begin, at = above + x; tap < end; tap++, at += rowLength) {
        sum = (sum + Math.imul(rows.weight[tap], narrow[at])) | 0;
      }
      out[y * rowLength + x] = sum >> PRECISION;
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
  const {first, count, weight, taps} = triangleWeights(width, newWidth, crop.left, crop.width);
  let to = 0;
  for (let y = firstRow; y < lastRow; y++) {
    for (let x = 0; x < crop.width; x++) {
      let at = (y * width + first[x]) * 3;
      let r = HALF;
      let g = HALF;
      let b = HALF;
      for (let tap = x * taps; tap < x * taps + count[x]; tap++, at += 3) {
        const w = weight[tap];
        r = (r + Math.imul(w, data[at])) | 0;
        g = (g + Math.imul(w, data[at + 1])) | 0;
        b = (b + Math.imul(w, data[at + 2])) | 0;
      }
      out[to++] = r >> PRECISION;
      out[to++] = g >> PRECISION;
      out[to++] = b >> PRECISION;
    }
  }
  return out;
}
