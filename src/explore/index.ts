import type {LabelledImages} from '../images/types';
import type {VectorKind} from '../concepts/types';
import {InputError} from '../common/errors';
import type {RelevanceStatistics} from '../numerics/statistics';
import {
  captureDisplay,
  interactiveBundle,
  interactiveHtml,
  isNotebook,
  standalonePage,
  textBundle,
  trusted,
  type Bundle,
  type InteractiveOptions,
} from '../report/display';
import {kernelState} from '../report/display/state';
import {pack, select, type Selection} from './pack';
import {pageScript} from './pageScript';
import {analyse, complete} from './page/analysis';
import type {Packed} from './page/packed';
import {followed, type Exploration} from './followed';
import {tilePictures, tileSheet} from './pictures';
import {stillPanel} from './still';

export type {Exploration};

export interface ExploreOptions {
  /** The images that relevance was collected on, for example pictures. @default no pictures */
  images?: LabelledImages;
  /** Pictures of each class of a channel, 1 to 6. @default 3 */
  thumbnails?: number;
  /** Where the sliders start: τ. @default 0.03, or 2 / Cout where that is larger */
  tau?: number;
  /** Where the sliders start: p. @default 0.75 */
  p?: number;
  /** Where the sliders start: γ. @default 0.5 */
  gamma?: number;
  /** Where the sliders start: ρ. @default 0.5 */
  rho?: number;
  /** What classes are compared by at first; a switch changes it where the statistics have gates. @default as `findPolysemantic` */
  arv?: VectorKind;
  /** Size of the panel in millions of characters, at most, without its script (some 30,000) and its still picture. @default 4 */
  megabytes?: number;
}

/** The share of the size that is kept for pictures. */
const FOR_PICTURES = 0.2;
/** Pictures of each class of a channel. */
const PICTURES = 3;

/**
 * Shows a panel with sliders for τ, p, γ and ρ in the cell: the channels that the thresholds find, and, for one of them, its classes'
 * cosines, its concepts with pictures, who owns its sources, and the `disentangle` call to paste. It computes in the page, with the
 * functions of this package, and needs neither the kernel nor a network afterwards. Where scripts do not run, the same content is
 * shown at rest. Statistics that are too large are reduced, and the panel says how.
 *
 * What it returns follows the sliders in the kernel "TypeScript (unweave)", where `controls` run too: `panel.found` is what `findPolysemantic` finds
 * where they stand. The cell waits for the panel by itself. Outside a notebook, await it: its text goes to standard output.
 * @example
 * const panel = await explore(stats, {images});   // move the sliders; then, in the next cell:
 * const split = await disentangle(model, stats, panel.channel ?? panel.found[0], {images, rho: panel.settings.rho});
 * @throws InputError for an option out of range
 */
export function explore(stats: RelevanceStatistics, options: ExploreOptions = {}): Exploration | Promise<Exploration> {
  const display = captureDisplay();
  const state = kernelState();
  const selection = selectionOf(stats, options);
  const exploration = followed(stats, selection.explored.start);
  const link = isNotebook() ? state.linkPage?.((text) => exploration.hear(text)) : undefined;
  const made = (state.showing ?? Promise.resolve()).then(() => panelOf(stats, selection, options, link?.className));
  const shown = made.then((panel) => {
    const bundle = interactiveBundle(panel);
    if (!display(bundle)) process.stdout.write(`${String(bundle.data['text/plain'])}\n`);
    else if (link) display(link.bundle);
  });
  if (!isNotebook()) return shown.then(() => exploration.seen);
  // Nobody may wait for it: the cell does, and shows what went wrong.
  const settled = shown.catch((error: Error) => void display(textBundle(`could not be shown: ${error.message}`)));
  const pending = settled.then(() => {
    if (state.showing === pending) state.showing = undefined;
  });
  state.showing = pending;
  return exploration.seen;
}

/**
 * The panel as a bundle, e.g. to be shown later.
 * @throws InputError for an option out of range, or images that the statistics are not about
 */
export async function exploreBundle(stats: RelevanceStatistics, options: ExploreOptions = {}): Promise<Bundle> {
  return interactiveBundle(await panelOf(stats, selectionOf(stats, options), options));
}

/**
 * The panel as an HTML page of its own, which needs no other file and no network.
 * @throws InputError for an option out of range, or images that the statistics are not about
 */
export async function explorePage(stats: RelevanceStatistics, options: ExploreOptions = {}): Promise<string> {
  const panel = interactiveHtml(await panelOf(stats, selectionOf(stats, options), options));
  return standalonePage(`${stats.layer.name} of ${stats.model.name}`, trusted(panel.html));
}

function selectionOf(stats: RelevanceStatistics, options: ExploreOptions): Selection {
  const {images, thumbnails = PICTURES, megabytes = 4, tau, p, gamma, rho, arv} = options;
  if (!(Number.isInteger(thumbnails) && thumbnails >= 1 && thumbnails <= 6))
    throw new InputError(`invalid thumbnails: ${thumbnails}; it is a whole number from 1 to 6`);
  if (!(megabytes >= 0.1)) throw new InputError(`invalid megabytes: ${megabytes}; give 0.1 or more, such as 4`);
  return select(stats, {tau, p, gamma, rho, arv}, 1e6 * megabytes * (images ? 1 - FOR_PICTURES : 1));
}

async function panelOf(
  stats: RelevanceStatistics,
  selection: Selection,
  {images, thumbnails = PICTURES}: ExploreOptions,
  link?: string,
): Promise<InteractiveOptions> {
  const {explored} = selection;
  const order = () => complete(analyse(explored).overview(explored.start)).candidates.map(({channel}) => channel);
  const tiles = images && (await tilePictures(stats, images, explored.channels, {order: order(), each: thumbnails}));
  const sprite = tiles && `data:image/webp;base64,${(await tileSheet(tiles.pixels)).toString('base64')}`;
  const still = await stillPanel(stats, explored, tiles);
  const data: Packed = {data: pack(stats, selection, tiles?.pictures), sprite, link};
  return {
    script: '(root, data, explore) => explore.start(root, data)',
    data,
    fallback: still.markup,
    text: still.text,
    libraries: [pageScript()],
  };
}
