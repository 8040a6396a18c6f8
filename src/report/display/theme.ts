import type {TopLevelSpec} from 'vega-lite';

/** A Vega-Lite figure: plain data, shown by `show` and written by `saveFigure`. */
export type VegaLiteSpec = TopLevelSpec;

const INK = '#1f2328';
const QUIET = '#57606a';
const LINE = '#d0d7de';
/** Colours that the colour-blind tell apart (Okabe and Ito), without the yellow that white swallows. */
const CATEGORIES = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#6e7781'];
const FONT = '"DejaVu Sans", Verdana, "Segoe UI", Helvetica, Arial, sans-serif';

/**
 * Dark ink on a white card, said in full: a dark page's theme would otherwise colour the labels and leave the card, and
 * a transparent picture loses its labels on a dark page.
 */
const CONFIG = {
  background: '#ffffff',
  font: FONT,
  padding: 8,
  view: {stroke: LINE},
  title: {color: INK, subtitleColor: QUIET, fontSize: 13, subtitleFontSize: 11, anchor: 'start', subtitlePadding: 4},
  style: {'guide-label': {fill: INK}, 'guide-title': {fill: INK}},
  axis: {domainColor: QUIET, gridColor: '#eaeef2', tickColor: QUIET, labelColor: INK, titleColor: INK},
  legend: {labelColor: INK, titleColor: INK},
  header: {labelColor: INK, titleColor: INK},
  text: {color: INK},
  range: {category: CATEGORIES, heatmap: {scheme: 'viridis'}},
} as const;

/** The figure with the house's colours and fonts wherever it does not say its own. */
export function themed(spec: VegaLiteSpec): VegaLiteSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    ...spec,
    background: spec.background ?? CONFIG.background,
    config: merge(CONFIG, spec.config ?? {}),
  } as VegaLiteSpec;
}

function merge(base: object, over: object): object {
  const merged: Record<string, unknown> = {...base};
  for (const [key, value] of Object.entries(over)) {
    merged[key] = isRecord(merged[key]) && isRecord(value) ? merge(merged[key], value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
