import {printableMarkup} from '../../common/printable';
import {createRequire} from 'node:module';
import type * as Vega from 'vega';
import type * as VegaLite from 'vega-lite';
import type * as Resvg from '@resvg/resvg-js';
import {FONT_FAMILY, fontFiles, needsSystemFonts, textWidth} from './fonts';
import {themed, type Theme, type VegaLiteSpec} from './theme';

const load = createRequire(__filename);

/** What Vega leaves out of its types. */
interface VegaDrawing {
  SVGStringRenderer: new () => {
    initialize(element: null, width: number, height: number, origin: number[]): void;
    background(color: string): void;
    render(scene: unknown): {svg(): string};
  };
  textMetrics: {width(item: {fontSize?: number; fontWeight?: string | number; limit?: number}, text: string): number};
}
interface SceneItem {
  marktype?: string;
  items?: SceneItem[];
  url?: string;
  image?: object;
}

/** The Vega program of a Vega-Lite figure, in the house's colours. */
export function compileFigure(spec: VegaLiteSpec, theme: Theme = 'light'): Vega.Spec {
  return (load('vega-lite') as typeof VegaLite).compile(themed(spec, theme), {logger: quiet()}).spec;
}

/** A figure as SVG text, drawn without a browser. Data must be inside the figure. */
export function renderVegaSvg(spec: VegaLiteSpec, theme: Theme = 'light'): string {
  const vega = load('vega') as typeof Vega & VegaDrawing;
  // Without a canvas Vega guesses widths far too large; with one it would measure a font that is not used here.
  vega.textMetrics.width = ({fontSize = 11, fontWeight, limit}, text) => {
    const width = textWidth(String(text), {size: fontSize, bold: fontWeight === 'bold' || Number(fontWeight) >= 600});
    return limit && limit > 0 ? Math.min(limit, width) : width;
  };
  const view = new vega.View(vega.parse(compileFigure(spec, theme)), {renderer: 'none', logger: quiet()}).run();
  const scene = (view.scenegraph() as unknown as {root: SceneItem}).root;
  settleImages(scene);
  const drawing = new vega.SVGStringRenderer();
  const {
    _viewWidth: width,
    _viewHeight: height,
    _origin: origin,
  } = view as unknown as Record<string, number> & {
    _origin: [number, number];
  };
  const {left, top, right, bottom} = view.padding() as {left: number; top: number; right: number; bottom: number};
  drawing.initialize(null, width + left + right, height + top + bottom, [origin[0] + left, origin[1] + top]);
  drawing.background(view.background());
  const svg = printableMarkup(drawing.render(scene).svg());
  view.finalize();
  return svg;
}

/** A figure as PNG, drawn without a browser; `scale` pixels for each of the figure's. */
export function renderVegaPng(spec: VegaLiteSpec, scale = 2): Buffer {
  return renderSvgPng(renderVegaSvg(spec), scale);
}

/** SVG text as PNG. Labels are drawn in the shipped font. */
export function renderSvgPng(svg: string, scale = 2): Buffer {
  const {Resvg: Renderer} = load('@resvg/resvg-js') as typeof Resvg;
  const family = {defaultFontFamily: FONT_FAMILY, sansSerifFamily: FONT_FAMILY};
  const font = {loadSystemFonts: needsSystemFonts(svg), fontFiles: fontFiles(), ...family};
  return new Renderer(printableMarkup(svg), {font, fitTo: {mode: 'zoom', value: scale}}).render().asPng();
}

/** Pictures inside a figure are data URIs: they need no loading, for which drawing would have to wait. */
function settleImages(item: SceneItem): void {
  if (item.url) item.image = {complete: true, src: item.url, url: item.url};
  item.items?.forEach(settleImages);
}

function quiet(): Vega.LoggerInterface {
  const vega = load('vega') as typeof Vega;
  return vega.logger(vega.None);
}
