import {escapeHtml} from './html';
import {FONT_FAMILY, textWidth} from './fonts';
import {DARK, GROUND, INK} from '../../plots/palette';
import type {Theme} from './theme';

/** A picture as a piece of SVG: what stands inside an element of this size, in pixels. */
export interface Drawing {
  width: number;
  height: number;
  body: string;
}

/** A drawing as a file of its own, in the palette of light or of dark pages. */
export function svgOf({width, height, body}: Drawing, theme: Theme = 'light'): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">` +
    `<rect width="${w}" height="${h}" fill="${GROUND}"/>${body}</svg>`;
  return theme === 'light'
    ? svg
    : svg.replace(/"(#[0-9a-f]{6})"/g, (_, colour: string) => `"${DARK[colour] ?? colour}"`);
}

/** A drawing moved right and down. */
export function moved({body}: Pick<Drawing, 'body'>, x: number, y: number): string {
  return `<g transform="translate(${x} ${y})">${body}</g>`;
}

export interface TextStyle {
  /** Height of the letters' line in pixels. @default 13 */
  size?: number;
  bold?: boolean;
  fill: string;
  /** @default 'start' */
  anchor?: 'start' | 'middle' | 'end';
}

/** One line of text; `y` is its base line. */
export function drawnText(
  content: string,
  x: number,
  y: number,
  {size = 13, bold, fill, anchor = 'start'}: TextStyle,
): string {
  const weight = bold ? ' font-weight="bold"' : '';
  const place = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}" font-family="${FONT_FAMILY}" font-size="${size}"${weight}${place} fill="${fill}">${escapeHtml(content)}</text>`;
}

/** A line cut so that it is no wider than `width`. */
export function fitted(content: string, width: number, style: {size: number; bold?: boolean}): string {
  if (textWidth(content, style) <= width) return content;
  const letters = [...content];
  while (letters.length > 0 && textWidth(`${letters.join('')}…`, style) > width) letters.pop();
  return `${letters.join('').trimEnd()}…`;
}

/** Text in lines no wider than `width`, broken at spaces; a longer word is cut. */
export function brokenLines(content: string, width: number, style: {size: number; bold?: boolean}): string[] {
  const lines: string[] = [];
  for (const word of content.split(/[^\S\u00a0]+/)) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && textWidth(longer, style) <= width) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, width, style));
  }
  return lines;
}

/** Lines of text, broken where they are long; the first is bold where it is a heading. */
export function drawnLines(lines: readonly string[], heading: boolean): Drawing {
  const broken = lines.flatMap((line, n) => {
    const style = {size: 13, bold: heading && n === 0};
    return brokenLines(line, LONGEST, style).map((text) => ({text, ...style}));
  });
  const width = Math.max(0, ...broken.map(({text, ...style}) => textWidth(text, style)));
  const body = broken.map(({text, ...style}, n) => drawnText(text, 0, 14 + 18 * n, {...style, fill: INK})).join('');
  return {width, height: 18 * broken.length, body};
}

/** Pixels of a line of text at most. */
const LONGEST = 720;

export interface DrawnImage {
  x: number;
  y: number;
  width: number;
  height: number;
  /** Enlarges pixels as squares. @default false */
  pixelated?: boolean;
}

/** The bytes of a PNG or JPEG file in a drawing. */
export function drawnImage(bytes: Uint8Array, {x, y, width, height, pixelated}: DrawnImage): string {
  const type = bytes[0] === 0xff ? 'image/jpeg' : 'image/png';
  const uri = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  const style = pixelated ? ' style="image-rendering:pixelated"' : '';
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none"${style} xlink:href="${uri}"/>`;
}
