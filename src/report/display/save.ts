import {InputError} from '../../common/errors';
import {DRAW_CHART, figureText, svgHtml} from './chart';
import {html, trusted, type Html} from './html';
import {interactiveHtml, VEGA} from './interactive';
import {isPlotlyFigure, plotlyTitle, plotlyView, type PlotlyFigure} from './plotly';
import {themed, type VegaLiteSpec} from './theme';
import {compileFigure, renderVegaPng, renderVegaSvg} from './vega';

/**
 * What a file of a figure holds, by its ending: `.svg` and `.png` (two pixels for each of the figure's), `.html` (interactive,
 * with everything it needs inside) or `.json` (the figure's own data); undefined for another ending.
 * @throws InputError for a picture of a Plotly figure
 */
export function figureFile(figure: VegaLiteSpec | PlotlyFigure, ending: string): string | Buffer | undefined {
  return isPlotlyFigure(figure) ? plotlyFile(figure, ending) : vegaFile(figure, ending);
}

/** Tells a page of unweave's from any other, so that it may be written again. */
export const PAGE_MARK = '<meta name="generator" content="unweave" />';

/** A page that needs nothing from the network. */
export function standalonePage(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        ${trusted(PAGE_MARK)}
        <title>${title}</title>
        <style>
          :root {
            color-scheme: light dark;
          }
          body {
            font-family: sans-serif;
            margin: 16px;
          }
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html> `.html;
}

function vegaFile(spec: VegaLiteSpec, ending: string): string | Buffer | undefined {
  if (ending === '.svg') return renderVegaSvg(spec);
  if (ending === '.png') return renderVegaPng(spec);
  if (ending === '.json') return `${JSON.stringify(themed(spec), null, 2)}\n`;
  if (ending !== '.html') return undefined;
  const text = figureText(spec);
  const view = {
    script: DRAW_CHART,
    data: compileFigure(spec),
    fallback: svgHtml(renderVegaSvg(spec), text),
    text,
    libraries: [VEGA],
  };
  return standalonePage(text, trusted(interactiveHtml(view).html));
}

function plotlyFile(figure: PlotlyFigure, ending: string): string | undefined {
  if (ending === '.json') return `${JSON.stringify(figure, null, 2)}\n`;
  if (ending === '.html') return standalonePage(plotlyTitle(figure) ?? 'figure', interactiveHtml(plotlyView(figure)));
  if (ending === '.svg' || ending === '.png' || ending === '.pdf') {
    throw new InputError(
      `a Plotly figure cannot be written as ${ending}, which needs a browser; write .html, and save a picture from there`,
    );
  }
  return undefined;
}
