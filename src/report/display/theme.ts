import {isRecord} from '../../common/isRecord';
import type {TopLevelSpec} from 'vega-lite';
import {DARK, GRID, GROUND, INK, LINE, QUIET, SEQUENTIAL, SERIES} from '../../plots/palette';

/** A Vega-Lite figure: plain data, shown by `show` and written by `saveFigure`. */
export type VegaLiteSpec = TopLevelSpec;

const FONT = '"DejaVu Sans", Verdana, "Segoe UI", Helvetica, Arial, sans-serif';

/** The page that a figure is drawn for. */
export type Theme = 'light' | 'dark';

/**
 * Dark ink on a white card, said in full: a front end's own theme would otherwise colour the labels and leave the card, and
 * a transparent picture loses its labels on a dark page.
 */
const CONFIG = {
  background: GROUND,
  font: FONT,
  padding: 8,
  view: {stroke: LINE},
  title: {color: INK, subtitleColor: QUIET, fontSize: 13, subtitleFontSize: 11, anchor: 'start', subtitlePadding: 4},
  style: {'guide-label': {fill: INK}, 'guide-title': {fill: INK}},
  axis: {domainColor: QUIET, gridColor: GRID, tickColor: QUIET, labelColor: INK, titleColor: INK},
  legend: {labelColor: INK, titleColor: INK},
  header: {labelColor: INK, titleColor: INK},
  text: {color: INK},
  range: {category: [...SERIES], heatmap: {scheme: SEQUENTIAL}},
} as const;

/** The figure with the house's colours and fonts wherever it does not say its own. */
export function themed(spec: VegaLiteSpec, theme: Theme = 'light'): VegaLiteSpec {
  const full = {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    ...spec,
    background: spec.background ?? CONFIG.background,
    config: merge(CONFIG, spec.config ?? {}),
  } as VegaLiteSpec;
  return theme === 'dark' ? darkened(full) : full;
}

/** A figure, or its program, with each of the house's colours turned for a dark page. */
function darkened<T>(figure: T): T {
  const turned = (_: string, value: unknown) =>
    typeof value === 'string' && Object.hasOwn(DARK, value) ? DARK[value] : value;
  return JSON.parse(JSON.stringify(figure), turned) as T;
}

function merge(base: object, over: object): object {
  const merged: Record<string, unknown> = {...base};
  for (const [key, value] of Object.entries(over)) {
    merged[key] = isRecord(merged[key]) && isRecord(value) ? merge(merged[key], value) : value;
  }
  return merged;
}
