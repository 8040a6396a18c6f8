import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import {CLASSES, SIDE, smallImages} from './smallNetworks';

/** Writes `count` small pictures as PNG files, one folder per class. */
export async function writePictures(folder: string, count: number): Promise<void> {
  const images = smallImages(count);
  const labels = images.labelsFor(CLASSES);
  for (let index = 0; index < count; index++) {
    const file = path.join(folder, `class${labels[index]}`, `${String(index).padStart(3, '0')}.png`);
    await mkdir(path.dirname(file), {recursive: true});
    const pixels = await images.pixels(index, {height: SIDE, width: SIDE});
    await sharp(pixels, {raw: {width: SIDE, height: SIDE, channels: 3}})
      .png()
      .toFile(file);
  }
}
