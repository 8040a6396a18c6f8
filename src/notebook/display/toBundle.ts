import {inspect} from 'node:util';
import type {Bundle} from './bundle';
import {chartBundle} from './chart';
import {html, isHtml, type Html} from './html';
import {isPlotlyFigure, plotlyBundle} from './plotly';
import type {VegaLiteSpec} from './theme';

/** The bundle of anything: a bundle, markup, a Vega-Lite or Plotly figure, otherwise text. */
export function toBundle(value: unknown): Bundle {
  if (isBundle(value)) return value;
  if (isHtml(value)) return htmlBundle(value);
  if (isVegaLite(value)) return chartBundle(value);
  if (isPlotlyFigure(value)) return plotlyBundle(value);
  return textBundle(typeof value === 'string' ? value : inspect(value, {depth: 3, maxArrayLength: 20}));
}

/** Markup as an output; `text` is shown where there is no HTML. */
export function htmlBundle(markup: Html, text = markup.html.replace(/<[^>]*>/g, ' ').trim()): Bundle {
  return {data: {'text/html': markup.html, 'text/plain': text}};
}

/** Text as an output, shown as it is. */
export function textBundle(text: string): Bundle {
  return {data: {'text/html': html`<pre style="white-space:pre-wrap">${text}</pre>`.html, 'text/plain': text}};
}

export function isBundle(value: unknown): value is Bundle {
  if (!isRecord(value) || !isRecord(value.data)) return false;
  const types = Object.keys(value.data);
  return types.length > 0 && types.every((type) => /^[a-z]+\/[\w.+-]+$/.test(type));
}

const COMPOSITIONS = ['mark', 'layer', 'concat', 'hconcat', 'vconcat', 'facet', 'repeat'];

export function isVegaLite(value: unknown): value is VegaLiteSpec {
  if (!isRecord(value)) return false;
  if (typeof value.$schema === 'string') return value.$schema.includes('vega-lite');
  return COMPOSITIONS.some((key) => key in value) && ('data' in value || 'datasets' in value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
