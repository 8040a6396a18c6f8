import type {RelevanceStatistics} from '../numerics/statistics';
import {similarityHeatmap} from '../plots';
import {
  html,
  imageHtml,
  isolated,
  renderSvgPng,
  renderVegaSvg,
  svgHtml,
  tableHtml,
  tableText,
  type Cell,
  type Html,
} from '../report/display';
import {analyse, complete, type Detail, type Overview} from './page/analysis';
import {inTurn} from '../common/inTurn';
import {comparedBy, disentangleCode, findCode, partName, plural} from './page/words';
import {countText, numberText, percentText} from '../common/numbers';
import {divideSources} from './page/sources';
import type {Explored} from './page/explored';
import {tileSheet, type TiledPictures} from './pictures';

/** What the panel shows before a knob is turned, for front ends without scripts. */
export interface StillPanel {
  markup: Html;
  text: string;
}

const ROWS = 12;
const MOST_CLASSES = 30;
const MOST_PICTURES = 8;
const LARGE_SVG = 60_000;
const LARGEST_WIDTH = 620;

export async function stillPanel(
  stats: RelevanceStatistics,
  explored: Explored,
  tiles?: TiledPictures,
): Promise<StillPanel> {
  const {about, start} = explored;
  const analysis = analyse(explored);
  const overview = complete(analysis.overview(start));
  const [first] = overview.candidates;
  const detail = first && analysis.detail(start, first.channel);
  const summary = summaryText(explored, overview);
  const columns = [
    'channel',
    'classes',
    {title: 'lowest cosine', align: 'right' as const},
    {title: 'pairs below γ', align: 'right' as const},
    'most different classes',
  ];
  const rows = overview.candidates.map(({channel, classes, lowestCosine, lowestPair, below, pairs}): Cell[] => [
    channel,
    classes.length,
    numberText(lowestCosine),
    `${below} of ${pairs}`,
    names(explored, lowestPair ?? [], ' | '),
  ]);
  const notes = [
    ...about.reduced.map((note) => `reduced: ${note}`),
    ...about.warnings.map((note) => `warning: ${note}`),
  ];
  const markup = html`<div>
    <div style="font-weight:600">Layer ${isolated(about.layer)} of ${isolated(about.model)}</div>
    <div>${summary}</div>
    ${notes.map((note) => html`<div style="font-size:12px">${isolated(note)}</div>`)}
    ${rows.length > 0 ? tableHtml(columns, rows, {limit: ROWS}) : ''}
    <div><code>${findCode(start)}</code></div>
    ${detail && (await stillDetail(stats, explored, detail, tiles))}
    <div style="font-size:12px">
      Sliders for τ, p, γ and ρ are here where scripts run: in a trusted notebook or its exported HTML.
    </div>
  </div>`;
  const text = [`explore ${about.layer} of ${about.model}: ${summary}`, ...notes];
  if (rows.length > 0) text.push(tableText(columns, rows, {limit: ROWS}));
  return {markup, text: text.join('\n')};
}

function summaryText({about, start}: Explored, {candidates, polysemantic, pairs, below}: Overview): string {
  const at = `τ = ${numberText(start.tau)}, p = ${numberText(start.p)}, γ = ${numberText(start.gamma)}`;
  return (
    `${plural(about.imageCount, 'image')} of ${plural(about.classCount, 'class', 'classes')}. At ${at}: ${countText(candidates.length)} of ` +
    `${plural(about.shape[3], 'channel')} are relevant to at least two classes; ${countText(polysemantic)} polysemantic: ${countText(below)} of ${plural(pairs, 'pair')} below γ (${comparedBy(start)}).`
  );
}

async function stillDetail(
  stats: RelevanceStatistics,
  explored: Explored,
  detail: Detail,
  tiles?: TiledPictures,
): Promise<Html> {
  const {start} = explored;
  const {channel, concepts} = detail;
  const figure = similarityHeatmap(stats, detail, {
    gamma: start.gamma,
    limit: MOST_CLASSES,
    arv: start.arv ?? 'published',
  });
  if (concepts.length < 2) {
    return html`<div>
      <div style="font-weight:600;margin-top:8px">Channel ${channel}</div>
      ${picture(renderVegaSvg(figure), `cosines of the classes of channel ${channel}`)}
    </div>`;
  }
  const division = divideSources(
    concepts.map(({arv}) => arv),
    start.rho,
  );
  const rows = await Promise.all(
    concepts.slice(0, ROWS).map(async ({classes}, j): Promise<Cell[]> => {
      const owned = `${division.sets[j].length} (${percentText(division.carried[j])} of its relevance)`;
      const strongest = division.sets[j].slice(0, 6).join(', ');
      return [
        partName(j),
        names(explored, classes, ' + '),
        owned,
        strongest,
        await strip(explored, channel, classes, tiles),
      ];
    }),
  );
  const columns = ['concept', 'classes', `own sources at ρ = ${start.rho}`, 'the strongest', 'images'];
  return html`<div>
    <div style="font-weight:600;margin-top:8px">Channel ${channel}</div>
    ${picture(renderVegaSvg(figure), `cosines of the classes of channel ${channel}`)}
    ${tableHtml(tiles ? columns : columns.slice(0, -1), rows, {limit: ROWS})}
    <div>${plural(division.shared, 'source channel')} shared.</div>
    <div><code>${disentangleCode(channel, concepts, start.rho)}</code></div>
  </div>`;
}

/** A figure as a picture; one of many shapes is smaller as pixels. */
function picture(svg: string, alt: string): Html {
  if (svg.length < LARGE_SVG) return svgHtml(svg, alt);
  // Pixels for each of the figure's: enough for the small print.
  return html`<div style="max-width:${LARGEST_WIDTH}px">
    <img
      alt="${alt}"
      style="max-width:100%"
      src="${`data:image/png;base64,${renderSvgPng(svg, 1.5).toString('base64')}`}"
    />
  </div>`;
}

/** The concept's pictures side by side. */
async function strip(
  {channels}: Explored,
  channel: number,
  classes: readonly number[],
  tiles?: TiledPictures,
): Promise<Html | undefined> {
  if (!tiles) return undefined;
  const row = channels.findIndex((candidate) => candidate.channel === channel);
  const lists = classes.map((k) => tiles.pictures.tiles[row][channels[row].classes.indexOf(k)] ?? []);
  const shown = inTurn(lists).slice(0, MOST_PICTURES);
  if (shown.length === 0) return undefined;
  const bytes = await tileSheet(
    shown.map((tile) => tiles.pixels[tile]),
    {columns: MOST_PICTURES, format: 'jpeg'},
  );
  return imageHtml(bytes, {alt: `${plural(shown.length, 'image')} of the concept`, type: 'image/jpeg'});
}

/** Names of classes, each kept from reordering the others. */
function names({classes}: Explored, wanted: readonly number[], separator: string): Html {
  const each = wanted.map((k) => isolated(classes.get(k)?.name ?? `class ${k}`));
  return html`${each.flatMap((name, at) => (at === 0 ? [name] : [separator, name]))}`;
}
