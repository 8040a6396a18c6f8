import sharp from 'sharp';
import {InputError} from '../../common/errors';
import type {Peak} from '../../evaluate';
import {thumbnail, UnreadableImageError} from '../../images';
import type {LabelledImages} from '../../images/types';
import {html, imageHtml, isolated, type Html} from '../display';
import {croppedPicture, type CroppedPicture, type CropOptions} from './crops';
import {drawnGrid} from './drawnGrid';
import {ROW, SIDE, type ShowOptions} from './options';
import type {Block} from './view';

/** One image in a grid. */
export interface Thumbnail {
  /** Its place among the images. */
  index: number;
  /** Shown over it: what it is. */
  hint: string;
  /** Colour of its frame. @default none */
  frame?: string;
  /** Where the channel fires in it: what it is cut to. */
  peak?: Peak;
  /** A few words below it. */
  caption?: string;
}

export interface ThumbnailRow {
  label: string;
  /** A few words below the label. */
  note?: string;
  /** A picture between the label and the images. */
  lead?: Html;
  /** The same for a drawing. */
  leadPicture?: {bytes: Buffer; side: number};
  images: readonly Thumbnail[];
}

/** Pixels of a thumbnail for each pixel on the page, for displays that have more. */
const DENSITY = 1.5;

/** Rows of small pictures with a label before each; their markup holds the pictures. */
export async function thumbnailGrid(
  title: string,
  rows: readonly ThumbnailRow[],
  images: LabelledImages,
  {count = ROW, side = SIDE, crop, mask}: Pick<ShowOptions, 'count' | 'side' | 'crop' | 'mask'> = {},
): Promise<Block> {
  const shown = rows.map((row) => ({...row, images: row.images.slice(0, count)}));
  const all = shown.flatMap((row) => row.images);
  const pixels = Math.round(side * DENSITY);
  const cut = await readCrops(images, all, pixels, {crop, mask});
  const plain = all.filter((thumbnail) => !cut.has(thumbnail)).map(({index}) => index);
  const pictures = await readThumbnails(images, plain, pixels);
  const body = shown.map(({label, note, lead, images: own}) => {
    const cells = own.map((thumbnail) => {
      const {crop: bytes = pictures.get(thumbnail.index), whole} = cut.get(thumbnail) ?? {};
      return framed(bytes, whole, thumbnail, side);
    });
    return html`<tr>
      <td
        style="padding:2px 10px 2px 0;text-align:left;vertical-align:middle;font-size:13px;min-width:100px;max-width:180px"
      >
        <div style="font-weight:600">${isolated(label)}</div>
        ${note ? html`<div style="font-size:11px">${isolated(note)}</div>` : ''}
      </td>
      ${lead ? html`<td style="padding:2px 8px 2px 0;text-align:left;vertical-align:middle">${lead}</td>` : ''}
      <td style="padding:2px 0;text-align:left;vertical-align:middle;white-space:nowrap">
        ${own.length > 0 ? cells : 'no image'}
      </td>
    </tr>`;
  });
  return {
    markup: html`<div style="overflow-x:auto">
      ${title ? html`<div style="font-weight:600;font-size:13px;margin:4px 0">${isolated(title)}</div>` : ''}
      <table style="border-collapse:collapse;margin:0">
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>`,
    text: [title, ...shown.map((row) => `${row.label}: ${row.images.map(({hint}) => hint).join(', ')}`)]
      .filter(Boolean)
      .join('\n'),
    draw: () =>
      drawnGrid(
        title,
        shown.map((row) => ({
          ...row,
          images: row.images.map((one) => ({...one, bytes: cut.get(one)?.crop ?? pictures.get(one.index)})),
        })),
        side,
      ),
  };
}

/** Each image once, small and square; undefined where it cannot be read. */
export async function readThumbnails(
  images: LabelledImages,
  indices: readonly number[],
  side: number,
  format: 'jpeg' | 'png' = 'jpeg',
): Promise<Map<number, Buffer | undefined>> {
  const pictures = new Map<number, Buffer | undefined>();
  const waiting = [...new Set(indices)];
  const read = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      pictures.set(index, await thumbnail(images, index, side, {format}).catch(() => undefined));
    }
  };
  await Promise.all([read(), read(), read(), read()]);
  return pictures;
}

/** Each thumbnail that knows where its channel fires, cut to that; none where nothing is to be cut. */
export async function readCrops<T extends Pick<Thumbnail, 'index' | 'peak'>>(
  images: LabelledImages,
  thumbnails: readonly T[],
  side: number,
  options: CropOptions,
): Promise<Map<T, CroppedPicture>> {
  const pictures = new Map<T, CroppedPicture>();
  if (!options.crop && !options.mask) return pictures;
  const waiting = [...thumbnails];
  const read = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const {index, peak} = next;
      const picture = peak && (await croppedPicture(images, index, peak, side, options).catch(unlessInput));
      if (picture) pictures.set(next, picture);
    }
  };
  await Promise.all([read(), read(), read(), read()]);
  return pictures;
}

/** An image that cannot be read is shown as such; what was asked for wrongly is an error. */
function unlessInput(error: unknown): undefined {
  if (error instanceof InputError && !(error instanceof UnreadableImageError)) throw error;
  return undefined;
}

/** A picture with its frame and what stands below it; a click opens the whole of it where it was cut. */
function framed(
  picture: Buffer | undefined,
  whole: Buffer | undefined,
  {hint, frame, caption}: Thumbnail,
  side: number,
): Html {
  const jpeg = (bytes: Uint8Array, size: number) =>
    imageHtml(bytes, {alt: hint, width: size, height: size, type: 'image/jpeg'});
  const content = picture
    ? jpeg(picture, side)
    : html`<div
        style="${`width:${side}px;height:${side}px;background:rgb(140,149,159);line-height:1.2;font-size:10px`}"
      >
        unreadable
      </div>`;
  const edged = html`<span style="${`display:inline-block;line-height:0${frame ? `;border:3px solid ${frame}` : ''}`}"
    >${content}</span
  >`;
  // Front ends that remove scripts keep this element.
  const opened = whole
    ? html`<details style="display:inline">
        <summary style="display:block;cursor:pointer;list-style:none;line-height:0">${edged}</summary>
        ${jpeg(whole, 2 * side)}
      </details>`
    : edged;
  const width = side + (frame ? 6 : 0);
  const below = caption
    ? html`<div
        style="${`width:${width}px;font-size:10px;line-height:1.2;text-align:center;white-space:normal;overflow-wrap:anywhere`}"
      >
        ${isolated(caption)}
      </div>`
    : '';
  return html`<span style="display:inline-block;margin:0 3px 3px 0;vertical-align:top" title="${hint}"
    >${opened}${below}</span
  >`;
}

/** A picture of pixels as PNG bytes, [height, width, 3]. */
export function pngOf({data, width, height}: {data: Uint8Array; width: number; height: number}): Promise<Buffer> {
  return sharp(data, {raw: {width, height, channels: 3}})
    .png({compressionLevel: 9})
    .toBuffer();
}
