import {isRecord} from '../../common/isRecord';
import {countText} from '../../common/numbers';
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
  return textBundle(describe(value));
}

/** Characters of a text about something unknown; more of them only make the notebook large. */
const LONGEST = 20_000;

/** Anything in words: as it says itself, or by its fields; long ones are cut. */
export function describe(value: unknown): string {
  const text = typeof value === 'string' ? value : (ownText(value) ?? fields(value));
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST)}\n… and ${countText(text.length - LONGEST)} more characters`;
}

/** What an object says of itself; undefined where it says nothing, or as much as it has elements. */
function ownText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    return undefined;
  try {
    const {toString} = value;
    if (typeof toString !== 'function' || toString === Object.prototype.toString) return undefined;
    // A tensor says its shape, its type and some of its values if it is asked in this way.
    return isTensor(value) ? (value as VerboseText).toString(true) : String(value);
  } catch {
    return undefined;
  }
}

function fields(value: unknown): string {
  try {
    return inspect(value, {depth: 3, maxArrayLength: 20});
  } catch (error) {
    return `an object that cannot be read (${error instanceof Error ? error.message : 'its fields throw'})`;
  }
}

interface VerboseText {
  toString(verbose?: boolean): string;
}

function isTensor(value: object): boolean {
  return 'dataSync' in value && 'shape' in value && 'dtype' in value;
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
  // Not `in`: other objects, tensors for one, have methods of these names.
  const has = (key: string) => Object.hasOwn(value, key);
  return COMPOSITIONS.some(has) && (has('data') || has('datasets'));
}
