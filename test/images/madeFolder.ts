import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after} from 'node:test';
import sharp from 'sharp';

const made: string[] = [];
after(() => Promise.all(made.map((folder) => rm(folder, {recursive: true}))));

/** A folder of files that lasts as long as the tests: a number becomes a 4 × 4 PNG of that grey level, a string or bytes the file itself. */
export async function madeFolder(files: Record<string, number | string | Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'unweave-images-'));
  made.push(folder);
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
