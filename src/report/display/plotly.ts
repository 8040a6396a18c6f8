import type {Bundle} from './bundle';
import {html, type Html} from './html';
import {interactiveBundle, PLOTLY, type InteractiveOptions} from './interactive';

/** A Plotly figure: plain data. */
export interface PlotlyFigure {
  data: object[];
  layout?: object;
}

export function isPlotlyFigure(value: unknown): value is PlotlyFigure {
  return typeof value === 'object' && value !== null && Array.isArray((value as PlotlyFigure).data);
}

/**
 * A Plotly figure. Plotly cannot draw without a browser: give a still picture of the same content where there is one.
 * Where the front end has no Plotly of its own, the page gets it once a notebook, 2 MB.
 */
export function plotlyBundle(figure: PlotlyFigure, {still}: {still?: Html} = {}): Bundle {
  const options = plotlyView(figure, still);
  const bundle = interactiveBundle(options);
  return {data: {'application/vnd.plotly.v1+json': options.data, ...bundle.data}};
}

/** The figure as an interactive view, to be put into a page. */
export function plotlyView(figure: PlotlyFigure, still?: Html): InteractiveOptions {
  const text = `figure: ${plotlyTitle(figure) ?? 'without title'}`;
  return {
    script: DRAW_PLOTLY,
    data: {
      data: figure.data,
      // A white card of its own, as the other figures are.
      layout: {paper_bgcolor: '#ffffff', plot_bgcolor: '#ffffff', font: {color: '#1f2328'}, ...figure.layout},
      config: {displaylogo: false},
    },
    fallback: still ?? html`<p>${text} (interactive: trust the notebook or run the cell again)</p>`,
    text,
    libraries: [PLOTLY],
  };
}

const DRAW_PLOTLY = `async (root, {data, layout, config}, Plotly) => {
  await Plotly.newPlot(root, data, layout, config);
}`;

export function plotlyTitle({layout}: PlotlyFigure): string | undefined {
  const {title} = (layout ?? {}) as {title?: string | {text?: string}};
  // Its lines are divided by markup of Plotly's own.
  return (typeof title === 'object' ? title.text : title)?.replace(/<br>/g, ', ').replace(/<\/?su[bp]>/g, '');
}
