import sharp from 'sharp';
import {InputError} from '../../common/errors';
import type {Peak} from '../../evaluate';
import type {LabelledImages, PixelSize} from '../../images/types';
import type {Rectangle} from '../../network/receptiveField';

/** How pictures of what excites a channel are cut. */
export interface CropOptions {
  /**
   * Pictures are cut to what the channel sees where it fires most: `true`, to its receptive field; `'relevance'`, to the part of that from which
   * most of the excitation comes. Deep layers see the whole picture, so that only the second cuts anything. The whole picture is one click away.
   * @default false
   */
  crop?: boolean | 'relevance';
  /** Whether what does not excite the channel there is darkened. @default false */
  mask?: boolean;
}

/** A picture with what belongs to it, as JPEG files. */
export interface CroppedPicture {
  crop: Buffer;
  /** The whole picture, with a line around the crop. */
  whole: Buffer;
}

/** Share of the relevance that a crop by relevance holds along each axis. */
const KEPT = 0.8;
/** A crop by relevance is at least so much of the picture's side: less shows no shape. */
const LEAST = 0.25;
/** Relevance from which a pixel is as bright as it was, as a share of the highest (after smoothing). */
const BRIGHT = 0.4;
/** Brightness of what does not matter. */
const DIM = 0.25;
/** A picture is read with at most so many pixels for each of the network's input. */
const MOST_SCALE = 4;

/**
 * One picture cut to what a channel sees in it, and the whole of it.
 * @param side of the crop, in pixels
 * @throws UnreadableImageError where it cannot be read; InputError for a crop or mask by relevance without a map of it
 */
export async function croppedPicture(
  images: LabelledImages,
  index: number,
  peak: Peak,
  side: number,
  {crop = false, mask = false}: CropOptions,
): Promise<CroppedPicture> {
  if ((crop === 'relevance' || mask) && !peak.relevance) {
    throw new InputError(
      `${mask ? 'mask' : "crop: 'relevance'"} needs to know what excites the channel; give topImages(…, {relevance: true})`,
    );
  }
  const {height, width} = peak.picture;
  const seen = crop === false ? wholePicture(peak) : crop === true ? peak.field : relevantPart(peak);
  const part = squareWithin(seen, height, width);
  const scale = Math.min(MOST_SCALE, Math.max(1, Math.ceil(side / part.width)));
  const size = scaled(peak.picture, scale);
  const data = await images.pixels(index, size); // [scale·H, scale·W, 3]
  const shown = mask ? await darkened(data, size, peak) : data;
  const raw = {raw: {width: size.width, height: size.height, channels: 3 as const}};
  const place = {
    left: part.left * scale,
    top: part.top * scale,
    width: part.width * scale,
    height: part.height * scale,
  };
  const jpeg = {quality: 85, chromaSubsampling: '4:4:4'};
  const cut = sharp(shown, raw).extract(place).resize(side, side, {fit: 'fill', kernel: 'lanczos3'});
  const framed = sharp(data, raw).composite([{input: outline(size, place), top: 0, left: 0}]);
  const [cropBytes, whole] = await Promise.all([
    cut.jpeg(jpeg).toBuffer(),
    framed
      .png({compressionLevel: 0})
      .toBuffer()
      .then((png) =>
        sharp(png)
          .resize(Math.round(1.5 * side), Math.round(1.5 * side), {fit: 'inside'})
          .jpeg({quality: 75})
          .toBuffer(),
      ),
  ]);
  return {crop: cropBytes, whole};
}

const wholePicture = ({picture: {height, width}}: Peak): Rectangle => ({top: 0, left: 0, height, width});

/** The geometry of the picture that the network gets, with `scale` times its pixels. */
function scaled(size: PixelSize, scale: number): PixelSize {
  const {height, width, shorterSide} = size;
  if (scale === 1) return size;
  const shorter = shorterSide ?? Math.min(height, width);
  return {...size, height: scale * height, width: scale * width, shorterSide: scale * shorter};
}

/** The part of the receptive field that holds most of the relevance: along each axis as much is cut off at either end. */
function relevantPart({relevance, field, picture}: Peak): Rectangle {
  const {top, left, height, width} = field;
  const rows = new Float64Array(height);
  const columns = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = relevance!.get(top + y, left + x);
      rows[y] += value;
      columns[x] += value;
    }
  }
  const [firstRow, lastRow] = central(rows, KEPT);
  const [firstColumn, lastColumn] = central(columns, KEPT);
  const least = Math.ceil(LEAST * Math.min(picture.height, picture.width));
  return widened(
    {
      top: top + firstRow,
      left: left + firstColumn,
      height: lastRow - firstRow + 1,
      width: lastColumn - firstColumn + 1,
    },
    least,
  );
}

/** The first and the last index of what remains when (1 − share)/2 of the sum is cut off at either end; all of it where the sum is 0. */
export function central(values: Float64Array, share: number): [first: number, last: number] {
  const all = values.reduce((sum, value) => sum + value, 0);
  if (!(all > 0)) return [0, values.length - 1];
  const off = ((1 - share) / 2) * all;
  let [first, before] = [0, values[0]];
  while (before <= off && first < values.length - 1) before += values[++first];
  let [last, behind] = [values.length - 1, values[values.length - 1]];
  while (behind <= off && last > first) behind += values[--last];
  return [first, last];
}

function widened({top, left, height, width}: Rectangle, least: number): Rectangle {
  const [tall, wide] = [Math.max(height, least), Math.max(width, least)];
  return {
    top: top - Math.floor((tall - height) / 2),
    left: left - Math.floor((wide - width) / 2),
    height: tall,
    width: wide,
  };
}

/** The smallest square around a rectangle that lies inside the picture, as far as there is one. */
export function squareWithin({top, left, height, width}: Rectangle, tall: number, wide: number): Rectangle {
  const side = Math.min(Math.max(height, width), tall, wide);
  const place = (start: number, length: number, most: number) =>
    Math.max(0, Math.min(most - side, Math.round(start + (length - side) / 2)));
  return {top: place(top, height, tall), left: place(left, width, wide), height: side, width: side};
}

/** The picture with what does not excite the channel darkened, softly. @param data [height, width, 3] of `size` */
async function darkened(data: Uint8Array, {height, width}: PixelSize, {relevance, picture}: Peak): Promise<Uint8Array> {
  const values = relevance!.data;
  const highest = values.reduce((most, value) => Math.max(most, value), 0);
  const bytes = Uint8Array.from(values, (value) => (highest > 0 ? Math.round((255 * value) / highest) : 0));
  const sigma = Math.max(1, Math.min(picture.height, picture.width) / 12);
  const {data: smooth} = await sharp(bytes, {
    raw: {width: picture.width, height: picture.height, channels: 1},
  })
    .blur(sigma)
    .resize(width, height, {fit: 'fill', kernel: 'cubic'})
    .extractChannel(0)
    .raw()
    .toBuffer({resolveWithObject: true});
  const most = smooth.reduce((a, b) => Math.max(a, b), 1);
  return data.map((value, at) => {
    const share = Math.min(1, smooth[Math.floor(at / 3)] / (BRIGHT * most));
    return Math.round(value * (DIM + (1 - DIM) * share));
  });
}

/** A white line with a dark edge around a place. */
function outline({height, width}: PixelSize, {top, left, height: tall, width: wide}: Rectangle): Buffer {
  const line = Math.max(1, Math.round(Math.min(height, width) / 60));
  const box = (inset: number, colour: string) =>
    `<rect x="${left + inset}" y="${top + inset}" width="${Math.max(1, wide - 2 * inset)}" height="${Math.max(1, tall - 2 * inset)}" fill="none" stroke="${colour}" stroke-width="${line}"/>`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${box(1.5 * line, '#000000')}${box(line / 2, '#ffffff')}</svg>`,
  );
}
