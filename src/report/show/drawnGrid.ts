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
const CAPTION = 14;

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
    const below = images.some(({caption}) => caption) ? CAPTION : 0;
    const height = Math.max(side + below, leadPicture?.side ?? 0, 16 * labels[n].length);
    const words = labels[n].map(({text, ...style}, line) => drawnText(text, 0, y + 14 + 16 * line, style));
    let x = left;
    const lead = leadPicture
      ? drawnImage(leadPicture.bytes, {x, y, width: leadPicture.side, height: leadPicture.side, pixelated: true})
      : '';
    if (leadPicture) x += leadPicture.side + 2 * GAP;
    const pictures = images.map(({bytes, frame, caption}) => {
      const edge = frame ? FRAME : 0;
      const inner = side - 2 * edge;
      const drawn =
        `<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="${frame ?? EMPTY}"/>` +
        (bytes ? drawnImage(bytes, {x: x + edge, y: y + edge, width: inner, height: inner}) : '') +
        (caption
          ? drawnText(fitted(caption, side, {size: 9}), x + side / 2, y + side + 11, {
              size: 9,
              fill: QUIET,
              anchor: 'middle',
            })
          : '');
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
