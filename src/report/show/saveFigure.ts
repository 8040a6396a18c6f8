import {rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {inspect} from 'node:util';
import {refusePromise} from '../../common/argument';
import {InputError} from '../../common/errors';
import {figureFile, isPlotlyFigure, isVegaLite, renderVegaPng, renderVegaSvg, standalonePage} from '../display';
import type {ShowOptions} from './options';
import {viewHtml, viewText, type View} from './view';
import {isList, recognised, viewOf} from './viewOf';

const ENDINGS = ['.svg', '.png', '.html', '.json'];

/**
 * Writes a figure, or any result as `show` shows it. A figure: `.svg` and `.png` (two pixels for each of the figure's), `.html`
 * (interactive, with everything it needs inside) or `.json` (the figure's own data). Another result: `.html`; a result with one
 * figure also as `.svg` and `.png` of it, the bytes of a PNG as that file.
 * @param options what `show` may look at beside a result
 * @returns the file's path
 * @throws InputError for a promise, for another ending, for what `show` does not know, or a folder that is not there
 */
export function saveFigure(value: unknown, file: string, options: ShowOptions = {}): Promise<string> {
  // What a kernel prints where it is the last expression of a cell.
  return Object.defineProperty(written(value, file, options), inspect.custom, {
    value: () => `"${file}" is being written; write await saveFigure(…) to wait for it`,
  });
}

async function written(value: unknown, file: string, options: ShowOptions): Promise<string> {
  refusePromise('saveFigure', value);
  const ending = path.extname(file).toLowerCase();
  if (!ENDINGS.includes(ending)) {
    throw new InputError(`cannot write a figure as "${file}"; its name may end in .svg, .png, .html or .json`);
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

async function contentOf(value: unknown, ending: string, options: ShowOptions): Promise<string | Uint8Array> {
  if (isVegaLite(value) || isPlotlyFigure(value)) return figureFile(value, ending) as string | Buffer;
  if (!recognised(value) && !isList(value)) {
    throw new InputError(
      `cannot save ${inspect(value, {depth: 0, maxStringLength: 40})}; give a figure, or a result that show knows`,
    );
  }
  if (value instanceof Uint8Array && value[0] === 0x89 && ending === '.png') return value;
  const view = await viewOf(value, options);
  if (ending === '.html') return page(view);
  const figures = view.flatMap((block) => ('figure' in block ? [block.figure] : []));
  if (ending === '.json' || figures.length !== 1) {
    const why = ending === '.json' ? 'only a figure has data of its own' : `it has ${figures.length} figures, not one`;
    throw new InputError(
      `cannot write "${viewText(view).split('\n')[0]}" as ${ending}: ${why}; write .html, or one of the plots`,
    );
  }
  return ending === '.svg' ? renderVegaSvg(figures[0]) : renderVegaPng(figures[0]);
}

function page(view: View): string {
  let carried = false;
  const body = viewHtml(view, () => !carried && (carried = true));
  return standalonePage(viewText(view).split('\n')[0], body);
}
