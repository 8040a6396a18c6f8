import type {SplitTopImages} from '../../evaluate';
import type {SplitVisualization} from '../../features';
import type {LabelledImages} from '../../images/types';
import {InputError} from '../../common/errors';
import {readable} from '../../common/readable';
import {conceptLabels} from '../../plots/labels';
import {conceptColours, EMPTY, INK, NO_CONCEPT, QUIET} from '../../plots/palette';
import {brokenLines, drawnImage, drawnText, moved, type Drawing} from '../display/drawing';
import {textWidth} from '../display/fonts';
import type {CropOptions} from './crops';
import {topImageRows} from './topImages';
import {pngOf, readCrops, readThumbnails} from './thumbnails';

/** A drawing that `show` shows and `saveFigure` writes. */
export interface Teaser extends Drawing {
  readonly kind: 'drawing';
  /** What it shows, for readers who do not see it. */
  readonly text: string;
  toString(): string;
}

export interface TeaserOptions extends CropOptions {
  /** Side of a visualisation in pixels. @default 176 */
  side?: number;
}

const AROUND = 6;
/** Panels beside one another: the original and two parts, as in the paper. */
const A_ROW = 3;
const FRAME = 4;
const GAP = 8;
const TITLE = {size: 14, bold: true};
const DENSITY = 3;

/**
 * The paper's teaser (Hesse et al. 2025, figure 1): what the original channel and each part look for, each ringed by the six images that excite it
 * most, cut to what it sees there and framed in the colour of its concept, grey where it is of none.
 * @param features of `visualizeSplit`
 * @param top `topImages` of the same split on `images`; for the usual crops with `{relevance: true}`
 * @param options.crop as in `show`. @default 'relevance' where `top` has maps of it, else true
 * @throws InputError for top images of another channel, or a crop that needs maps that `top` has not
 */
export async function teaser(
  features: SplitVisualization,
  top: SplitTopImages,
  images: LabelledImages,
  {side = 176, crop, mask = false}: TeaserOptions = {},
): Promise<Teaser> {
  checkSameSplit(features, top);
  const small = Math.round(side * 0.42);
  const known = top.lists.every((list) => list.images.every(({peak}) => !peak || peak.relevance));
  const cropping = {crop: crop ?? (known ? ('relevance' as const) : true), mask};
  const rows = topImageRows(top).map((row) => row.images.slice(0, AROUND));
  const around = rows.flat();
  const cut = await readCrops(images, around, small * DENSITY, cropping);
  const plain = around.filter((thumbnail) => !cut.has(thumbnail)).map(({index}) => index);
  const whole = await readThumbnails(images, plain, small * DENSITY);
  const labels = conceptLabels(top.concepts);
  const names = [`channel ${top.channel} of ${top.layer}`, ...labels.map((label, j) => `d${j + 1}: ${label}`)];
  const shown = [features.original, ...features.parts];
  const panels = await Promise.all(
    rows.slice(0, shown.length).map(async (row, n) => {
      const picture = shown[n].image;
      const centre = {bytes: await pngOf(picture), pixelated: picture.width * 1.5 < side};
      const ring = row.map((one) => ({frame: one.frame, bytes: cut.get(one)?.crop ?? whole.get(one.index)}));
      return panel(names[n], centre, ring, side, small);
    }),
  );
  const [across, down] = [panels[0].width + 24, panels[0].height + 12];
  const columns = Math.min(panels.length, A_ROW);
  const height = Math.ceil(panels.length / columns) * down;
  const width = columns * across - 24 + 2 * GAP;
  const key = legend(labels, conceptColours(top.concepts), width - 2 * GAP);
  const text = `what channel ${top.channel} of ${top.layer} and its parts look for, each surrounded by the images that excite it most`;
  const data = {
    kind: 'drawing' as const,
    text,
    width,
    height: GAP + height + key.height + GAP,
    body:
      panels.map((one, n) => moved(one, GAP + (n % columns) * across, GAP + Math.floor(n / columns) * down)).join('') +
      moved(key, GAP, GAP + height),
  };
  return readable(data, () => text);
}

/** @throws InputError */
export function checkSameSplit({layer, channel}: SplitVisualization, top: SplitTopImages): void {
  if (top.layer === layer && top.channel === channel) return;
  throw new InputError(
    `the top images are of channel ${top.channel} of ${top.layer}, the visualisations of channel ${channel} of ${layer}; give topImages of the same split`,
  );
}

/** A picture with six around it, at the corners of a hexagon, below its name. */
function panel(
  name: string,
  centre: {bytes: Uint8Array; pixelated: boolean},
  ring: readonly {bytes: Uint8Array | undefined; frame?: string}[],
  side: number,
  small: number,
): Drawing {
  const far = side / 2 + GAP + small / 2;
  const width = 2 * far + small;
  const lines = brokenLines(name, width, TITLE).slice(0, 2);
  const head = 2 * 19 + 4;
  const [x0, y0] = [width / 2, head + far + small / 2];
  const title = lines.map((line, n) =>
    drawnText(line, x0, 15 + 19 * (n + 2 - lines.length), {...TITLE, fill: INK, anchor: 'middle'}),
  );
  const middle = drawnImage(centre.bytes, {
    x: x0 - side / 2,
    y: y0 - side / 2,
    width: side,
    height: side,
    pixelated: centre.pixelated,
  });
  const pieces = ring.map(({bytes, frame = EMPTY}, n) => {
    const angle = (Math.PI / 3) * n - Math.PI / 2;
    // One above, one below, two beside the picture on either side.
    const [across, down] = [Math.round(1.2 * Math.cos(angle)), Math.sign(Math.sin(angle))];
    const x = x0 + across * far - small / 2;
    const y = y0 + down * (across === 0 ? far : (small + GAP) / 2) - small / 2;
    const inner = small - 2 * FRAME;
    return (
      `<rect x="${x}" y="${y}" width="${small}" height="${small}" fill="${frame}"/>` +
      (bytes ? drawnImage(bytes, {x: x + FRAME, y: y + FRAME, width: inner, height: inner}) : '')
    );
  });
  return {width, height: head + 2 * far + small + GAP, body: [...title, middle, ...pieces].join('')};
}

/** Which colour is which concept's. */
function legend(labels: readonly string[], colours: readonly string[], width: number): Drawing {
  const items = [
    ...labels.map((label, j) => ({label, colour: colours[j]})),
    {label: 'other classes', colour: NO_CONCEPT},
  ];
  let [x, y] = [0, 14];
  const body = items.map(({label, colour}) => {
    const wide = textWidth(label, {size: 12}) + 36;
    if (x > 0 && x + wide > width) [x, y] = [0, y + 20];
    const item =
      `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${colour}"/>` +
      drawnText(label, x + 18, y, {size: 12, fill: QUIET});
    x += wide;
    return item;
  });
  return {width, height: y + 8, body: body.join('')};
}
