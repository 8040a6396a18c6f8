import {mkdir, mkdtemp, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import sharp from 'sharp';

/** A temporary folder of files: a number becomes a 4 × 4 PNG of that grey level, a string or bytes the file itself. */
export async function madeFolder(files: Record<string, number | string | Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'unweave-images-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), {recursive: true});
    await writeFile(join(folder, path), typeof content === 'number' ? await greyPng(content) : content);
  }
  return folder;
}

async function greyPng(level: number): Promise<Buffer> {
  const background = {r: level, g: level, b: level};
  return sharp({create: {width: 4, height: 4, channels: 3, background}})
    .png()
    .toBuffer();
}
