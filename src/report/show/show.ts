import {refusePromise} from '../../common/argument';
import {canDisplay, captureDisplay, isNotebook, textBundle, type Bundle, type Display} from '../display';
import {kernelState} from '../display/state';
import {cellWaitsFor} from './cellWaitsFor';
import type {ShowOptions} from './options';
import {printedView} from './printView';
import {viewBundle, viewText, type View} from './view';
import {viewOf} from './viewOf';

/**
 * Shows a result: a network, images, statistics, found channels, a concept, a split and everything measured of it, a figure; several
 * of them as a list; anything else as text. In a notebook one output appears in the cell, which each front end renders at its best:
 * figures come alive where scripts run, and stand still where they do not. Elsewhere its text goes to standard output,
 * and a picture of it beside, into the folder `unweave-figures`, its path printed. Deno's Jupyter kernel shows it as a notebook does: await it there.
 *
 * Pictures of images are read while the cell goes on; the outputs of a cell keep their order, and the cell waits for them. Outside a
 * notebook, await it.
 * @throws InputError for a promise
 * @example show(found, {stats: stats, images: train})
 */
export function show(value: unknown, options: ShowOptions = {}): void | Promise<void> {
  refusePromise('show', value);
  const display = captureDisplay();
  const {showing} = kernelState();
  givePreviewWay(value);
  const made = showing ? showing.then(() => viewOf(value, options)) : viewOf(value, options);
  if (!(made instanceof Promise)) return emitView(made, display);
  const shown = made.then((view) => emitView(view, display));
  const settled = shown.catch((error: Error) => {
    // Nobody may wait for it: the cell shows what went wrong.
    display(textBundle(`could not be shown: ${error.message}`));
  });
  cellWaitsFor(settled);
  // A kernel would print a promise that is the last expression of a cell.
  return isNotebook() ? undefined : shown;
}

/** A visualisation takes the place of its preview. */
function givePreviewWay(value: unknown): void {
  const state = kernelState();
  const {kind} = (value ?? {}) as {kind?: unknown};
  const isVisual =
    kind === 'feature' || kind === 'split-features' || kind === 'drawing' || kind === 'paper reproduction';
  if (!isVisual || !state.preview) return;
  // Shown in a later cell, it is the same by what it is of.
  const later = kind === 'paper reproduction' || (state.preview.text && String(value).includes(state.preview.text));
  if (state.preview.cell !== state.cell && !later) return;
  state.preview.clear();
  delete state.preview;
}

function emitView(view: View, display: Display): void {
  if (!canDisplay()) process.stdout.write(printedView(view));
  else if (!display(viewBundle(view))) process.stdout.write(`${viewText(view)}\n`);
}

/** The output that `show` makes of a value, as data. */
export async function bundleOf(value: unknown, options: ShowOptions = {}): Promise<Bundle> {
  return viewBundle(await viewOf(value, options));
}
