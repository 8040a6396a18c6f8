import {readFile, stat} from 'node:fs/promises';
import sharp, {type Sharp} from 'sharp';
import type {RgbImage} from './resize';
import {UnreadableImageError} from './unreadable';

/** What decoding applies beyond what torchvision does; both change pixels, and with them logits. */
export interface DecodeOptions {
  /** Turn the image as its EXIF orientation says. @default false, as torchvision */
  exif?: boolean;
  /** Convert the embedded colour profile to sRGB. @default false, as torchvision */
  icc?: boolean;
}

/** The size at which Pillow warns of a decompression bomb: 256 MB of RGB. */
export const MAX_PIXELS = 89_478_485;
const MAX_FILE_BYTES = 2 ** 29;
/** Vector and document formats, which sharp would render, are none of them. */
const FORMATS = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);

/**
 * Decodes an image file to RGB, [height, width, 3], as Pillow's `Image.open(file).convert('RGB')` does: greyscale is repeated,
 * alpha dropped, not blended, of CMYK each ink multiplied by black, of an animation the first frame taken. Of 16 bits
 * the high byte is taken, also of 16-bit greyscale without alpha, which Pillow clips at 255 instead.
 * @param path what messages call the image
 * @throws UnreadableImageError also for a truncated file, and for one of more than `MAX_PIXELS` before its pixels take memory
 */
export async function decodeRgb(file: string, path: string, options: DecodeOptions = {}): Promise<RgbImage> {
  try {
    const {size} = await stat(file);
    if (size === 0) throw new Refusal('the file is empty');
    if (size > MAX_FILE_BYTES)
      throw new Refusal(`the file has ${size} bytes, more than the limit of ${MAX_FILE_BYTES}`);
    // Not sharp(file): libvips would serve a file from its cache after it has been replaced.
    return await decodeBytes(await readFile(file), options);
  } catch (error) {
    throw new UnreadableImageError(path, reasonOf(error as NodeJS.ErrnoException));
  }
}

/** What this file refuses by itself, in its own words. */
class Refusal extends Error {}

async function decodeBytes(bytes: Buffer, {exif = false, icc = false}: DecodeOptions): Promise<RgbImage> {
  // Pillow, too, refuses a truncated file and overlooks flipped bits.
  const source = {autoOrient: exif, ignoreIcc: !icc, failOn: 'truncated', limitInputPixels: MAX_PIXELS} as const;
  const {format, space, width, height, hasProfile} = await sharp(bytes, {limitInputPixels: false}).metadata();
  if (!FORMATS.has(format)) throw new Refusal(`${format} images are not read`);
  if (width * height > MAX_PIXELS) {
    throw new Refusal(`it has ${width} × ${height} pixels (width × height), more than the limit of ${MAX_PIXELS}`);
  }
  const image = sharp(bytes, source);
  if (space === 'cmyk' && !(icc && hasProfile)) {
    // Otherwise sharp converts inks by a press profile of its own.
    return cmykToRgb(await rawPixels(image.pipelineColourspace('cmyk').toColourspace('cmyk')));
  }
  // Without the output profile sharp leaves 16-bit images with a profile in Display P3.
  const pixels = await rawPixels(
    (icc && hasProfile ? image.withIccProfile('srgb') : image.toColourspace('srgb')).removeAlpha(),
  );
  if (pixels.channels !== 3) throw new Refusal(`it decodes to ${pixels.channels} channels instead of 3`);
  return pixels;
}

async function rawPixels(image: Sharp): Promise<RgbImage & {channels: number}> {
  const {data, info} = await image.raw().toBuffer({resolveWithObject: true});
  return {data, width: info.width, height: info.height, channels: info.channels};
}

/** Pillow's conversion: (255 − ink)(255 − black) / 255, rounded. `data` is [height, width, 4]. */
function cmykToRgb({data, width, height, channels}: RgbImage & {channels: number}): RgbImage {
  if (channels !== 4) throw new Refusal(`it decodes to ${channels} channels instead of 4`);
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const paper = 255 - data[4 * pixel + 3];
    for (let c = 0; c < 3; c++) rgb[3 * pixel + c] = Math.round(((255 - data[4 * pixel + c]) * paper) / 255);
  }
  return {data: rgb, width, height};
}

/** One plain line, without the file's absolute path. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const {code, message} = error;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'its permissions forbid reading it';
  if (code === 'EISDIR') return 'it is a folder';
  if (/unsupported image format/.test(message)) return 'it is no image in a known format';
  if (code !== undefined || error instanceof Refusal) return message.trim().split('\n')[0];
  // The decoders' words differ from one run to the next, down to "Unknown error".
  return 'it cannot be decoded; the file is damaged';
}
