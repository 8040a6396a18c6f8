import type {Figure} from '../../plots';
import {
  figureText,
  html,
  htmlBundle,
  imageHtml,
  interactiveBundle,
  isolated,
  tableHtml,
  tableText,
  renderVegaPng,
  trusted,
  VEGA,
  type Bundle,
  type Cell,
  type Column,
  type Html,
  type InteractiveOptions,
  type TableOptions,
} from '../display';
import {DRAW_CHART} from '../display/chart';
import {interactiveHtml} from '../display/interactive';
import {drawnLines, type Drawing} from '../display/drawing';
import {drawnTable} from '../display/drawnTable';
import {compileFigure} from '../display/vega';

/** A piece of what is shown of a result: markup with the text that stands for it, a figure, or a finished output. */
export type Block =
  {markup: Html; text: string; draw?: () => Drawing} | {figure: Figure} | {bundle: Bundle; draw?: () => Drawing};

/** A result as a reader sees it, before it is known where: pieces from top to bottom. */
export type View = Block[];

/** Pixels of a still picture for each of the figure's. */
const DENSITY = 1.5;

/**
 * One output for every front end: HTML in which figures come alive where scripts run, in the page's theme, and stand still where they do not.
 */
export function viewBundle(view: View): Bundle {
  const [only] = view;
  if (view.length === 1 && 'bundle' in only) return only.bundle;
  let first = true;
  const live = (options: InteractiveOptions) => {
    // The first figure sees to it that the page has the library; the others find it there.
    const markup = first
      ? trusted(interactiveBundle(options).data['text/html'] as string)
      : interactiveHtml(options, []);
    first = false;
    return markup;
  };
  return htmlBundle(html`<div>${view.map((block) => pieceHtml(block, live))}</div>`, viewText(view));
}

/** The text that stands for a view where there is nothing but text. */
export function viewText(view: View): string {
  return view.map(blockText).join('\n\n');
}

/** The view inside a page that has more of them; `carry` says whether this one brings the library for its figures. */
export function viewHtml(view: View, carry: () => boolean): Html {
  const live = (options: InteractiveOptions) => interactiveHtml(options, carry() ? options.libraries : []);
  return html`${view.map((block) => pieceHtml(block, live))}`;
}

/** Figures stand side by side where there is room. */
function pieceHtml(block: Block, live: (options: InteractiveOptions) => Html): Html {
  const side = 'figure' in block ? 'display:inline-block;vertical-align:top;margin:0 16px 12px 0' : 'margin:0 0 12px';
  return html`<div style="${`${side};max-width:100%`}">${blockHtml(block, live)}</div>`;
}

function blockHtml(block: Block, live: (options: InteractiveOptions) => Html): Html {
  if ('markup' in block) return block.markup;
  if ('bundle' in block) return bundleHtml(block.bundle);
  const text = figureText(block.figure);
  return live({
    script: DRAW_CHART,
    data: compileFigure(block.figure),
    fallback: stillHtml(block.figure),
    text,
    libraries: [VEGA],
  });
}

/** A figure at rest, as pixels: not every front end that keeps pictures keeps SVG, and labels are drawn in the font they were laid out for. */
function stillHtml(figure: Figure): Html {
  const png = renderVegaPng(figure, DENSITY);
  return imageHtml(png, {alt: figureText(figure), width: Math.round(png.readUInt32BE(16) / DENSITY)});
}

function bundleHtml({data, metadata = {}}: Bundle): Html {
  if (typeof data['text/html'] === 'string') return trusted(data['text/html']);
  const png = data['image/png'];
  const text = String(data['text/plain'] ?? '');
  if (typeof png === 'string')
    return imageHtml(Buffer.from(png, 'base64'), {alt: text, ...(metadata['image/png'] as object | undefined)});
  return html`<pre style="white-space:pre-wrap">${text}</pre>`;
}

function blockText(block: Block): string {
  if ('markup' in block) return block.text;
  if ('figure' in block) return figureText(block.figure);
  return String(block.bundle.data['text/plain'] ?? '');
}

/** A heading with sentences below it, a line each. */
export function words(title: string, ...lines: readonly string[]): Block {
  const rows = lines.map((line) => html`<div>${isolated(line)}</div>`);
  return {
    markup: html`<div style="font-size:13px;max-width:640px">
      <div style="font-weight:600">${isolated(title)}</div>
      ${rows}
    </div>`,
    text: [title, ...lines].join('\n'),
    draw: () => drawnLines([title, ...lines].filter(Boolean), title !== ''),
  };
}

export function table(columns: readonly (string | Column)[], rows: readonly Cell[][], options?: TableOptions): Block {
  return {
    markup: tableHtml(columns, rows, options),
    text: tableText(columns, rows, options),
    draw: () => drawnTable(columns, rows, options),
  };
}

/** A block that opens at a click. */
export function folded(summary: string, block: Block): Block {
  if (!('markup' in block)) return block;
  return {
    markup: html`<details style="font-size:13px">
      <summary style="cursor:pointer">${isolated(summary)}</summary>
      ${block.markup}
    </details>`,
    text: block.text,
    draw: block.draw,
  };
}
