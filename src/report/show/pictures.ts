import sharp from 'sharp';
import type {ActivationMaps, SplitTopImages} from '../../evaluate';
import type {FeatureVisualization, SplitVisualization} from '../../features';
import type {LabelledImages} from '../../images/types';
import {classLabel, conceptLabels, numberText} from '../../plots/labels';
import {html, imageHtml, isolated, type Html} from '../display';
import {drawnGrid} from './drawnGrid';
import {heatColour, overlay, squared, type Picture} from './heat';
import type {ShowOptions} from './options';
import {checkSameSplit} from './teaser';
import {frameWords, topImageRows} from './topImages';
import {pngOf, thumbnailGrid} from './thumbnails';
import {words, type Block, type View} from './view';

const MAP_SIDE = 84;
const DENSITY = 1.5;

/** Where the original channel and its parts are active: a row per image, a column per channel, one colour scale for all. */
export async function activationMapsView(maps: ActivationMaps, {side = MAP_SIDE}: ShowOptions): Promise<View> {
  const {layer, channel, concepts, kernels, images, height, width, scale} = maps;
  const title = `where channel ${channel} of ${layer} and its parts are active`;
  if (images.length === 0) return [words(title, 'there is no image to show')];
  const labels = conceptLabels(concepts);
  const pixels = Math.round(side * DENSITY);
  const rows = await Promise.all(
    images.map(async ({pixels: picture, maps: own, activations, class: k, className, path, concept}) => {
      const plain = await jpeg(squared(picture, pixels));
      const overlays = await Promise.all(
        own.map(({data}) => jpeg(overlay(picture, data, {height, width}, scale.highest, pixels))),
      );
      const cells = overlays.map((bytes, n) => {
        const hint = `${kernels[n]}: summed activation ${numberText(activations[n])}`;
        return html`<td style="padding:1px">
          ${imageHtml(bytes, {alt: hint, width: side, height: side, type: 'image/jpeg'})}
        </td>`;
      });
      return {concept, className: classLabel(k, className), path, plain, cells, overlays};
    }),
  );
  const body = rows.map(({concept, className, path, plain, cells}, n) => {
    const heading = concept >= 0 && (n === 0 || rows[n - 1].concept !== concept);
    return html`${
        heading
          ? html`<tr>
              <td colspan="${kernels.length + 2}" style="padding:6px 0 2px;text-align:left;font-weight:600">
                ${isolated(`highest on d${concept + 1} · ${labels[concept]}`)}
              </td>
            </tr>`
          : ''
      }
      <tr>
        <td style="padding:1px 8px 1px 0;text-align:left;max-width:110px" title="${path}">${isolated(className)}</td>
        <td style="padding:1px">
          ${imageHtml(plain, {alt: `${className} · ${path}`, width: side, height: side, type: 'image/jpeg'})}
        </td>
        ${cells}
      </tr>`;
  });
  const heads = [
    'image',
    ...kernels.map((name, n) => (n > 0 && n <= labels.length ? `${name} · ${labels[n - 1]}` : name)),
  ];
  const head = heads.map(
    (name) =>
      html`<th style="${`padding:2px;font-weight:600;text-align:center;max-width:${side}px`}">${isolated(name)}</th>`,
  );
  const markup = html`<div style="overflow-x:auto">
    <div style="font-weight:600;font-size:13px;margin:4px 0">${title}</div>
    <table style="border-collapse:collapse;margin:0;font-size:12px">
      <thead>
        <tr>
          <th></th>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
    ${await colourScale(scale.highest)}
  </div>`;
  const drawn = rows.map(({className, plain, overlays}, n) => ({
    label: className,
    images: [plain, ...overlays].map((bytes, at) => ({bytes, ...(n === 0 && {caption: heads[at]})})),
  }));
  return [
    {
      markup,
      text: String(maps),
      draw: () => drawnGrid(`${title} (red: ${numberText(scale.highest)}; grey: not active)`, drawn, side),
    },
  ];
}

/** What the colours mean. */
async function colourScale(highest: number): Promise<Html> {
  const [width, height] = [160, 10];
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) data.set(heatColour((at % width) / (width - 1)).map(Math.round), 3 * at);
  const bar = imageHtml(await pngOf({data, width, height}), {alt: 'colour scale', width, height});
  const text =
    highest > 0 ? html`0 ${bar} ${numberText(highest)} (grey: not active)` : html`nothing is active in these images`;
  return html`<div style="font-size:12px;margin:4px 0">activation: ${text}</div>`;
}

/** An image that makes an objective great. */
export async function featureView(feature: FeatureVisualization, {side = 192}: ShowOptions): Promise<View> {
  const pictures = await Promise.all(feature.images.map((image) => captioned(image, feature.text, '', side)));
  const drawn = await Promise.all(feature.images.map(async (image) => ({bytes: await pngOf(image)})));
  return [words(String(feature)), pictureRow(pictures, feature.text, drawn, side)];
}

/**
 * The original channel and each of its parts (Hesse et al. 2025, figure 1), with their top images beside them where those are given.
 * @throws InputError for top images of another channel
 */
export async function splitFeaturesView(features: SplitVisualization, options: ShowOptions): Promise<View> {
  const {top, images} = options;
  if (top && images) return teaserView(features, top, images, options);
  const {side = 160} = options;
  const {layer, channel, original, parts, residue, interrupted} = features;
  const all = [original, ...parts, ...(residue ? [residue] : [])];
  const pictures = await Promise.all(
    all.map(({image, text, value}) => captioned(image, text, `${text}: ${numberText(value)}`, side)),
  );
  const drawn = await Promise.all(
    all.map(async ({image, text, value}) => ({bytes: await pngOf(image), caption: `${text}: ${numberText(value)}`})),
  );
  const title = `what excites channel ${channel} of ${layer} and its parts`;
  return [
    words(title, ...(interrupted ? ['interrupted: the best images so far'] : [])),
    pictureRow(pictures, String(features), drawn, side),
  ];
}

/** A row per channel: what it looks for, and the images that excite it most. */
async function teaserView(
  features: SplitVisualization,
  top: SplitTopImages,
  images: LabelledImages,
  {side = 72, count = 8, classes, crop, mask}: ShowOptions,
): Promise<View> {
  checkSameSplit(features, top);
  const {layer, channel, original, parts, interrupted} = features;
  const pictures = await Promise.all([original, ...parts].map(({image, text}) => captioned(image, text, '', 2 * side)));
  const leads = await Promise.all(
    [original, ...parts].map(async ({image}) => ({bytes: await pngOf(image), side: 2 * side})),
  );
  const rows = topImageRows(top, classes).map((row, n) => ({
    ...row,
    lead: pictures[n] ?? html`<i>interrupted</i>`,
    leadPicture: leads[n],
  }));
  return [
    words(
      `what channel ${channel} of ${layer} and its parts look for, and the images that excite each most`,
      `frames: ${frameWords(top.concepts)}; grey: other classes`,
      ...(interrupted ? ['interrupted: the best images so far'] : []),
    ),
    await thumbnailGrid('', rows, images, {side, count, crop, mask}),
  ];
}

function pictureRow(
  pictures: readonly Html[],
  text: string,
  drawn: readonly {bytes: Buffer; caption?: string}[],
  side: number,
): Block {
  const draw = () => drawnGrid('', [{label: '', images: drawn}], side);
  return {markup: html`<div>${pictures}</div>`, text, draw};
}

/** A picture with a line below it; small ones are enlarged as squares. */
export async function captioned(picture: Picture, alt: string, caption: string, side: number): Promise<Html> {
  const scale = side / Math.max(picture.width, picture.height);
  const size = {width: Math.round(picture.width * scale), height: Math.round(picture.height * scale)};
  const image = imageHtml(await pngOf(picture), {alt, ...size, pixelated: scale > 1.5});
  return html`<div style="display:inline-block;margin:0 8px 8px 0;vertical-align:top;font-size:12px">
    ${image}${caption ? html`<div style="${`max-width:${size.width}px`}">${isolated(caption)}</div>` : ''}
  </div>`;
}

function jpeg({data, width, height}: Picture): Promise<Buffer> {
  return sharp(data, {raw: {width, height, channels: 3}})
    .jpeg({quality: 85, chromaSubsampling: '4:4:4'})
    .toBuffer();
}
