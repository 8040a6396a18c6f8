import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {renderSvgPng, svgOf} from '../display';
import {drawView} from './drawView';
import {viewText, type View} from './view';

/** Where pictures lie that no notebook shows, unless the environment names another folder. */
const FOLDER = 'unweave-figures';
let pictures = 0;

/**
 * A view for a terminal: its text, and where it has figures or pictures one PNG of all of it, in `unweave-figures` beside what runs (the
 * environment's `UNWEAVE_FIGURES` names another folder, and `none` leaves the pictures out).
 * @returns what is printed, the picture's path last
 */
export function printedView(view: View): string {
  const text = viewText(view);
  const folder = process.env['UNWEAVE_FIGURES'] ?? FOLDER;
  if (folder === 'none' || !view.some(isPicture)) return `${text}\n`;
  try {
    mkdirSync(folder, {recursive: true});
    const file = path.join(folder, `${++pictures}-${nameOf(text)}.png`);
    writeFileSync(file, renderSvgPng(svgOf(drawView(view)), 2));
    return `${text}\npicture: ${path.resolve(file)}\n`;
  } catch (error) {
    return `${text}\n(its picture could not be written to ${folder}: ${(error as Error).message})\n`;
  }
}

function isPicture(block: View[number]): boolean {
  if ('figure' in block) return true;
  return 'bundle' in block ? 'image/png' in block.bundle.data : block.markup.html.includes('<img');
}

/** The first words of a text, as a file may be called. */
function nameOf(text: string): string {
  const words = text
    .replace(/^figure: /, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? ['figure'];
  return words.slice(0, 6).join('-').slice(0, 48);
}
