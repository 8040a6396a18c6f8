import {drawnImage, drawnLines, moved, type Drawing} from '../display/drawing';
import {renderVegaSvg} from '../display';
import type {VegaLiteSpec} from '../display';
import {viewText, type Block, type View} from './view';

const GAP = 16;
const MARGIN = 12;
/** Figures stand side by side up to this width in pixels. */
const WIDE = 960;

/** A view as one drawing: its pieces from top to bottom, figures side by side where they fit. */
export function drawView(view: View): Drawing {
  let [x, y, width, line] = [0, 0, 0, 0];
  const body = view.map((block, n) => {
    const piece = drawBlock(block, n);
    const beside = 'figure' in block && x > 0 && x + piece.width <= WIDE;
    if (!beside) [x, y, line] = [0, y + line + (n > 0 ? GAP : 0), 0];
    const placed = moved(piece, MARGIN + x, MARGIN + y);
    width = Math.max(width, x + piece.width);
    line = Math.max(line, piece.height);
    x = 'figure' in block ? x + piece.width + GAP : 0;
    return placed;
  });
  return {width: width + 2 * MARGIN, height: y + line + 2 * MARGIN, body: body.join('')};
}

function drawBlock(block: Block, n: number): Drawing {
  if ('figure' in block) return drawFigure(block.figure, `p${n}-`);
  if (block.draw) return block.draw();
  if ('bundle' in block && typeof block.bundle.data['image/png'] === 'string') {
    const bytes = Buffer.from(block.bundle.data['image/png'], 'base64');
    const own = bytes.readUInt32BE(16);
    const {width = own} = (block.bundle.metadata?.['image/png'] ?? {}) as {width?: number};
    const height = (width * bytes.readUInt32BE(20)) / own;
    return {width, height, body: drawnImage(bytes, {x: 0, y: 0, width, height})};
  }
  return drawnLines(viewText([block]).split('\n'), false);
}

/** A figure as a piece of a larger picture; its names of clips and gradients get a `prefix`, so that two figures do not share them. */
export function drawFigure(figure: VegaLiteSpec, prefix = ''): Drawing {
  const svg = renderVegaSvg(figure);
  const [, opening, inner] = /^<svg([^>]*)>([\s\S]*)<\/svg>\s*$/.exec(svg) ?? ['', '', ''];
  const size = (name: string) => Number(new RegExp(` ${name}="([\\d.]+)"`).exec(opening)?.[1] ?? 0);
  const body = inner.replace(/(\bid="|url\(#|href="#)/g, `$1${prefix}`);
  return {width: size('width'), height: size('height'), body};
}
