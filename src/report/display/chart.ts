import {DARK} from '../../plots/palette';
import type {Bundle} from './bundle';
import {escapeHtml, trusted, type Html} from './html';
import {interactiveBundle, VEGA} from './interactive';
import {themed, type VegaLiteSpec} from './theme';
import {compileFigure, renderVegaPng, renderVegaSvg} from './vega';

const VEGA_LITE = 'application/vnd.vegalite.v5+json';

/**
 * A chart: Vega-Lite where the front end draws it, a picture with the same content elsewhere. There is no HTML in it,
 * which JupyterLab would prefer to Vega-Lite.
 */
export function chartBundle(spec: VegaLiteSpec): Bundle {
  const png = renderVegaPng(spec, 2);
  return {
    data: {[VEGA_LITE]: themed(spec), 'image/png': png.toString('base64'), 'text/plain': figureText(spec)},
    metadata: {
      // The picture has two pixels for each of the figure's; the menu without the entry that needs the network.
      'image/png': {width: pngWidth(png) / 2},
      [VEGA_LITE]: {embed_options: {actions: {export: true, source: true, compiled: false, editor: false}}},
    },
  };
}

/** A chart that stays interactive in exported HTML too, for which the page gets Vega (some 230 KB, once a notebook). */
export function interactiveChartBundle(spec: VegaLiteSpec): Bundle {
  return interactiveBundle({
    script: DRAW_CHART,
    data: compileFigure(spec),
    fallback: svgHtml(renderVegaSvg(spec), figureText(spec)),
    text: figureText(spec),
    libraries: [VEGA],
  });
}

/** Whether the page is dark: the ink of the text around `root` tells, whatever made the page. */
export const IS_DARK = `const isDark = () => {
    const [red, green, blue] = getComputedStyle(root).color.match(/[\\d.]+/g).map(Number);
    return 0.3 * red + 0.59 * green + 0.11 * blue > 140;
  };`;

/**
 * The page's side of an interactive chart: (root, Vega program, Vega) → drawn. It follows the page's theme, now and when that changes; the ink
 * of the text around it tells which it is, whatever made the page.
 */
export const DRAW_CHART = `async (root, program, vega) => {
  const table = ${JSON.stringify(DARK)};
  const turned = (_, value) => typeof value === "string" && Object.hasOwn(table, value) ? table[value] : value;
  ${IS_DARK}
  let view, dark;
  const draw = async () => {
    if (dark === isDark()) return;
    dark = isDark();
    const shown = dark ? {...JSON.parse(JSON.stringify(program), turned), background: "transparent"} : program;
    view?.finalize();
    root.replaceChildren();
    view = new vega.View(vega.parse(shown), {container: root, renderer: "canvas", hover: true});
    await view.runAsync();
  };
  await draw();
  const again = () => setTimeout(draw, 400);
  new MutationObserver(again).observe(document.body, {attributes: true, attributeFilter: ["class", "data-jp-theme-light"]});
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}`;

/** An SVG as a picture that front ends keep even where they remove SVG and scripts. */
export function svgHtml(svg: string, alt: string): Html {
  const uri = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  return trusted(`<img alt="${escapeHtml(alt)}" style="max-width:100%" src="${uri}">`);
}

/** A line that stands for a figure where no picture can be shown. */
export function figureText(spec: VegaLiteSpec): string {
  const {title} = spec as {title?: string | string[] | {text?: string | string[]}};
  const text = typeof title === 'object' && !Array.isArray(title) ? title.text : title;
  return `figure: ${Array.isArray(text) ? text.join(' ') : (text ?? 'without title')}`;
}

/** Width in the header of a PNG file: bytes 16 to 19. */
function pngWidth(png: Buffer): number {
  return png.readUInt32BE(16);
}
