import {AsyncLocalStorage} from 'node:async_hooks';
import {randomBytes} from 'node:crypto';
import {runningTslab} from './tslab';

/** One output in several types (MIME type → content); a front end shows the type that it renders best. */
export interface Bundle {
  data: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

export interface EmitOptions {
  /** Names the output, so that a later bundle can replace it. */
  displayId?: string;
  /** Replaces the output of this name instead of adding one. @default false */
  update?: boolean;
}

/** Shows a bundle in the cell that it was made for; false where there is no notebook. */
export type Display = (bundle: Bundle, options?: EmitOptions) => boolean;

const redirection = new AsyncLocalStorage<Display>();

/** Whether this process is a tslab kernel that runs cells. */
export function isNotebook(): boolean {
  return runningTslab() !== undefined;
}

/**
 * The output of the cell that runs now. What is shown through it later, from a timer or after an `await`, still goes to
 * this cell and not to the one that happens to run by then.
 */
export function captureDisplay(): Display {
  const redirected = redirection.getStore();
  if (redirected) return redirected;
  const deno = denoJupyter();
  if (deno) return displayInDeno(deno);
  const write = runningTslab()?.jupyter.lastWriteDisplayData;
  if (!write) return () => false;
  return ({data, metadata = {}}, {displayId, update = false} = {}) => {
    write({data, metadata, transient: displayId ? {display_id: displayId} : {}}, update);
    return true;
  };
}

/** Whether there is anything that shows bundles: a kernel, or where outputs are redirected to. */
export function canDisplay(): boolean {
  return redirection.getStore() !== undefined || denoJupyter() !== undefined || isNotebook();
}

/** The part of `Deno.jupyter` that is used: there in cells of Deno's Jupyter kernel alone. */
interface DenoJupyter {
  broadcast(type: 'display_data' | 'update_display_data', content: object): Promise<void>;
}

function denoJupyter(): DenoJupyter | undefined {
  const {jupyter} = (globalThis as {Deno?: {jupyter?: Partial<DenoJupyter>}}).Deno ?? {};
  return typeof jupyter?.broadcast === 'function' ? (jupyter as DenoJupyter) : undefined;
}

function displayInDeno(jupyter: DenoJupyter): Display {
  return ({data, metadata = {}}, {displayId, update = false} = {}) => {
    const transient = displayId ? {display_id: displayId} : {};
    const sent = jupyter.broadcast(update ? 'update_display_data' : 'display_data', {data, metadata, transient});
    // A front end that is gone is no reason to stop a computation.
    sent.catch(() => undefined);
    return true;
  };
}

/** Shows one bundle in the running cell; false where there is no notebook. */
export function emit(bundle: Bundle, options?: EmitOptions): boolean {
  return captureDisplay()(bundle, options);
}

/** Runs a function whose outputs go to `display` instead of the running cell, those after an `await` included. */
export function redirectDisplay<T>(display: Display, run: () => T): T {
  return redirection.run(display, run);
}

/** A name that no other output or page element has. */
export function uniqueId(prefix = 'unweave'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** Bytes that a bundle adds to the notebook file. */
export function bundleSize(bundle: Bundle): number {
  return Buffer.byteLength(JSON.stringify({data: bundle.data, metadata: bundle.metadata ?? {}}));
}
