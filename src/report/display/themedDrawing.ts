import sharp from 'sharp';
import type {Bundle} from './bundle';
import {IS_DARK} from './chart';
import {svgOf, type Drawing} from './drawing';
import {imageHtml} from './image';
import {interactiveBundle} from './interactive';
import type {Theme} from './theme';
import {renderSvgPng} from './vega';

/** Pixels of the picture for each of the drawing's. */
const DENSITY = 2;

/** A drawing as an output: its picture in the page's theme; that for light pages where scripts do not run. */
export async function drawingBundle(drawing: Drawing & {text: string}): Promise<Bundle> {
  const [light, dark] = await Promise.all((['light', 'dark'] as const).map((theme) => jpegOf(drawing, theme)));
  const fallback = imageHtml(light, {
    alt: drawing.text,
    width: Math.ceil(drawing.width),
    type: 'image/jpeg',
    fits: true,
  });
  const data = `data:image/jpeg;base64,${dark.toString('base64')}`;
  return interactiveBundle({script: CHOOSE, data, fallback, text: drawing.text});
}

function jpegOf(drawing: Drawing, theme: Theme): Promise<Buffer> {
  const png = renderSvgPng(svgOf(drawing, theme), DENSITY);
  return sharp(png).jpeg({quality: 88, chromaSubsampling: '4:4:4'}).toBuffer();
}

/** The page's side: (root, the dark picture) → the picture that fits the page, now and when its theme changes. */
const CHOOSE = `(root, darkSource) => {
  ${IS_DARK}
  const light = root.previousElementSibling.querySelector("img").cloneNode();
  const dark = light.cloneNode();
  dark.src = darkSource;
  const choose = () => root.replaceChildren(isDark() ? dark : light);
  choose();
  const again = () => setTimeout(choose, 400);
  new MutationObserver(again).observe(document.body, {attributes: true, attributeFilter: ["class", "data-jp-theme-light"]});
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}`;
