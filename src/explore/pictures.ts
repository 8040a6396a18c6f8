import sharp from 'sharp';
import {InputError} from '../common/errors';
import {mostRelevantImages} from '../numerics/mostRelevant';
import type {RelevanceStatistics} from '../numerics/statistics';
import type {LabelledImages} from '../images/types';
import {UnreadableImageError} from '../images/unreadable';
import type {ExploredChannel, Pictures} from './page/explored';

/** Side of a tile in pixels, and tiles a row. */
const TILE = 56;
const COLUMNS = 20;
const MOST_TILES = 400;
/** Tiles that one channel may add, so that the first ones leave some to the others. */
const MOST_NEW = 30;
const AT_A_TIME = 4;

export interface TiledPictures {
  pictures: Pictures;
  /** RGB of each tile, [TILE, TILE, 3]. */
  pixels: Uint8Array[];
}

/**
 * The images with the highest share of a channel among those of each class, as small tiles; an image is decoded once, however many
 * channels it is for.
 * @param channels in the order of the panel
 * @param order channels that get their tiles first
 * @throws InputError where none of the statistics' images is among the images
 */
export async function tilePictures(
  stats: RelevanceStatistics,
  images: LabelledImages,
  channels: readonly ExploredChannel[],
  {order, each}: {order: readonly number[]; each: number},
): Promise<TiledPictures | undefined> {
  const indexOf = new Map(images.paths.map((path, index) => [path, index]));
  if (stats.images.paths.length > 0 && !stats.images.paths.some((path) => indexOf.has(path))) {
    throw new InputError(
      `no image of the statistics, e.g. "${stats.images.paths[0]}", is in ${images.name}; give the images that relevance was collected on`,
    );
  }
  const best = mostRelevantImages(stats, channels, each).map((byClass) =>
    byClass.map((list) => list.map(({image}) => image)),
  );
  const wanted = chooseImages(best, channels, order).filter((image) => indexOf.has(stats.images.paths[image]));
  const pixels: Uint8Array[] = [];
  const tileOf = new Map<number, number>();
  for (let at = 0; at < wanted.length; at += AT_A_TIME) {
    const some = wanted.slice(at, at + AT_A_TIME);
    const decoded = await Promise.all(some.map((image) => tile(images, indexOf.get(stats.images.paths[image])!)));
    decoded.forEach((data, i) => {
      if (!data) return;
      tileOf.set(some[i], pixels.length);
      pixels.push(data);
    });
  }
  if (pixels.length === 0) return undefined;
  const tiles = best.map((byClass) =>
    byClass.map((list) => list.map((image) => tileOf.get(image)).filter((at) => at !== undefined)),
  );
  const paths = [...tileOf.keys()].map((image) => stats.images.paths[image]);
  return {pictures: {tile: TILE, columns: COLUMNS, paths, tiles}, pixels};
}

/** Tiles beside and below each other as one image. */
export async function tileSheet(
  pixels: readonly Uint8Array[],
  {columns = COLUMNS, format = 'webp'}: {columns?: number; format?: 'webp' | 'jpeg'} = {},
): Promise<Buffer> {
  const width = TILE * Math.min(columns, pixels.length);
  const height = TILE * Math.ceil(pixels.length / columns);
  const sheet = new Uint8Array(width * height * 3);
  pixels.forEach((data, at) => {
    const [left, top] = [TILE * (at % columns), TILE * Math.floor(at / columns)];
    for (let row = 0; row < TILE; row++) {
      sheet.set(data.subarray(row * TILE * 3, (row + 1) * TILE * 3), ((top + row) * width + left) * 3);
    }
  });
  const image = sharp(sheet, {raw: {width, height, channels: 3}});
  return format === 'webp' ? image.webp({quality: 82}).toBuffer() : image.jpeg({quality: 85}).toBuffer();
}

async function tile(images: LabelledImages, index: number): Promise<Uint8Array | undefined> {
  try {
    return await images.pixels(index, {height: TILE, width: TILE, shorterSide: TILE});
  } catch (error) {
    if (error instanceof UnreadableImageError) return undefined;
    throw error;
  }
}

/** Images to decode: the best of each class of a channel, then the second best; channel after channel. */
function chooseImages(best: number[][][], channels: readonly ExploredChannel[], order: readonly number[]): number[] {
  const rowOf = new Map(channels.map(({channel}, row) => [channel, row]));
  const first = order.map((channel) => rowOf.get(channel)!);
  const rows = [...new Set([...first, ...channels.keys()])];
  const chosen = new Set<number>();
  for (const row of rows) {
    const most = Math.min(MOST_TILES, chosen.size + MOST_NEW);
    const turns = Math.max(0, ...best[row].map((list) => list.length));
    for (let turn = 0; turn < turns; turn++) {
      for (const list of best[row]) if (turn < list.length && chosen.size < most) chosen.add(list[turn]);
    }
  }
  return [...chosen];
}
