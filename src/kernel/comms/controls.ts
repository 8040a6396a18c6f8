import {inspect} from 'node:util';
import {InputError} from '../../common/errors';
import {captureDisplay, emit, redirectDisplay, uniqueId, type Bundle, type Display} from '../../report/display/bundle';
import {html} from '../../report/display/html';
import {htmlBundle, textBundle} from '../../report/display/toBundle';
import {kernelState} from '../../report/display/state';
import {bundleOf} from '../../report/show';
import type {Knob} from './knobs';
import {latestOnly} from './latestOnly';
import {commServer} from './server';
import {widgetHost, type Widget} from './widgets';

export type Knobs = Record<string, Knob<unknown>>;
export type KnobValues<K extends Knobs> = {[name in keyof K]: K[name] extends Knob<infer V> ? V : never};

const VIEW = 'application/vnd.jupyter.widget-view+json';
const panels = new Map<string, () => void>();

/**
 * Controls in the cell that call the kernel: whenever one is moved, `compute` runs with the new values and what it returns
 * (anything, shown as `show` does) or shows replaces what it showed before. While it runs, later moves wait, and only the
 * latest of them counts. Needs Jupyter's widgets on the page (`pip install jupyterlab_widgets`).
 *
 * @example
 * await controls({rho: slider(0.05, 1, {step: 0.05})}, ({rho}) => disentangle(model, stats, found[0], {rho}));
 * @returns kept when the first result is shown
 * @throws InputError outside a notebook, or on a kernel without comms
 */
export function controls<K extends Knobs>(knobs: K, compute: (values: KnobValues<K>) => unknown): Promise<void> {
  const server = commServer();
  if (!server?.connected) {
    throw new InputError(
      'controls need the kernel "TypeScript (unweave)" (npx unweave kernel install); on another tslab kernel, import unweave in an earlier cell',
    );
  }
  const host = widgetHost(server);
  const cell = kernelState().cell ?? uniqueId();
  // The panel that this cell showed before is gone from the page.
  panels.get(cell)?.();

  const widgets = Object.entries(knobs).map(([description, {widget, state}]) =>
    host.control(widget, {description, ...state}),
  );
  const column = host.column(widgets);
  panels.set(cell, () => host.close([...widgets, column]));
  const values = () => readKnobs(knobs, widgets);
  emit(controlsBundle(column, values()));

  const show = replaceable(captureDisplay());
  const run = latestOnly(async () => {
    const shown = show();
    try {
      const result = await redirectDisplay(shown.display, () => compute(values()));
      if (result !== undefined) shown.display(await bundleOf(result));
    } catch (error) {
      shown.display(textBundle(error instanceof Error ? `${error.name}: ${error.message}` : inspect(error)));
    }
    shown.finish();
  });
  for (const widget of widgets) widget.onChange = () => run();
  return silent(run());
}

/** The controls as an output; their values where widgets cannot be shown. */
function controlsBundle(column: Widget, values: Record<string, unknown>): Bundle {
  const text = Object.entries(values)
    .map(([name, value]) => `${name} = ${String(value)}`)
    .join(', ');
  const note = 'controls: run the cell again, in a Jupyter that has jupyterlab_widgets, to move them';
  const {data} = htmlBundle(
    html`<div>${text}</div>
      <div style="font-size:12px">${note}</div>`,
    `controls: ${text}`,
  );
  return {data: {[VIEW]: {version_major: 2, version_minor: 0, model_id: column.comm.id}, ...data}};
}

function readKnobs<K extends Knobs>(knobs: K, widgets: readonly Widget[]): KnobValues<K> {
  const entries = Object.entries(knobs).map(([name, knob], i) => [name, knob.read(widgets[i].state)]);
  return Object.fromEntries(entries) as KnobValues<K>;
}

/** Outputs that replace those of the run before: the first takes the place of the first, and so on. */
function replaceable(target: Display): () => {display: Display; finish(): void} {
  const places: string[] = [];
  return () => {
    // What has a name of its own, e.g. a progress bar, keeps its place while it is updated.
    const named = new Map<string, string>();
    let used = 0;
    return {
      display(bundle, {displayId: name} = {}) {
        const before = name === undefined ? undefined : named.get(name);
        const update = before !== undefined || used < places.length;
        const displayId = before ?? (places[used] ??= uniqueId());
        if (before === undefined) used++;
        if (name !== undefined) named.set(name, displayId);
        return target(bundle, {displayId, update});
      },
      finish() {
        for (const displayId of places.slice(used)) target(EMPTY, {displayId, update: true});
      },
    };
  };
}

const EMPTY: Bundle = htmlBundle(html`<span></span>`, '');

/** Prints as nothing much where it is the last expression of a cell. */
function silent(promise: Promise<void>): Promise<void> {
  return Object.defineProperty(promise, inspect.custom, {value: () => '(controls)'});
}
