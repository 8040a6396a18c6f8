import sharp from 'sharp';
import type {LabelledImages} from './types';

/**
 * One image for show: its centre, a square of `side` pixels, as a JPEG or (lossless, larger) a PNG or WebP file's bytes.
 * @throws UnreadableImageError where it cannot be decoded
 */
export async function thumbnail(
  images: LabelledImages,
  index: number,
  side: number,
  {format = 'jpeg'}: {format?: 'jpeg' | 'png' | 'webp'} = {},
): Promise<Buffer> {
  const data = await images.pixels(index, {height: side, width: side, shorterSide: side});
  const image = sharp(data, {raw: {width: side, height: side, channels: 3}});
  if (format === 'png') return image.png({compressionLevel: 9}).toBuffer();
  if (format === 'webp') return image.webp({lossless: true}).toBuffer();
  return image.jpeg({quality: 85, chromaSubsampling: '4:4:4'}).toBuffer();
}
