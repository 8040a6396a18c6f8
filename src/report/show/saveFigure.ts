import {rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {inspect} from 'node:util';
import {refusePromise} from '../../common/argument';
import {InputError} from '../../common/errors';
import {
  figureFile,
  isPlotlyFigure,
  isVegaLite,
  renderSvgPng,
  standalonePage,
  svgOf,
  type Drawing,
  type Theme,
} from '../display';
import {svgPdf} from '../display/pdf';
import {drawFigure, drawView} from './drawView';
import type {ShowOptions} from './options';
import {viewHtml, viewText, type View} from './view';
import {isList, recognised, viewOf} from './viewOf';

const ENDINGS = ['.svg', '.png', '.pdf', '.html', '.json'];

export interface SaveOptions extends ShowOptions {
  /** Width of the picture on paper in millimetres, of `.png`, `.svg` and `.pdf`. @default that of the figure, at 96 pixels per inch */
  width?: number;
  /** Colours of `.png`, `.svg` and `.pdf`: dark ink on white, or for dark pages and slides. @default 'light' */
  theme?: Theme;
  /** Pixels per inch of `.png`. @default 192, two pixels for each of the figure's */
  resolution?: number;
}

/**
 * Writes a figure, or any result as `show` shows it: `.png`, `.svg` and `.pdf` (all its pieces on one page, pictures included), `.html`
 * (interactive, with everything it needs inside); a figure alone also as `.json` (its own data), the bytes of a PNG as that file.
 * @param options what `show` may look at beside a result, width and resolution
 * @returns the file's path
 * @throws InputError for a promise, for another ending, for what `show` does not know, a width or resolution that is not above 0, or a folder that is not there
 */
export function saveFigure(value: unknown, file: string, options: SaveOptions = {}): Promise<string> {
  // What a kernel prints where it is the last expression of a cell.
  return Object.defineProperty(written(value, file, options), inspect.custom, {
    value: () => `"${file}" is being written; write await saveFigure(…) to wait for it`,
  });
}

async function written(value: unknown, file: string, options: SaveOptions): Promise<string> {
  refusePromise('saveFigure', value);
  const ending = path.extname(file).toLowerCase();
  if (!ENDINGS.includes(ending)) {
    throw new InputError(`cannot write a figure as "${file}"; its name may end in .png, .svg, .pdf, .html or .json`);
  }
  const content = await contentOf(value, ending, options);
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InputError(`cannot write "${file}": there is no folder "${path.dirname(file)}"; make it first`);
  }
  await rename(unfinished, file);
  return file;
}

async function contentOf(value: unknown, ending: string, options: SaveOptions): Promise<string | Uint8Array> {
  const {width, resolution = 192, theme = 'light', ...beside} = options;
  if (theme !== 'light' && theme !== 'dark')
    throw new InputError(`invalid theme: ${inspect(theme)}; give 'light' or 'dark'`);
  for (const [name, number] of Object.entries({width, resolution})) {
    if (number !== undefined && !(number > 0 && number < Infinity)) {
      throw new InputError(
        `invalid ${name}: ${number}; it is a number above 0, ${name === 'width' ? 'of millimetres' : 'of pixels per inch'}`,
      );
    }
  }
  const figure = isVegaLite(value);
  if (isPlotlyFigure(value) && !figure) return figureFile(value, ending) as string | Buffer;
  if (figure && (ending === '.json' || ending === '.html')) return figureFile(value, ending) as string | Buffer;
  if (!figure && !recognised(value) && !isList(value)) {
    throw new InputError(
      `cannot save ${inspect(value, {depth: 0, maxStringLength: 40}).split('\n')[0]}; give a figure, or a result that show knows`,
    );
  }
  if (value instanceof Uint8Array && value[0] === 0x89 && ending === '.png' && width === undefined) return value;
  if (isDrawing(value) && ending !== '.html' && ending !== '.json')
    return pictureOf(value, ending, {width, resolution, theme});
  const view: View = figure ? [{figure: value}] : await viewOf(value, beside);
  if (ending === '.html') return page(view);
  if (ending === '.json') {
    throw new InputError(
      `cannot write "${viewText(view).split('\n')[0]}" as .json: only a figure has data of its own; write .png, .svg, .pdf or .html`,
    );
  }
  const [only] = view;
  const drawing = view.length === 1 && 'figure' in only ? drawFigure(only.figure) : drawView(view);
  return pictureOf(drawing, ending, {width, resolution, theme});
}

/** Pixels of a figure in an inch, as in a browser. */
const PIXELS = 96;
const MILLIMETRES = 25.4;

function pictureOf(
  drawing: Drawing,
  ending: string,
  {width, resolution, theme}: {width?: number; resolution: number; theme: Theme},
): Promise<Buffer> | Buffer | string {
  const inches = width === undefined ? Math.ceil(drawing.width) / PIXELS : width / MILLIMETRES;
  const svg = svgOf(drawing, theme);
  if (ending === '.png') return renderSvgPng(svg, (inches * resolution) / Math.ceil(drawing.width));
  const share = inches / Math.ceil(drawing.width);
  if (ending === '.pdf') return svgPdf(svg, [72 * inches, 72 * share * Math.ceil(drawing.height)]);
  if (width === undefined) return svg;
  const height = share * MILLIMETRES * Math.ceil(drawing.height);
  return svg.replace(/ width="[\d.]+" height="[\d.]+"/, ` width="${width}mm" height="${Number(height.toFixed(3))}mm"`);
}

function isDrawing(value: unknown): value is Drawing {
  return typeof value === 'object' && value !== null && (value as {kind?: unknown}).kind === 'drawing';
}

function page(view: View): string {
  let carried = false;
  const body = viewHtml(view, () => !carried && (carried = true));
  return standalonePage(viewText(view).split('\n')[0], body);
}
