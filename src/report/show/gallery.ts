import sharp from 'sharp';
import type {SplitTopImages} from '../../evaluate';
import type {LabelledImages} from '../../images/types';
import {escapeHtml, renderSvgPng} from '../display';
import {FONT_FAMILY, textWidth} from '../display/fonts';
import type {CropOptions} from './crops';
import {topImageRows} from './topImages';
import {readCrops, readThumbnails} from './thumbnails';

export interface GalleryRow {
  label: string;
  /** A few words below the label. */
  note?: string;
  images: readonly GalleryImage[];
}

export interface GalleryImage {
  /** A PNG or JPEG file's bytes; undefined leaves the place empty. */
  bytes: Uint8Array | undefined;
  /** Colour of its frame. @default none */
  frame?: string;
}

export interface GalleryOptions {
  /** Side of a picture in pixels. @default 72 */
  side?: number;
  /** A line above the rows. @default none */
  title?: string;
  /** Pixels of the file for each of these. @default 1 */
  scale?: number;
}

const GAP = 4;
const MARGIN = 12;
const FRAME = 3;
const LABEL_SIZE = 14;
const NOTE_SIZE = 11;

/** Rows of pictures with a label before each, as one PNG on white, in 256 colours. */
export function galleryImage(
  rows: readonly GalleryRow[],
  {side = 72, title, scale = 1}: GalleryOptions = {},
): Promise<Buffer> {
  const words = rows.flatMap(({label, note = ''}) => [
    textWidth(label, {size: LABEL_SIZE, bold: true}),
    textWidth(note, {size: NOTE_SIZE}),
  ]);
  const left = MARGIN + Math.ceil(Math.max(0, ...words)) + 12;
  const columns = rows.reduce((most, {images}) => Math.max(most, images.length), 1);
  const top = MARGIN + (title ? 26 : 0);
  const step = side + GAP;
  const titleWidth = title ? textWidth(title, {size: 15, bold: true}) + 2 * MARGIN : 0;
  const width = Math.ceil(Math.max(left + columns * step - GAP + MARGIN, titleWidth));
  const height = top + Math.max(rows.length, 1) * step - GAP + MARGIN;
  const body = rows.map(({label, note, images}, row) => {
    const y = top + row * step;
    const middle = y + side / 2;
    return [
      text(label, MARGIN, note ? middle - 2 : middle + 5, LABEL_SIZE, '#1f2328', true),
      note ? text(note, MARGIN, middle + 14, NOTE_SIZE, '#57606a') : '',
      ...images.map((image, column) => picture(image, left + column * step, y, side)),
    ].join('');
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}">` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>` +
    (title ? text(title, MARGIN, MARGIN + 14, 15, '#1f2328', true) : '') +
    `${body.join('')}</svg>`;
  // 256 colours: noisy photographs would otherwise take three times the bytes.
  return sharp(renderSvgPng(svg, scale)).png({palette: true, compressionLevel: 9, effort: 7}).toBuffer();
}

export interface TopGalleryOptions extends CropOptions {
  /** Images a row. @default 12 */
  count?: number;
  /** Images of these classes only, by index or name. @default all */
  classes?: readonly (number | string)[];
}

/**
 * The images that excite the original channel and each part most, as one PNG: each framed in its concept's colour, grey where it is of
 * none.
 */
export async function topImagesGallery(
  top: SplitTopImages,
  images: LabelledImages,
  {count = 12, side = 72, crop, mask, classes, ...options}: GalleryOptions & TopGalleryOptions = {},
): Promise<Buffer> {
  const rows = topImageRows(top, classes).map((row) => ({...row, images: row.images.slice(0, count)}));
  const all = rows.flatMap((row) => row.images);
  const cut = await readCrops(images, all, 2 * side, {crop, mask});
  const plain = all.filter((one) => !cut.has(one)).map(({index}) => index);
  const pictures = await readThumbnails(images, plain, 2 * side, 'png');
  const filled = rows.map((row) => ({
    ...row,
    images: row.images.map((one) => ({bytes: cut.get(one)?.crop ?? pictures.get(one.index), frame: one.frame})),
  }));
  return galleryImage(filled, {side, ...options});
}

function picture({bytes, frame}: GalleryImage, x: number, y: number, side: number): string {
  const edge = frame ? FRAME : 0;
  const ground = `<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="${escapeHtml(frame ?? '#eaeef2')}"/>`;
  if (!bytes) return ground;
  const type = bytes[0] === 0xff ? 'image/jpeg' : 'image/png';
  const uri = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  const inner = side - 2 * edge;
  return `${ground}<image x="${x + edge}" y="${y + edge}" width="${inner}" height="${inner}" xlink:href="${uri}"/>`;
}

function text(content: string, x: number, y: number, size: number, fill: string, bold = false): string {
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" font-family="${FONT_FAMILY}" font-size="${size}"${weight} fill="${fill}">${escapeHtml(content)}</text>`;
}
