import {readFile, stat} from 'node:fs/promises';
import sharp from 'sharp';
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
const FORMATS = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);

/**
 * Decodes an image file to RGB, [height, width, 3], as Pillow's `Image.open(file).convert('RGB')` does: greyscale is repeated,
 * CMYK multiplied out, the high byte of 16 bits taken, alpha dropped, not blended.
 * @param path what messages call the image
 * @throws UnreadableImageError
 */
export async function decodeRgb(
  file: string,
  path: string,
  {exif = false, icc = false}: DecodeOptions = {},
): Promise<RgbImage> {
  try {
    const {size} = await stat(file);
    if (size > MAX_FILE_BYTES) throw new Error(`the file has ${size} bytes; the limit is ${MAX_FILE_BYTES}`);
    return await decodeBytes(await readFile(file), {exif, icc});
  } catch (error) {
    throw new UnreadableImageError(path, (error as Error).message.trim().split('\n')[0]);
  }
}

async function decodeBytes(bytes: Buffer, {exif, icc}: Required<DecodeOptions>): Promise<RgbImage> {
  const image = sharp(bytes, {ignoreIcc: !icc, autoOrient: exif, failOn: 'truncated', limitInputPixels: MAX_PIXELS});
  const {format} = await image.metadata();
  if (!FORMATS.has(format)) throw new Error(`${format} is no image format that is read here`);
  const {data, info} = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({resolveWithObject: true});
  if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
  return {data, width: info.width, height: info.height};
}
