import sharp from 'sharp';
import {thumbnail} from '../../images';
import type {LabelledImages} from '../../images/types';
import {html, imageHtml, isolated, type Html} from '../display';
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
}

export interface ThumbnailRow {
  label: string;
  /** A few words below the label. */
  note?: string;
  /** A picture between the label and the images. */
  lead?: Html;
  images: readonly Thumbnail[];
}

/** Pixels of a thumbnail for each pixel on the page, for displays that have more. */
const DENSITY = 1.5;

/** Rows of small pictures with a label before each; their markup holds the pictures. */
export async function thumbnailGrid(
  title: string,
  rows: readonly ThumbnailRow[],
  images: LabelledImages,
  {count = ROW, side = SIDE}: Pick<ShowOptions, 'count' | 'side'> = {},
): Promise<Block> {
  const shown = rows.map((row) => ({...row, images: row.images.slice(0, count)}));
  const pictures = await readThumbnails(
    images,
    shown.flatMap((row) => row.images.map(({index}) => index)),
    Math.round(side * DENSITY),
  );
  const body = shown.map(({label, note, lead, images: own}) => {
    const cells = own.map(({index, hint, frame}) => framed(pictures.get(index), {hint, frame, side}));
    return html`<tr>
      <td style="padding:2px 10px 2px 0;text-align:left;vertical-align:middle;font-size:13px;max-width:180px">
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

function framed(picture: Buffer | undefined, {hint, frame, side}: {hint: string; frame?: string; side: number}): Html {
  const style = `display:inline-block;margin:0 3px 3px 0;line-height:0;vertical-align:top${frame ? `;border:3px solid ${frame}` : ''}`;
  const content = picture
    ? imageHtml(picture, {alt: hint, width: side, height: side, type: 'image/jpeg'})
    : html`<div
        style="${`width:${side}px;height:${side}px;background:rgb(140,149,159);line-height:1.2;font-size:10px`}"
      >
        unreadable
      </div>`;
  return html`<span style="${style}" title="${hint}">${content}</span>`;
}

/** A picture of pixels as PNG bytes, [height, width, 3]. */
export function pngOf({data, width, height}: {data: Uint8Array; width: number; height: number}): Promise<Buffer> {
  return sharp(data, {raw: {width, height, channels: 3}})
    .png({compressionLevel: 9})
    .toBuffer();
}
