import {EMPTY, INK, QUIET} from '../../plots/palette';
import {brokenLines, drawnImage, drawnText, fitted, type Drawing} from '../display/drawing';
import {textWidth} from '../display/fonts';

/** A row of pictures with a label before it. */
export interface DrawnRow {
  label: string;
  note?: string;
  leadPicture?: {bytes: Uint8Array; side: number};
  images: readonly {bytes: Uint8Array | undefined; frame?: string; caption?: string}[];
}

const GAP = 4;
const FRAME = 3;
const MOST_LABEL = 200;
/** Height of a line below a picture. */
const CAPTION = 11;
const MOST_LINES = 2;

/** A caption below its picture: a long name goes on in a second line, and what does not fit there is cut. */
function captionLines(caption: string, side: number): string[] {
  if (!caption) return [];
  const lines = brokenLines(caption, side, {size: 9});
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES - 1), fitted(lines.slice(MOST_LINES - 1).join(' '), side, {size: 9})];
}

/** Rows of pictures as a drawing. @param side of a picture in pixels */
export function drawnGrid(title: string, rows: readonly DrawnRow[], side: number): Drawing {
  const labels = rows.map(({label, note}) => [
    ...brokenLines(label, MOST_LABEL, {size: 13, bold: true}).map((text) => ({text, size: 13, bold: true, fill: INK})),
    ...(note
      ? brokenLines(note, MOST_LABEL, {size: 11}).map((text) => ({text, size: 11, bold: false, fill: QUIET}))
      : []),
  ]);
  const left = 12 + Math.max(0, ...labels.flat().map(({text, size, bold}) => textWidth(text, {size, bold})));
  let y = title ? 22 : 0;
  let width = left;
  const body = rows.map(({images, leadPicture}, n) => {
    const captions = images.map(({caption = ''}) => captionLines(caption, side));
    const lines = Math.max(0, ...captions.map((own) => own.length));
    const below = lines > 0 ? 3 + CAPTION * lines : 0;
    const height = Math.max(side + below, leadPicture?.side ?? 0, 16 * labels[n].length);
    const words = labels[n].map(({text, ...style}, line) => drawnText(text, 0, y + 14 + 16 * line, style));
    let x = left;
    const lead = leadPicture
      ? drawnImage(leadPicture.bytes, {x, y, width: leadPicture.side, height: leadPicture.side, pixelated: true})
      : '';
    if (leadPicture) x += leadPicture.side + 2 * GAP;
    const pictures = images.map(({bytes, frame}, at) => {
      const edge = frame ? FRAME : 0;
      const inner = side - 2 * edge;
      const drawn =
        `<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="${frame ?? EMPTY}"/>` +
        (bytes ? drawnImage(bytes, {x: x + edge, y: y + edge, width: inner, height: inner}) : '') +
        captions[at]
          .map((line, n) =>
            drawnText(line, x + side / 2, y + side + CAPTION * (n + 1), {size: 9, fill: QUIET, anchor: 'middle'}),
          )
          .join('');
      x += side + GAP;
      return drawn;
    });
    width = Math.max(width, x - GAP);
    y += height + 2 * GAP;
    return [...words, lead, ...pictures].join('');
  });
  const head = title ? drawnText(title, 0, 14, {size: 13, bold: true, fill: INK}) : '';
  return {
    width: Math.max(width, title ? textWidth(title, {size: 13, bold: true}) : 0),
    height: y,
    body: head + body.join(''),
  };
}
