import sharp, {type Sharp} from 'sharp';
import {standInKind} from '../files/foreignKind';
import {FileRefusal, readRegularFile} from '../files/regularFile';
import type {RgbImage} from './resize';
import {UnreadableImageError, type UnreadableKind} from './unreadable';

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

/** Where the bytes of an image are: a file, or a part of one, e.g. of a tar archive. */
export interface ImageSource {
  file: string;
  /** First byte and number of bytes. @default the whole file */
  position?: number;
  length?: number;
}

/** Waits until an image of so many pixels may be decoded. */
type Permission = (pixels: number) => Promise<void>;

/**
 * Decodes an image file to RGB, [height, width, 3], as Pillow's `Image.open(file).convert('RGB')` does: greyscale is repeated,
 * alpha dropped, not blended, of CMYK each ink multiplied by black, of an animation the first frame taken. Of 16 bits
 * the high byte is taken, also of 16-bit greyscale without alpha, which Pillow clips at 255 instead.
 * @param path what messages call the image
 * @param permission asked once the size is known, before pixels take memory
 * @throws UnreadableImageError also for a truncated file, for what is no regular file, and for one of more than `MAX_PIXELS` before its
 *   pixels take memory
 */
export async function decodeRgb(
  source: string | ImageSource,
  path: string,
  options: DecodeOptions = {},
  permission: Permission = async () => {},
): Promise<RgbImage> {
  try {
    const {file, position, length} = typeof source === 'string' ? {file: source} : source;
    const part = position === undefined || length === undefined ? undefined : {position, length};
    // Not sharp(file): libvips would serve a file from its cache after it has been replaced.
    const bytes = await readRegularFile(file, MAX_FILE_BYTES, part);
    if (bytes.length === 0) throw new Refusal('the file is empty');
    return await decodeBytes(bytes, options, permission);
  } catch (error) {
    const {reason, kind} = failureOf(error as NodeJS.ErrnoException);
    throw new UnreadableImageError(path, reason, kind);
  }
}

const CONVERT = 'convert it to PNG or JPEG';

/* eslint-disable no-control-regex */
/** First bytes of image formats that are not read. */
const UNREAD: readonly [RegExp, string][] = [
  [/^BM/, 'BMP'],
  [/^P[14]\s/, 'PBM'],
  [/^P[25]\s/, 'PGM'],
  [/^P[36]\s/, 'PPM'],
  [/^P7\s/, 'PAM'],
  [/^P[Ff]\s/, 'PFM'],
  [/^\0\0[\x01\x02]\0/, 'icon'],
  [/^8BPS/, 'Photoshop'],
  [/^\0\0\0\x0cjP|^\xffO\xffQ/, 'JPEG 2000'],
  [/^\xff\n|^\0\0\0\x0cJXL /, 'JPEG XL'],
  [/^v\/1\x01/, 'OpenEXR'],
  [/^#\?RADIANCE/, 'Radiance'],
  [/^SIMPLE {2}=/, 'FITS'],
  [/^.{128}DICM/s, 'DICOM'],
];
/* eslint-enable no-control-regex */

/** What a file is that no decoder knows, in words; undefined where its first bytes do not tell. */
function unreadFormat(bytes: Buffer): string | undefined {
  const standIn = standInKind(bytes);
  if (standIn !== undefined) return `it is ${standIn}`;
  const head = bytes.subarray(0, 132).toString('latin1');
  const found = UNREAD.find(([signature]) => signature.test(head));
  return found && `${found[1]} images are not read; ${CONVERT}`;
}

/** What this file refuses by itself, in its own words. */
class Refusal extends Error {}

async function decodeBytes(
  bytes: Buffer,
  {exif = false, icc = false}: DecodeOptions,
  permission: Permission,
): Promise<RgbImage> {
  // Pillow, too, refuses a truncated file and overlooks flipped bits.
  const source = {autoOrient: exif, ignoreIcc: !icc, failOn: 'truncated', limitInputPixels: MAX_PIXELS} as const;
  const {format, space, width, height, hasProfile, compression} = await sharp(bytes, {limitInputPixels: false})
    .metadata()
    .catch((error: Error) => {
      const kind = unreadFormat(bytes);
      throw kind === undefined ? error : new Refusal(kind);
    });
  if (!FORMATS.has(format)) throw new Refusal(`${format} images are not read; ${CONVERT}`);
  if (format === 'heif' && compression === 'hevc') throw new Refusal(`HEIC images are not read; ${CONVERT}`);
  if (width * height > MAX_PIXELS) {
    throw new Refusal(`it has ${width} × ${height} pixels (width × height), more than the limit of ${MAX_PIXELS}`);
  }
  // libvips does not come back from an 8-bit L*a*b* TIFF without alpha; Pillow converts none to RGB either.
  if (space === 'lab') throw new Refusal('L*a*b* images are not read; convert it to RGB');
  await permission(width * height);
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
  // In place, since an image of ink takes a third more than one of light: each pixel is written where it, or one before, was read.
  for (let pixel = 0; pixel < width * height; pixel++) {
    const paper = 255 - data[4 * pixel + 3];
    for (let c = 0; c < 3; c++) data[3 * pixel + c] = Math.round(((255 - data[4 * pixel + c]) * paper) / 255);
  }
  return {data: data.subarray(0, 3 * width * height), width, height};
}

/** One plain line, without the file's absolute path. */
function failureOf(error: NodeJS.ErrnoException): {reason: string; kind: UnreadableKind} {
  const {code, message} = error;
  if (code === 'ENOENT' || code === 'ENOTDIR') return {reason: 'there is no such file', kind: 'missing'};
  if (code === 'EACCES' || code === 'EPERM') return {reason: 'its permissions forbid reading it', kind: 'unreachable'};
  if (code !== undefined) {
    return {reason: `the file system fails: ${message.replace(/, \w+ '.*'$/, '').split('\n')[0]}`, kind: 'unreachable'};
  }
  if (error instanceof Refusal || error instanceof FileRefusal) return {reason: message, kind: 'undecodable'};
  if (/unsupported image format/.test(message))
    return {reason: 'it is no image in a known format', kind: 'undecodable'};
  // The decoders' words differ from one run to the next, down to "Unknown error".
  return {reason: 'it cannot be decoded; the file is damaged', kind: 'undecodable'};
}
